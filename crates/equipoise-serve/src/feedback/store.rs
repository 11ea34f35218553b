//! Feedback as the server keeps it.

use crate::feedback::event::Event;
use crate::feedback::fault::FeedbackError;
use crate::feedback::file::FeedbackFile;
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
    parcels: Mutex<Option<Sender<Parcel>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    pending: Arc<AtomicUsize>,
    _lock: Lock,
}

impl Store {
    /// Opens the file, makes it if there is none, and reads what is there. Flushes to the disk are at least `every` apart.
    ///
    /// # Errors
    /// A file of something else, or that another program writes; file system faults.
    pub(crate) fn open(path: &Path, every: Duration, metrics: Arc<Metrics>) -> Result<Store, FeedbackError> {
        let lock = Lock::take(&lock_of(path))?;
        let file = FeedbackFile::open(path)?;
        let met = Arc::new(Met::default());
        file.each(|event| {
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
            parcels: Mutex::new(Some(parcels)),
            writer: Mutex::new(Some(thread)),
            pending,
            _lock: lock,
        })
    }

    /// What each user has met.
    pub(crate) fn met(&self) -> &Arc<Met> {
        &self.met
    }

    /// Takes events in: lists heed them from now on. If `durable`, it waits until they are on the disk.
    ///
    /// # Errors
    /// A disk that takes nothing.
    pub(crate) async fn take(&self, events: Vec<Event>, durable: bool) -> Result<(), Problem> {
        let events: Vec<Event> = events.into_iter().map(Event::dated).collect();
        if self.pending.load(Ordering::SeqCst) + events.len() > PENDING {
            return Err(unwritten("too many events wait for the disk"));
        }
        self.met.add(&events);
        self.pending.fetch_add(events.len(), Ordering::SeqCst);
        let (told, written) = oneshot::channel();
        let parcel = Parcel { events, told: durable.then_some(told) };
        {
            let parcels = self.parcels.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = parcels.as_ref().is_some_and(|parcels| parcels.send(parcel).is_ok());
            if !sent {
                return Err(unwritten("the server is ending"));
            }
        }
        match durable {
            false => Ok(()),
            true => written
                .await
                .unwrap_or_else(|_| Err("the server is ending".into()))
                .map_err(|reason| unwritten(&reason)),
        }
    }

    /// Writes what waits, and takes no more.
    pub(crate) fn close(&self) {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner).take();
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
