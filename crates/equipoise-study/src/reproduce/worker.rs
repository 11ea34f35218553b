//! Does one task in this process.

use super::tasks::{Finished, REQUEST, Work, finish};
use equipoise_balance::{BalanceConfig, Requirement};
use equipoise_data::Dataset;
use equipoise_models::Inputs;
use equipoise_train::config::layers::Layers;
use equipoise_train::events::{Ending, EventLog};
use equipoise_train::{Event, Job, Listener, Role, Run, RunConfig, StopFlag, TrainError, Tuning};
use std::path::Path;

/// Does what `request.toml` in `dir` asks for and marks it as finished. Waits while another process works there.
///
/// # Errors
/// See [`TrainError`].
pub fn perform(
    work: Work,
    dir: &Path,
    listener: &mut dyn Listener<Event>,
    stop: &StopFlag,
) -> Result<(), TrainError> {
    let fault = |e: std::io::Error| TrainError::io(dir, e);
    // A process that was told to end may still be on its way out.
    let lock = std::fs::File::create(dir.join(".lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    let config = Layers::new().file(&dir.join(REQUEST))?.resolve()?;
    let loaded = config.data.load()?;
    let job = Job { config: &config, loaded: &loaded, out: dir, overwrite: true };
    let validation = match work {
        Work::Search => Some(validated(&config, &loaded.data, dir, listener, stop)?),
        Work::Final => Some(whole(&job, listener, stop)?),
        Work::Teachers => {
            job.prepare(listener, stop)?;
            None
        }
    };
    finish(dir, &Finished::now(work, validation)).map_err(fault)
}

fn whole(job: &Job, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<f64, TrainError> {
    let outcome = job.execute(listener, stop)?;
    uninterrupted(outcome.report.ending)?;
    let metric = &job.config.train.metric;
    Ok(outcome.report.validation.get(metric).copied().unwrap_or(f64::NAN))
}

/// Trains and returns the best validation metric. The test split is out of reach here.
fn validated(
    config: &RunConfig,
    data: &Dataset,
    dir: &Path,
    listener: &mut dyn Listener<Event>,
    stop: &StopFlag,
) -> Result<f64, TrainError> {
    let run = Run::begin(dir, config, data, true)?;
    let inputs = Inputs::new(data);
    let tuning = Tuning { config, data, inputs: &inputs, metric: &config.train.metric, epochs: None };
    let teachers = config.balance.teachers.clone().unwrap_or_else(|| dir.join("teachers"));
    let balancer = tuning.balancer(&teachers, listener, stop)?;
    let path = run.events_path();
    let fault = |e: std::io::Error| TrainError::io(&path, e);
    let mut log = EventLog::create(&path, listener).map_err(fault)?;
    let tuned = tuning.execute(balancer, &mut log, stop)?;
    log.finish().map_err(fault)?;
    uninterrupted(tuned.ending)?;
    Ok(tuned.value)
}

fn uninterrupted(ending: Ending) -> Result<(), TrainError> {
    match ending {
        Ending::Interrupted => Err(TrainError::Interrupted(Role::Model)),
        Ending::EarlyStop | Ending::LastEpoch => Ok(()),
    }
}

/// Whether a balancer, as it is by default, reads teachers.
pub fn needs_teachers(balancer: &str) -> bool {
    BalanceConfig::named(balancer).requirement() != Requirement::Nothing
}

/// The plain model's configuration, asking for its teachers in `dir`; `None` if no balancer has teachers.
pub fn teachers_request(plain: &RunConfig, dir: &Path) -> Option<RunConfig> {
    let defaults = equipoise_balance::balancers().into_iter().map(|entry| BalanceConfig::named(entry.name));
    let mut distilling = defaults.filter(|balance| balance.requirement() == Requirement::Teachers);
    let balance = BalanceConfig { teachers: Some(dir.to_owned()), ..distilling.next()? };
    Some(RunConfig { balance, ..plain.clone() })
}
