//! The trial of a search over runs: train at a point, measure on validation.

use super::error::SweepError;
use super::plan::SweepPlan;
use crate::jobs::fault as training_fault;
use crate::search::{Fault, Measured, Point, Trial, TrialBudget};
use equipoise_data::Dataset;
use equipoise_jobs::Unit;
use equipoise_models::Inputs;
use equipoise_train::events::{Ending, Silent};
use equipoise_train::{Checked, DataConfig, RunConfig, StopFlag, TrainError, Tuning, teachers};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Trains models at points of a plan. The data set is loaded once, without its test part, and shared by all
/// trials, as is everything derived from it. Teachers lie in a directory for each combination of what they
/// depend on, and are trained once each.
pub struct SweepTraining<'a> {
    plan: &'a SweepPlan,
    teachers: PathBuf,
    prepared: Mutex<Vec<(DataConfig, Arc<Prepared>)>>,
}

/// A data set and what models read of it.
struct Prepared {
    data: Dataset,
    inputs: Inputs,
}

impl<'a> SweepTraining<'a> {
    /// Loads the data of the base configuration. Teachers are kept in `teachers`.
    ///
    /// # Errors
    /// If the data set cannot be used.
    pub fn new(plan: &'a SweepPlan, teachers: &Path) -> Result<SweepTraining<'a>, SweepError> {
        let training = SweepTraining { plan, teachers: teachers.to_owned(), prepared: Mutex::default() };
        training.prepared(&plan.base().data)?;
        Ok(training)
    }

    /// The data of the base configuration.
    ///
    /// # Errors
    /// If the data set cannot be used.
    pub fn with_data<T>(&self, read: impl FnOnce(&Dataset) -> T) -> Result<T, SweepError> {
        Ok(read(&self.prepared(&self.plan.base().data)?.data))
    }

    /// The data under these settings, loaded when first asked for. The test part is dropped at once.
    fn prepared(&self, config: &DataConfig) -> Result<Arc<Prepared>, SweepError> {
        // Whoever comes second waits for the first, who adds a whole entry or none.
        let mut known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, prepared)) = known.iter().find(|(c, _)| c == config) {
            return Ok(prepared.clone());
        }
        let data = config.load()?.data;
        let prepared = Arc::new(Prepared { inputs: Inputs::new(&data), data });
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
        let prepared = self.prepared(&config.data).map_err(|e| Fault::Machine(e.to_string()))?;
        let Prepared { data, inputs } = &*prepared;
        let tuning = Tuning { config, data, inputs, metric: self.plan.metric(), epochs: budget.epochs };
        let dir = self.teachers.join(teachers::key(config, data));
        let unit = Unit::new(&dir, teachers::key(config, data));
        let claim = tuning.needs_teachers().then(|| unit.wait(stop, None)).transpose()?;
        let balancer = tuning.balancer(&dir, &mut Silent, stop).map_err(fault)?;
        drop(claim);
        let tuned = tuning.execute(balancer, &mut Silent, stop).map_err(fault)?;
        if tuned.ending == Ending::Interrupted {
            return Err(Fault::Interrupted);
        }
        let limit = budget.epochs.map_or(config.train.epochs, |most| most.min(config.train.epochs));
        Ok(Measured {
            value: tuned.value,
            best_epoch: tuned.best_epoch,
            epochs: tuned.epochs,
            seconds: tuned.seconds,
            complete: limit == config.train.epochs || tuned.epochs < limit,
        })
    }
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
            Fault::Machine(error.to_string())
        }
        error => training_fault(error),
    }
}
