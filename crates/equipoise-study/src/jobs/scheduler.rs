//! Runs tasks, each once, a few at a time, those of the lowest priority number first.

use super::task::{Finished, Task};
use equipoise_jobs::{Fault, Listener, Standing, StopFlag};
use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Runs one task, such as in a process of its own.
pub trait Runner: Sync {
    /// Runs a task whose specification is in its directory, so that it is marked as finished.
    ///
    /// # Errors
    /// Why it is not.
    fn run(&self, task: &Task, stop: &StopFlag) -> Result<(), Fault>;
}

/// Something that happened to the tasks.
#[derive(Clone, Debug)]
pub enum JobEvent {
    /// So many tasks are expected.
    Planned(usize),
    /// A task begins.
    Started {
        /// Its name.
        name: String,
    },
    /// A task was finished already, or had failed before.
    Reused {
        /// Its name.
        name: String,
        /// Whether it had failed.
        failed: bool,
    },
    /// A task ended.
    Ended {
        /// Its name.
        name: String,
        /// How long it took.
        time: Duration,
        /// Why it has no result, if it has none.
        fault: Option<Fault>,
    },
}

/// `None` where the task is not finished and must not be run.
type Settled = Option<Result<Finished, Fault>>;

/// The tasks of one call of the program.
pub struct Scheduler<'a> {
    runner: Option<&'a dyn Runner>,
    listener: Mutex<&'a mut (dyn Listener<JobEvent> + Send)>,
    stop: &'a StopFlag,
    jobs: NonZero<usize>,
    retry: bool,
    slots: Slots,
    settled: Mutex<HashMap<PathBuf, Arc<OnceLock<Settled>>>>,
}

impl<'a> Scheduler<'a> {
    /// Runs `jobs` tasks at a time. Without a runner nothing is run, only found; with `retry`, what failed before is run
    /// again.
    pub fn new(
        runner: Option<&'a dyn Runner>,
        listener: &'a mut (dyn Listener<JobEvent> + Send),
        stop: &'a StopFlag,
        jobs: NonZero<usize>,
        retry: bool,
    ) -> Scheduler<'a> {
        let (slots, settled) = (Slots::new(jobs), Mutex::default());
        Scheduler { runner, listener: Mutex::new(listener), stop, jobs, retry, slots, settled }
    }

    /// Says how many tasks to expect.
    pub fn plan(&self, tasks: usize) {
        self.tell(JobEvent::Planned(tasks));
    }

    /// Does the work for every item, as many at a time as there are jobs; results in the order of the items.
    pub fn each<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        side_by_side(self.jobs, items, work)
    }

    /// How many tasks run at a time.
    pub fn jobs(&self) -> NonZero<usize> {
        self.jobs
    }

    /// Finds or runs a task. Among the tasks that wait, the one of the lowest `priority` is next. `None` if it is not
    /// finished and there is no runner.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn ensure(&self, task: &Task, priority: usize) -> Option<Result<Finished, Fault>> {
        let once = Arc::clone(locked(&self.settled).entry(task.dir.clone()).or_default());
        once.get_or_init(|| self.settle(task, priority)).clone()
    }

    fn settle(&self, task: &Task, priority: usize) -> Settled {
        let name = || task.name.clone();
        if let Some(finished) = task.finished() {
            self.tell(JobEvent::Reused { name: name(), failed: false });
            return Some(Ok(finished));
        }
        if let Ok(Standing::Failed(message)) = task.unit().standing()
            && (self.runner.is_none() || !self.retry)
        {
            self.tell(JobEvent::Reused { name: name(), failed: true });
            return Some(Err(Fault::Own(message)));
        }
        let runner = self.runner?;
        let _slot = self.slots.take(priority);
        if self.stop.is_raised() {
            return Some(Err(Fault::Interrupted));
        }
        self.tell(JobEvent::Started { name: name() });
        let start = Instant::now();
        let outcome = self.attempt(runner, task);
        let fault = outcome.as_ref().err().cloned();
        self.tell(JobEvent::Ended { name: name(), time: start.elapsed(), fault });
        Some(outcome)
    }

    fn attempt(&self, runner: &dyn Runner, task: &Task) -> Result<Finished, Fault> {
        task.write()?;
        let fault = match runner.run(task, self.stop) {
            Ok(()) => match task.finished() {
                Some(finished) => return Ok(finished),
                None => Fault::Own("it ended without a result".into()),
            },
            Err(fault) => fault,
        };
        if let Fault::Own(message) = &fault {
            // A process that crashed could not say so itself.
            task.unit().fail(message)?;
        }
        Err(fault)
    }

    fn tell(&self, event: JobEvent) {
        locked(&self.listener).event(&event);
    }
}

/// Locks data that is sound whatever its last holder did: maps and counters are changed in one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Slots for running tasks, given out by priority, then in order of asking.
struct Slots {
    state: Mutex<Waiting>,
    freed: Condvar,
}

struct Waiting {
    free: usize,
    asked: usize,
    queue: BTreeSet<(usize, usize)>,
}

impl Slots {
    fn new(jobs: NonZero<usize>) -> Slots {
        let state = Waiting { free: jobs.get(), asked: 0, queue: BTreeSet::new() };
        Slots { state: Mutex::new(state), freed: Condvar::new() }
    }

    fn take(&self, priority: usize) -> Slot<'_> {
        let mut state = locked(&self.state);
        let ticket = (priority, state.asked);
        state.asked += 1;
        state.queue.insert(ticket);
        while state.free == 0 || state.queue.first() != Some(&ticket) {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.queue.remove(&ticket);
        state.free -= 1;
        // There may be room for the next as well.
        self.freed.notify_all();
        Slot(self)
    }
}

struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        locked(&self.0.state).free += 1;
        self.0.freed.notify_all();
    }
}

/// Results in the order of the items, at most `jobs` at a time.
pub fn side_by_side<T: Sync, R: Send>(
    jobs: NonZero<usize>,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let k = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(k) else { return mine };
                mine.push((k, work(item)));
            }
        };
        let threads: Vec<_> = (0..jobs.get().min(items.len())).map(|_| scope.spawn(worker)).collect();
        let joined = threads.into_iter().map(|t| t.join());
        joined.flat_map(|r| r.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    results.sort_by_key(|(k, _)| *k);
    results.into_iter().map(|(_, r)| r).collect()
}
