//! The trial of a search as a task of its own, which may be carried out on another machine.

use super::plan::SweepPlan;
use super::training::{SweepTraining, is_complete, limit};
use crate::jobs::{Runner, Task, Work};
use crate::search::{Fault, Measured, Point, Trial, TrialBudget};
use equipoise_jobs::Key;
use equipoise_train::events::read_epochs;
use equipoise_train::{Checked, RunConfig, StopFlag, teachers};
use std::path::PathBuf;

/// Trains models at points of a plan, each by a [`Task`] that a [`Runner`] carries out. What it measures is what [`SweepTraining`] measures.
pub struct Elsewhere<'a> {
    /// What is searched.
    pub plan: &'a SweepPlan,
    /// The same trials in this process: it knows the data.
    pub here: &'a SweepTraining<'a>,
    /// Teachers, in a directory for each combination of what they depend on.
    pub teachers: PathBuf,
    /// The directories of the tasks, for as long as the search goes on.
    pub trials: PathBuf,
    /// Who carries them out.
    pub runner: &'a dyn Runner,
}

impl Elsewhere<'_> {
    /// The task of a configuration that is trained for at most so many epochs.
    fn task(&self, config: &Checked<RunConfig>, epochs: usize) -> Result<Task, Fault> {
        let (key, fingerprint) = self
            .here
            .with_data_of(&config.data, |data| (teachers::key(config, data), data.fingerprint()))
            .map_err(Fault::machine)?;
        let mut config = config.clone().into_inner();
        config.train.epochs = epochs;
        config.balance.teachers = Some(self.teachers.join(key));
        // Another machine has another working directory.
        config.data.path = std::path::absolute(&config.data.path).map_err(Fault::machine)?;
        let mut name = Key::new("equipoise trial 1");
        name.add(config.to_toml().map_err(|e| Fault::Own(e.to_string()))?.as_bytes());
        let dir = self.trials.join(&name.hex()[..16]);
        let name = format!("trial {}", dir.display());
        Ok(Task { name, work: Work::Search(Box::new(config)), dir, inputs: Some(fingerprint) })
    }
}

/// The epoch of the best validation metric, the first of equals, of a finished task, the epochs done, and their seconds.
fn course(task: &Task) -> Result<(usize, usize, f64), Fault> {
    let course = read_epochs(&task.dir.join("events.jsonl")).map_err(Fault::machine)?;
    let mut best = (f64::NEG_INFINITY, 0);
    for record in &course {
        if let Some(found) = record.validation.filter(|v| *v > best.0) {
            best = (found, record.epoch);
        }
    }
    let epochs = course.last().map_or(0, |record| record.epoch);
    let seconds = course.iter().map(|record| record.train_seconds + record.eval_seconds).sum();
    Ok((best.1, epochs, seconds))
}

impl Trial for Elsewhere<'_> {
    fn run(&self, point: &Point, budget: TrialBudget, stop: &StopFlag) -> Result<Measured, Fault> {
        let config = self.plan.at(point).map_err(|e| Fault::Own(e.to_string()))?;
        let limit = limit(&config, budget);
        let task = self.task(&config, limit)?;
        task.write()?;
        self.runner.run(&task, stop)?;
        let finished = task.finished().ok_or_else(|| Fault::Own("it ended without a result".into()))?;
        let value = finished.validation.ok_or_else(|| Fault::Own("no validation metric".into()))?;
        let (best_epoch, epochs, seconds) = course(&task)?;
        Ok(Measured { value, best_epoch, epochs, seconds, complete: is_complete(epochs, limit, &config) })
    }
}
