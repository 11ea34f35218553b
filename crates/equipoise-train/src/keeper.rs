//! When a checkpoint is due, and the writing of it.

use crate::checkpoint::{self, Identity, Standing};
use crate::config::CheckpointEvery;
use crate::course::Course;
use crate::error::TrainError;
use crate::events::LogMarker;
use crate::run::Run;
use crate::step::Stepper;
use equipoise_balance::BalancerState;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Largest share of the time that goes into checkpoints under `auto`. What is promised is 2 %: the rest is for a write that
/// takes longer than the one before.
const SHARE: f64 = 0.015;
/// What the first write is taken to cost: seconds, and seconds for each byte.
const FIRST: (f64, f64) = (2e-3, 1.0 / 100e6);
/// A first write that is taken to cost no more seconds than this is allowed after the first evaluation, so that a training that
/// is killed within its first second leaves a model too.
const NEGLIGIBLE: f64 = 0.05;

/// Keeps the checkpoint of one training up to date. No result depends on when it does.
pub(crate) struct Keeper {
    identity: Identity,
    path: PathBuf,
    every: CheckpointEvery,
    log: Option<LogMarker>,
    /// The run whose `model.safetensors` is the best model so far.
    run: Option<Run>,
    /// The epoch of the model that is there.
    written: Option<usize>,
    clock: Clock,
    evaluations: usize,
    /// Whether a write has failed.
    failed: bool,
}

/// What writing has cost so far.
struct Clock {
    start: Instant,
    last: Instant,
    spent: Duration,
    cost: Option<Duration>,
}

impl Clock {
    fn new() -> Clock {
        let now = Instant::now();
        Clock { start: now, last: now, spent: Duration::ZERO, cost: None }
    }

    /// Whether one more write of that many bytes keeps within the share, as a whole and since the last one.
    fn allows(&self, bytes: usize) -> bool {
        let cost = self.cost.map_or_else(|| first_cost(bytes), |cost| cost.as_secs_f64());
        let within = |spent: f64, time: Duration| spent + cost <= SHARE * time.as_secs_f64();
        within(0.0, self.last.elapsed()) && within(self.spent.as_secs_f64(), self.start.elapsed())
    }

    /// Whether nothing has been written, and the first write is too cheap to wait for.
    fn allows_early(&self, bytes: usize) -> bool {
        self.cost.is_none() && first_cost(bytes) <= NEGLIGIBLE
    }

    fn wrote(&mut self, since: Instant) {
        let cost = since.elapsed();
        self.spent += cost;
        (self.cost, self.last) = (Some(cost), Instant::now());
    }
}

/// Seconds that the first write of that many bytes is taken to cost.
fn first_cost(bytes: usize) -> f64 {
    FIRST.0 + FIRST.1 * bytes as f64
}

/// Bytes of a checkpoint: parameters, two moments, the best parameters and the same as a file of their own, float32.
fn bytes(stepper: &Stepper) -> usize {
    5 * 4 * stepper.model.parameters.count()
}

impl Keeper {
    /// Of the training of that identity, in a directory. With a run, the best model so far is written there too.
    pub(crate) fn new(
        identity: Identity,
        dir: &Path,
        every: CheckpointEvery,
        run: Option<&Run>,
        log: Option<LogMarker>,
    ) -> Keeper {
        let (path, run) = (dir.join(checkpoint::FILE), run.cloned());
        Keeper {
            identity,
            path,
            every,
            log,
            run,
            written: None,
            clock: Clock::new(),
            evaluations: 0,
            failed: false,
        }
    }

    /// Whether a checkpoint is due between two steps.
    pub(crate) fn is_due(&self, stepper: &Stepper) -> bool {
        self.every == CheckpointEvery::Auto && self.clock.allows(bytes(stepper))
    }

    /// Whether one is due after an evaluation.
    pub(crate) fn is_due_after_evaluation(&mut self, stepper: &Stepper) -> bool {
        self.evaluations += 1;
        match self.every {
            CheckpointEvery::Auto => self.is_due(stepper) || self.clock.allows_early(bytes(stepper)),
            CheckpointEvery::Never => false,
            CheckpointEvery::Evaluations(count) => self.evaluations >= count,
        }
    }

    /// Whether the write that has just failed is the first that does.
    pub(crate) fn fails_first(&mut self) -> bool {
        !std::mem::replace(&mut self.failed, true)
    }

    /// Writes the checkpoint, and the best model where it is another than before. `seconds` is the time of training so far.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn keep(
        &mut self,
        stepper: &Stepper,
        balancer: &BalancerState,
        course: &Course,
        seconds: f64,
    ) -> Result<(), TrainError> {
        let since = Instant::now();
        let written = self.write(stepper, balancer, course, seconds);
        self.clock.wrote(since);
        self.evaluations = 0;
        written
    }

    fn write(
        &mut self,
        stepper: &Stepper,
        balancer: &BalancerState,
        course: &Course,
        seconds: f64,
    ) -> Result<(), TrainError> {
        let failed = |fault| TrainError::io(&self.path, fault);
        let log = self.log.as_ref().map(LogMarker::mark).transpose().map_err(failed)?;
        let identity = &self.identity;
        Standing { identity, stepper, balancer, course, seconds, log }.write(&self.path).map_err(failed)?;
        let best_epoch = course.stopping.best().1;
        if let (Some(run), Some(best)) = (&self.run, &course.best)
            && self.written != Some(best_epoch)
        {
            run.write_best(&stepper.model, best, &self.identity.role, &self.identity.data)?;
            self.written = Some(best_epoch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that started and last wrote so many seconds ago, and spent so many.
    fn clock(start: f64, last: f64, spent: f64, cost: Option<f64>) -> Clock {
        let ago = |seconds| Instant::now() - Duration::from_secs_f64(seconds);
        let cost = cost.map(Duration::from_secs_f64);
        Clock { start: ago(start), last: ago(last), spent: Duration::from_secs_f64(spent), cost }
    }

    #[test]
    fn a_write_is_allowed_once_the_time_since_the_last_and_the_whole_time_pay_for_it() {
        assert!(!clock(1.0, 1.0, 0.0, Some(0.1)).allows(0) && clock(7.0, 7.0, 0.0, Some(0.1)).allows(0));
        assert!(!clock(100.0, 1.0, 0.1, Some(0.1)).allows(0), "it has just written");
        assert!(!clock(100.0, 50.0, 2.0, Some(0.1)).allows(0), "it has written too much already");
        assert!(clock(200.0, 50.0, 2.0, Some(0.1)).allows(0));
        assert!(!clock(1.0, 1.0, 0.0, None).allows(250_000_000), "a first write of many bytes");
        assert!(clock(1.0, 1.0, 0.0, None).allows(1_000_000));
        assert!(!clock(60.0, 60.0, 0.0, None).allows(100_000_000));
    }

    #[test]
    fn a_cheap_first_write_need_not_wait() {
        assert!(clock(0.0, 0.0, 0.0, None).allows_early(1_000_000));
        assert!(!clock(0.0, 0.0, 0.0, None).allows_early(10_000_000), "not that cheap");
        assert!(!clock(0.0, 0.0, 0.001, Some(0.001)).allows_early(1_000_000), "it has written already");
    }
}
