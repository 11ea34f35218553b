//! The trial of a search as a task of its own, which may be carried out on another machine.

use super::plan::SweepPlan;
use super::training::SweepTraining;
use crate::jobs::{Finished, Runner, Task, Work};
use crate::search::{Fault, Measured, Point, Trial, TrialBudget};
use equipoise_jobs::Key;
use equipoise_train::events::read_epochs;
use equipoise_train::{RunConfig, StopFlag, teachers};
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
    fn task(&self, point: &Point, budget: TrialBudget) -> Result<Task, Fault> {
        let own = |error: &dyn std::fmt::Display| Fault::Own(error.to_string());
        let checked = self.plan.at(point).map_err(|e| own(&e))?;
        let (key, fingerprint) = self
            .here
            .with_data_of(&checked.data, |data| (teachers::key(&checked, data), data.fingerprint()))
            .map_err(Fault::machine)?;
        let mut config: RunConfig = checked.into_inner();
        config.train.epochs = limit(&config, budget);
        config.balance.teachers = Some(self.teachers.join(key));
        // Another machine has another working directory.
        config.data.path = std::path::absolute(&config.data.path).map_err(Fault::machine)?;
        let mut name = Key::new("equipoise trial 1");
        name.add(config.to_toml().map_err(|e| own(&e))?.as_bytes());
        let dir = self.trials.join(&name.hex()[..16]);
        let name = format!("trial {}", dir.display());
        Ok(Task { name, work: Work::Search(Box::new(config)), dir, inputs: Some(fingerprint) })
    }
}

/// Most epochs of a trial.
fn limit(config: &RunConfig, budget: TrialBudget) -> usize {
    budget.epochs.map_or(config.train.epochs, |most| most.min(config.train.epochs))
}

/// What a finished task measured.
fn measured(task: &Task, finished: &Finished, complete: impl Fn(usize) -> bool) -> Result<Measured, Fault> {
    let none = || Fault::Own("no validation metric".into());
    let value = finished.validation.ok_or_else(none)?;
    let course = read_epochs(&task.dir.join("events.jsonl")).map_err(Fault::machine)?;
    let mut best = (f64::NEG_INFINITY, 0);
    for record in &course {
        if let Some(found) = record.validation.filter(|v| *v > best.0) {
            best = (found, record.epoch);
        }
    }
    let epochs = course.last().map_or(0, |record| record.epoch);
    let seconds = course.iter().map(|record| record.train_seconds + record.eval_seconds).sum();
    Ok(Measured { value, best_epoch: best.1, epochs, seconds, complete: complete(epochs) })
}

impl Trial for Elsewhere<'_> {
    fn run(&self, point: &Point, budget: TrialBudget, stop: &StopFlag) -> Result<Measured, Fault> {
        let task = self.task(point, budget)?;
        let config = task.work.run().expect("a search has a run");
        let (most, all) = (config.train.epochs, self.plan.at(point).map_or(0, |c| c.train.epochs));
        task.write()?;
        self.runner.run(&task, stop)?;
        let finished = task.finished().ok_or_else(|| Fault::Own("it ended without a result".into()))?;
        measured(&task, &finished, |epochs| most == all || epochs < most)
    }
}
