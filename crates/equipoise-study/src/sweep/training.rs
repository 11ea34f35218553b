//! The trial of a search over runs: train at a point, measure on validation.

use super::error::SweepError;
use super::plan::SweepPlan;
use crate::jobs::fault as training_fault;
use crate::search::{Fault, Measured, Point, Trial, TrialBudget};
use equipoise_data::Dataset;
use equipoise_jobs::{Key, Lock, Unit};
use equipoise_models::Inputs;
use equipoise_train::events::{Ending, Silent};
use equipoise_train::{Checked, DataConfig, RunConfig, StopFlag, TrainError, Tuning, TuningPlace, teachers};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Trains models at points of a plan. The data set is loaded once, without its test part, and shared by all
/// trials, as is everything derived from it. Teachers lie in a directory for each combination of what they
/// depend on, and are trained once each.
pub struct SweepTraining<'a> {
    plan: &'a SweepPlan,
    teachers: PathBuf,
    /// Where trials keep their checkpoints, each in a directory of its own.
    trials: Option<PathBuf>,
    prepared: Mutex<Vec<(DataConfig, Arc<Prepared>)>>,
}

/// A data set and what models read of it.
struct Prepared {
    data: Dataset,
    inputs: Inputs,
    fingerprint: String,
}

impl<'a> SweepTraining<'a> {
    /// Loads the data of the base configuration. Teachers are kept in `teachers`.
    ///
    /// # Errors
    /// If the data set cannot be used.
    pub fn new(plan: &'a SweepPlan, teachers: &Path) -> Result<SweepTraining<'a>, SweepError> {
        let teachers = teachers.to_owned();
        let training = SweepTraining { plan, teachers, trials: None, prepared: Mutex::default() };
        training.prepared(&plan.base().data)?;
        Ok(training)
    }

    /// The same, whose trials go on from checkpoints in directories below `trials` when a search that was interrupted is taken
    /// up again.
    #[must_use]
    pub fn keeping(mut self, trials: &Path) -> SweepTraining<'a> {
        self.trials = Some(trials.to_owned());
        self
    }

    /// The directory of a trial's checkpoint, which is this trial's alone; `None` where none is kept.
    fn kept(&self, config: &RunConfig, budget: TrialBudget) -> Option<(PathBuf, Lock)> {
        let mut key = Key::new("equipoise trial 1");
        key.add(config.to_toml().ok()?.as_bytes());
        key.add(&budget.epochs.unwrap_or(config.train.epochs).to_le_bytes());
        let dir = self.trials.as_ref()?.join(&key.hex()[..16]);
        // Where two trials of one search are equal, one of them keeps none.
        let lock = Lock::take(&dir.join(".lock")).ok()?;
        Some((dir, lock))
    }

    /// The data of the base configuration.
    ///
    /// # Errors
    /// If the data set cannot be used.
    pub fn with_data<T>(&self, read: impl FnOnce(&Dataset) -> T) -> Result<T, SweepError> {
        Ok(read(&self.prepared(&self.plan.base().data)?.data))
    }

    /// The data under these settings.
    ///
    /// # Errors
    /// If the data set cannot be used.
    pub(super) fn with_data_of<T>(
        &self,
        config: &DataConfig,
        read: impl FnOnce(&Dataset) -> T,
    ) -> Result<T, SweepError> {
        Ok(read(&self.prepared(config)?.data))
    }

    /// The data under these settings, loaded when first asked for. The test part is dropped at once.
    fn prepared(&self, config: &DataConfig) -> Result<Arc<Prepared>, SweepError> {
        // Whoever comes second waits for the first, who adds a whole entry or none.
        let mut known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, prepared)) = known.iter().find(|(c, _)| c == config) {
            return Ok(prepared.clone());
        }
        let data = config.load()?.data;
        let (inputs, fingerprint) = (Inputs::new(&data), data.fingerprint());
        let prepared = Arc::new(Prepared { inputs, data, fingerprint });
        known.push((config.clone(), prepared.clone()));
        Ok(prepared)
    }

    /// Trains within the budget. Runs that need the same teachers wait for whoever trains them.
    fn tune(
        &self,
        config: &Checked<RunConfig>,
        budget: TrialBudget,
        stop: &StopFlag,
    ) -> Result<Measured, Fault> {
        let prepared = self.prepared(&config.data).map_err(Fault::machine)?;
        let Prepared { data, inputs, fingerprint } = &*prepared;
        let kept = self.kept(config, budget);
        let place = kept.as_ref().map(|(dir, _)| TuningPlace { dir, log: None, fingerprint });
        let (metric, epochs) = (self.plan.metric(), budget.epochs);
        let tuning = Tuning { config, data, inputs, metric, epochs, kept: place };
        let key = teachers::key(config, data);
        let dir = self.teachers.join(&key);
        let unit = Unit::new(&dir, key);
        let claim = tuning.needs_teachers().then(|| unit.wait(stop, None)).transpose()?;
        let prepared = tuning.prepare(&dir, &mut Silent, stop).map_err(fault)?;
        drop(claim);
        let tuned = tuning.execute(prepared, &mut Silent, stop).map_err(fault)?;
        if tuned.ending == Ending::Interrupted {
            return Err(Fault::Interrupted);
        }
        if let Some((dir, lock)) = kept {
            drop(lock);
            // What stays behind is an empty directory: the search removes it in the end.
            let _ = std::fs::remove_dir_all(dir);
        }
        let limit = limit(config, budget);
        Ok(Measured {
            value: tuned.value,
            best_epoch: tuned.best_epoch,
            epochs: tuned.epochs,
            seconds: tuned.seconds,
            complete: is_complete(tuned.epochs, limit, config),
        })
    }
}

/// Most epochs of a trial.
pub(super) fn limit(config: &RunConfig, budget: TrialBudget) -> usize {
    budget.epochs.map_or(config.train.epochs, |most| most.min(config.train.epochs))
}

/// Whether a trial of so many epochs would have no more under a larger budget: the budget was no limit, or it ended before.
pub(super) fn is_complete(epochs: usize, limit: usize, config: &RunConfig) -> bool {
    limit == config.train.epochs || epochs < limit
}

impl Trial for SweepTraining<'_> {
    fn run(&self, point: &Point, budget: TrialBudget, stop: &StopFlag) -> Result<Measured, Fault> {
        let config = self.plan.at(point).map_err(|e| Fault::Own(e.to_string()))?;
        self.tune(&config, budget, stop)
    }
}

/// Whose fault it is. What another point may have avoided is the trial's own; what would meet every point ends the
/// search, so that no trial is recorded as failed for it.
fn fault(error: TrainError) -> Fault {
    match error {
        TrainError::Taken(_) | TrainError::TeacherMismatch { .. } | TrainError::RunFormat { .. } => {
            Fault::machine(error)
        }
        error => training_fault(error),
    }
}
