//! Runs tasks, each once, a few at a time, the earlier cells' first.

use super::search::side_by_side;
use super::tasks::{Failure, Finished, State, Task};
use equipoise_train::StopFlag;
use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Does tasks, such as in processes of their own.
pub trait Runner: Sync {
    /// Does a task, so that its directory holds `finished.json`.
    ///
    /// # Errors
    /// The reason in words, or that it was stopped.
    fn run(&self, task: &Task, stop: &StopFlag) -> Result<(), Failure>;
}

/// What happens to tasks.
pub enum Step<'a> {
    /// So many will be looked at.
    Planned(usize),
    /// It begins.
    Started(&'a Task),
    /// It was there already, or had failed before.
    Reused(&'a Task, bool),
    /// It ended.
    Ended(&'a Task, Duration, &'a Result<Finished, Failure>),
}

/// Somebody who wants to know.
pub trait Watcher: Sync {
    /// Called for each step, from any thread.
    fn step(&self, step: &Step);
}

type Outcome = Result<Finished, Failure>;

/// The tasks of one call of the program.
pub struct Pool<'a> {
    runner: Option<&'a dyn Runner>,
    watcher: &'a dyn Watcher,
    stop: &'a StopFlag,
    jobs: NonZero<usize>,
    retry: bool,
    slots: Slots,
    outcomes: Mutex<HashMap<PathBuf, Arc<OnceLock<Outcome>>>>,
}

impl<'a> Pool<'a> {
    /// A pool of `jobs` tasks at a time. Without a runner nothing is run, only found; with `retry`, what failed
    /// before is run again.
    pub fn new(
        runner: Option<&'a dyn Runner>,
        watcher: &'a dyn Watcher,
        stop: &'a StopFlag,
        jobs: NonZero<usize>,
        retry: bool,
    ) -> Pool<'a> {
        Pool { runner, watcher, stop, jobs, retry, slots: Slots::new(jobs), outcomes: Mutex::default() }
    }

    /// Tells the watcher how many tasks to expect.
    pub fn plan(&self, tasks: usize) {
        self.watcher.step(&Step::Planned(tasks));
    }

    /// As many at a time as there are jobs.
    pub fn each<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        side_by_side(self.jobs, items, work)
    }

    /// How many tasks run at a time.
    pub fn jobs(&self) -> NonZero<usize> {
        self.jobs
    }

    /// Finds or does a task; `priority` says whose turn it is among those that wait, the smallest first.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn ensure(&self, task: &Task, priority: usize) -> Outcome {
        let once = Arc::clone(locked(&self.outcomes).entry(task.dir.clone()).or_default());
        once.get_or_init(|| self.settle(task, priority)).clone()
    }

    fn settle(&self, task: &Task, priority: usize) -> Outcome {
        match task.state() {
            State::Finished(done) => {
                self.watcher.step(&Step::Reused(task, false));
                return Ok(done);
            }
            State::Failed(message) if self.runner.is_none() || !self.retry => {
                self.watcher.step(&Step::Reused(task, true));
                return Err(Failure::Failed(message));
            }
            _ => {}
        }
        let runner = self.runner.ok_or(Failure::NotRun)?;
        let _slot = self.slots.take(priority);
        if self.stop.is_raised() {
            return Err(Failure::Stopped);
        }
        self.watcher.step(&Step::Started(task));
        let start = Instant::now();
        let outcome = self.attempt(runner, task);
        self.watcher.step(&Step::Ended(task, start.elapsed(), &outcome));
        outcome
    }

    fn attempt(&self, runner: &dyn Runner, task: &Task) -> Outcome {
        let file_fault = |e: std::io::Error| Failure::Failed(format!("{}: {e}", task.dir.display()));
        task.begin().map_err(file_fault)?;
        let failure = match runner.run(task, self.stop) {
            Ok(()) => match task.state() {
                State::Finished(done) => return Ok(done),
                _ => Failure::Failed("it ended without a result".into()),
            },
            Err(failure) => failure,
        };
        if let Failure::Failed(message) = &failure {
            task.fail(message).map_err(file_fault)?;
        }
        Err(failure)
    }
}

/// A lock whose data is sound whatever its last holder did: maps and counters are changed in one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Places for running tasks, handed out by priority, then in order of asking.
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
