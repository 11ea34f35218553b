//! A whole run: teachers where the balancer needs them, the model, the one test evaluation, the directory.

use crate::beforehand;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::events::{Event, Listener};
use crate::lock::RunLock;
use crate::model_run::{ModelRun, Outcome, RunContext};
use crate::requirement::Preparation;
use crate::role::Role;
use crate::run::Run;
use crate::stopping::StopFlag;
use equipoise_data::Loaded;
use equipoise_models::Inputs;
use std::path::{Path, PathBuf};

/// A run to be made.
pub struct Job<'a> {
    /// The resolved configuration.
    pub config: &'a Checked<RunConfig>,
    /// The data, its test part sealed.
    pub loaded: &'a Loaded,
    /// Where the run goes.
    pub out: &'a Path,
    /// Whether a run that is there may be replaced. An unfinished run of the same configuration is gone on with in any case.
    pub overwrite: bool,
    /// Whether trainings that were interrupted, of the model and of what its balancer needs, are begun anew.
    pub from_scratch: bool,
}

impl Job<'_> {
    /// Trains and evaluates. Teachers that the balancer needs are trained first, or used again if saved ones
    /// fit. Test data is read once, for the model that validation selected.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn execute(
        &self,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        self.check()?;
        let data = &self.loaded.data;
        let _lock = RunLock::take(self.out)?;
        let run = Run::begin(self.out, self.config, data, self.overwrite)?;
        let inputs = Inputs::new(data).until(stop);
        let context = self.context(&inputs);
        let preparation = Preparation { context: &context, dir: &self.teachers(), stop };
        let prepared = preparation.balancer(listener)?;
        let model = ModelRun { run: &run, role: Role::Model, config: self.config };
        context.train(&model, prepared, listener, stop)
    }

    /// Trains and evaluates only what the balancer needs first, where it is not there yet.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn prepare(&self, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<(), TrainError> {
        self.check()?;
        let inputs = Inputs::new(&self.loaded.data).until(stop);
        let context = self.context(&inputs);
        Preparation { context: &context, dir: &self.teachers(), stop }.balancer(listener).map(drop)
    }

    /// What would be noticed only in the end is noticed before anything is written.
    fn check(&self) -> Result<(), TrainError> {
        let Loaded { data, test, .. } = self.loaded;
        beforehand::splits(data, Some(test))?;
        Ok(beforehand::sizes(self.config, &data.train)?)
    }

    fn context<'b>(&'b self, inputs: &'b Inputs) -> RunContext<'b> {
        let Loaded { data, test, .. } = self.loaded;
        RunContext { config: self.config, data, test: Some(test), inputs, from_scratch: self.from_scratch }
    }

    fn teachers(&self) -> PathBuf {
        self.config.balance.teachers.clone().unwrap_or_else(|| self.out.join("teachers"))
    }
}
