//! Feedback as the server keeps it.

use crate::feedback::event::FeedbackEvent;
use crate::feedback::fault::FeedbackError;
use crate::feedback::file::FeedbackFile;
use crate::feedback::ids::EventIds;
use crate::feedback::met::Met;
use crate::feedback::writer::{Parcel, Writer};
use crate::metrics::Metrics;
use crate::problem::Problem;
use axum::http::StatusCode;
use equipoise_jobs::Lock;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Events that may wait for the disk.
const PENDING: usize = 200_000;

/// Every event on the disk, and what each user has met in memory. One program at a time writes a file.
pub struct Store {
    met: Arc<Met>,
    intake: Mutex<Intake>,
    writer: Mutex<Option<JoinHandle<()>>>,
    pending: Arc<AtomicUsize>,
    _lock: Lock,
}

/// Where events come in. It is held from the look at their ids until they are handed to the writer, so that the file has them in
/// the order in which lists heed them, and whoever repeats an event waits for the first of its id.
struct Intake {
    parcels: Option<Sender<Parcel>>,
    ids: EventIds,
}

impl Store {
    /// Opens the file, makes it if there is none, and reads what is there. Flushes to the disk are at least `every` apart.
    ///
    /// # Errors
    /// A file of something else, or that another program writes; file system faults.
    pub(crate) fn open(path: &Path, every: Duration, metrics: Arc<Metrics>) -> Result<Store, FeedbackError> {
        let lock = Lock::passing(&lock_of(path), path)?;
        let file = FeedbackFile::open(path)?;
        let (met, mut ids) = (Arc::new(Met::default()), EventIds::default());
        file.each(|event| {
            ids.is_first(&event);
            met.add([&event]);
            Ok::<(), FeedbackError>(())
        })?;
        let (parcels, waiting) = channel();
        let pending = Arc::new(AtomicUsize::new(0));
        let writer = Writer { file, every, metrics, pending: pending.clone() };
        let thread = std::thread::Builder::new().name("feedback".into()).spawn(move || writer.run(&waiting));
        let thread = thread.map_err(|source| FeedbackError::Io { path: path.to_owned(), source })?;
        Ok(Store {
            met,
            intake: Mutex::new(Intake { parcels: Some(parcels), ids }),
            writer: Mutex::new(Some(thread)),
            pending,
            _lock: lock,
        })
    }

    /// What each user has met.
    pub(crate) fn met(&self) -> &Arc<Met> {
        &self.met
    }

    /// Takes events in: lists heed them from now on. If `durable`, it waits until they are on the disk. The result is how many were
    /// taken: those that repeat the id of one before are left out.
    ///
    /// # Errors
    /// A disk that takes nothing.
    pub(crate) async fn take(&self, events: Vec<FeedbackEvent>, durable: bool) -> Result<usize, Problem> {
        let events: Vec<FeedbackEvent> = events.into_iter().map(FeedbackEvent::dated).collect();
        let (told, written) = oneshot::channel();
        let taken = self.enter(events, durable.then_some(told))?;
        if durable {
            written
                .await
                .unwrap_or_else(|_| Err("the server is ending".into()))
                .map_err(|reason| unwritten(&reason))
                .map(|()| taken)
        } else {
            Ok(taken)
        }
    }

    /// Hands the first event of each id to lists and to the writer.
    fn enter(
        &self,
        mut events: Vec<FeedbackEvent>,
        told: Option<oneshot::Sender<Result<(), String>>>,
    ) -> Result<usize, Problem> {
        let mut intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
        let Intake { parcels, ids } = &mut *intake;
        let parcels = parcels.as_ref().ok_or_else(|| unwritten("the server is ending"))?;
        if self.pending.load(Ordering::SeqCst) + events.len() > PENDING {
            return Err(unwritten("too many events wait for the disk"));
        }
        events.retain(|event| ids.is_first(event));
        let taken = events.len();
        self.met.add(&events);
        self.pending.fetch_add(taken, Ordering::SeqCst);
        match parcels.send(Parcel { events, told }) {
            Ok(()) => Ok(taken),
            Err(_) => Err(unwritten("nothing writes any more")),
        }
    }

    /// Writes what waits, and takes no more.
    pub(crate) fn close(&self) {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner).parcels.take();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A writer that panicked has nothing more to write.
            let _ = writer.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn unwritten(reason: &str) -> Problem {
    let detail = format!(
        "the events are not on the disk ({reason:.200}); send them again later, with ids so that none is kept twice"
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unwritten", "Feedback is not on the disk", detail)
}

/// The lock beside a file of feedback.
fn lock_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock"))
}
