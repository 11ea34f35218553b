//! Scoring: off the threads that talk to clients, and several requests at once.
//!
//! Two queues of bounded length, each with a thread that takes what waits, at most [`TOGETHER`] requests, and has it answered
//! together on a pool of workers. Nothing is waited for: an idle server answers a request at once, and under load the requests that
//! came during one batch are the next. Short requests have a queue of their own, so that none of them stands behind a long one.

use crate::metrics::{Metrics, OfModel, OfQueue};
use crate::models::Served;
use crate::problem::Problem;
use equipoise_recommend::{Answer, Feedback, RecommendRequest};
use rayon::ThreadPool;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Most requests that are scored together.
const TOGETHER: usize = 64;
/// Most lists of a short request.
const LISTS: usize = 16;
/// Most places of a list of a short request, those before the offset included.
const PLACES: usize = 1000;
/// Most items in the baskets of a short request.
const BASKETS: usize = 200;

/// A request that waits.
struct Waiting {
    served: Arc<Served>,
    request: RecommendRequest,
    answer: oneshot::Sender<Result<Answer, Problem>>,
}

/// Other work for a worker.
type Work = Box<dyn FnOnce() + Send>;

enum Job {
    Request(Box<Waiting>),
    Work(Work),
}

/// A queue of bounded length.
struct Queue {
    name: &'static str,
    room: usize,
    inner: Mutex<Inner>,
    wake: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// What the threads share.
struct Shared {
    pool: ThreadPool,
    feedback: Arc<dyn Feedback + Send + Sync>,
    metrics: Arc<Metrics>,
}

/// The queues and their threads, which end when this is dropped.
pub(crate) struct Scoring {
    short: Arc<Queue>,
    long: Arc<Queue>,
    metrics: Arc<Metrics>,
}

impl Scoring {
    /// Starts the threads; each queue has room for `room` requests.
    ///
    /// # Errors
    /// If the system grants no threads.
    pub(crate) fn new(
        threads: Option<usize>,
        room: usize,
        feedback: Arc<dyn Feedback + Send + Sync>,
        metrics: Arc<Metrics>,
    ) -> Result<Scoring, std::io::Error> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .thread_name(|n| format!("score-{n}"))
            .build()
            .map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared { pool, feedback, metrics: metrics.clone() });
        let start = |name: &'static str| -> Result<Arc<Queue>, std::io::Error> {
            let queue = Arc::new(Queue { name, room, inner: Mutex::default(), wake: Condvar::new() });
            let (own, shared) = (queue.clone(), shared.clone());
            std::thread::Builder::new()
                .name(format!("{name}-queue"))
                .spawn(move || work_off(&own, &shared))?;
            Ok(queue)
        };
        Ok(Scoring { short: start("short")?, long: start("long")?, metrics })
    }

    /// Has a request answered by a model.
    ///
    /// # Errors
    /// What cannot be used of the request; a full queue.
    pub(crate) async fn recommend(
        &self,
        served: &Arc<Served>,
        request: RecommendRequest,
    ) -> Result<Answer, Problem> {
        let queue = if is_short(&request) { &self.short } else { &self.long };
        let (answer, found) = oneshot::channel();
        let waiting = Waiting { served: served.clone(), request, answer };
        self.enter(queue, Job::Request(Box::new(waiting)))?;
        found.await.map_err(|_| Problem::fault())?
    }

    /// Has other work done that scores.
    ///
    /// # Errors
    /// What the work says; a full queue.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, found) = oneshot::channel();
        let work = move || {
            // Who has gone needs no answer, and may go while it is made.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        };
        self.enter(&self.long, Job::Work(Box::new(work)))?;
        found.await.map_err(|_| Problem::fault())?
    }

    fn enter(&self, queue: &Queue, job: Job) -> Result<(), Problem> {
        let mut inner = queue.lock();
        if inner.jobs.len() >= queue.room {
            drop(inner);
            self.metrics.refused.inc();
            return Err(Problem::busy());
        }
        inner.jobs.push_back(job);
        self.metrics.queued.get_or_create(&OfQueue { queue: queue.name }).set(inner.jobs.len() as i64);
        drop(inner);
        queue.wake.notify_one();
        Ok(())
    }
}

impl Drop for Scoring {
    fn drop(&mut self) {
        for queue in [&self.short, &self.long] {
            queue.lock().closed = true;
            queue.wake.notify_all();
        }
    }
}

/// Whether a request takes about as long as most.
fn is_short(request: &RecommendRequest) -> bool {
    let lists = request.users.len() + request.history.len() + request.vectors.len();
    let baskets: usize = request.history.iter().map(Vec::len).sum();
    let plain = request.filter.is_none() && request.restrict.is_none() && request.diversity == 0.0;
    let places = request.offset.saturating_add(request.n);
    let explained = if request.explain { lists * request.n } else { 0 };
    plain && lists <= LISTS && places <= PLACES && baskets <= BASKETS && explained <= 100
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What it guards is whole between any two statements, also if a thread that held it has panicked.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits: requests that can be answered together, or one other piece of work. `None` when the queue is closed.
    fn take(&self) -> Option<(Vec<Job>, usize)> {
        let mut inner = self.lock();
        loop {
            let requests = inner.jobs.iter().take_while(|job| matches!(job, Job::Request(_)));
            let count = match requests.take(TOGETHER).count() {
                0 => inner.jobs.len().min(1),
                requests => requests,
            };
            if count > 0 {
                let taken = inner.jobs.drain(..count).collect();
                return Some((taken, inner.jobs.len()));
            }
            if inner.closed {
                return None;
            }
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn work_off(queue: &Queue, shared: &Shared) {
    while let Some((jobs, left)) = queue.take() {
        shared.metrics.queued.get_or_create(&OfQueue { queue: queue.name }).set(left as i64);
        let (mut requests, mut works) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            match job {
                // Who has gone needs no answer.
                Job::Request(waiting) if waiting.answer.is_closed() => {}
                Job::Request(waiting) => requests.push(*waiting),
                Job::Work(work) => works.push(work),
            }
        }
        for work in works {
            if shared.pool.install(|| catch_unwind(AssertUnwindSafe(work))).is_err() {
                shared.metrics.panics.inc();
            }
        }
        if !requests.is_empty() {
            shared.metrics.batches.observe(requests.len() as f64);
            shared.answer(requests);
        }
    }
}

impl Shared {
    /// Answers requests, those of one model together.
    fn answer(&self, mut requests: Vec<Waiting>) {
        while let Some(first) = requests.first() {
            let model = first.served.clone();
            let same = |waiting: &Waiting| Arc::ptr_eq(&waiting.served, &model);
            let (group, others): (Vec<Waiting>, Vec<Waiting>) = requests.into_iter().partition(same);
            requests = others;
            self.answer_group(&model, group);
        }
    }

    fn answer_group(&self, served: &Served, group: Vec<Waiting>) {
        let asked: Vec<&RecommendRequest> = group.iter().map(|waiting| &waiting.request).collect();
        let answers = match self.guarded(served, &asked) {
            Some(answers) => answers,
            // The fault of one stays with it.
            None => asked
                .iter()
                .map(|one| {
                    self.guarded(served, &[one])
                        .map_or_else(|| Err(Problem::fault()), |mut answers| answers.remove(0))
                })
                .collect(),
        };
        for (waiting, answer) in group.into_iter().zip(answers) {
            if let Ok(answer) = &answer {
                self.count(served, answer);
            }
            // Who asked may have gone.
            let _ = waiting.answer.send(answer);
        }
    }

    /// The answers; `None` after a panic, which is counted.
    fn guarded(&self, served: &Served, asked: &[&RecommendRequest]) -> Option<Vec<Result<Answer, Problem>>> {
        let work = || self.pool.install(|| served.model.answer_all(asked, &*self.feedback));
        let Ok(found) = catch_unwind(AssertUnwindSafe(work)) else {
            self.metrics.panics.inc();
            return None;
        };
        let named = |mut answer: Answer| {
            answer.model.name.clone_from(&served.source.name);
            answer
        };
        Some(found.into_iter().map(|answer| answer.map(named).map_err(Problem::from)).collect())
    }

    fn count(&self, served: &Served, answer: &Answer) {
        let model = OfModel { model: served.source.name.clone() };
        self.metrics.lists.get_or_create(&model).inc_by(answer.lists.len() as u64);
        let fallbacks = answer.lists.iter().filter(|list| list.fallback.is_some()).count();
        if fallbacks > 0 {
            self.metrics.fallbacks.get_or_create(&model).inc_by(fallbacks as u64);
        }
    }
}
