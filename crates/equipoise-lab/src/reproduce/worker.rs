//! Does one task in this process.

use super::tasks::{Finished, REQUEST, Work, finish};
use equipoise_balance::BalanceConfig;
use equipoise_data::Loaded;
use equipoise_models::{Ablation, Inputs};
use equipoise_train::config::layers::Layers;
use equipoise_train::events::{Ending, EventLog};
use equipoise_train::trainer::MODEL;
use equipoise_train::{Job, Listener, Run, RunConfig, StopFlag, TrainError, Trainer};
use std::path::Path;

/// Does what `request.toml` in `dir` asks for and marks it as finished. Waits while another process works there.
///
/// # Errors
/// See [`TrainError`].
pub fn perform(
    work: Work,
    dir: &Path,
    listener: &mut dyn Listener,
    stop: &StopFlag,
) -> Result<(), TrainError> {
    let fault = |e: std::io::Error| TrainError::RunFile { path: dir.to_owned(), reason: e.to_string() };
    // A process that was told to end may still be on its way out.
    let lock = std::fs::File::create(dir.join(".lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    let config = Layers::new().file(&dir.join(REQUEST))?.resolve()?;
    let loaded = config.data.load()?;
    let job = Job { config: &config, loaded: &loaded, out: dir, overwrite: true };
    let validation = match work {
        Work::Search => Some(validated(&job, listener, stop)?),
        Work::Final => Some(whole(&job, listener, stop)?),
        Work::Teachers => {
            job.balancer(&Run::create(dir, true)?, &Inputs::new(&loaded.data), listener, stop)?;
            None
        }
    };
    finish(dir, &Finished::now(work, validation)).map_err(fault)
}

fn whole(job: &Job, listener: &mut dyn Listener, stop: &StopFlag) -> Result<f64, TrainError> {
    let outcome = job.execute(listener, stop)?;
    uninterrupted(outcome.report.ending)?;
    let metric = &job.config.train.metric;
    Ok(outcome.report.validation.get(metric).copied().unwrap_or(f64::NAN))
}

/// Trains and returns the best validation metric. No test split is opened, and no file with its metrics written.
fn validated(job: &Job, listener: &mut dyn Listener, stop: &StopFlag) -> Result<f64, TrainError> {
    let Loaded { data, .. } = job.loaded;
    let run = Run::create(job.out, true)?;
    run.write_start(job.config, data)?;
    let inputs = Inputs::new(data);
    let balancer = job.balancer(&run, &inputs, listener, stop)?;
    let trainer = Trainer::new(data, &inputs, job.config, Ablation::FULL, MODEL, balancer)?;
    let path = run.events_path();
    let fault = |e: std::io::Error| TrainError::RunFile { path: path.clone(), reason: e.to_string() };
    let mut log = EventLog::create(&path, listener).map_err(fault)?;
    let trained = trainer.run(&mut log, stop)?;
    log.finish().map_err(fault)?;
    uninterrupted(trained.ending)?;
    Ok(trained.best)
}

fn uninterrupted(ending: Ending) -> Result<(), TrainError> {
    match ending {
        Ending::Interrupted => Err(TrainError::Setting("stopped before training ended".into())),
        _ => Ok(()),
    }
}

/// Whether a balancer reads teachers.
pub fn needs_teachers(balancer: &str) -> bool {
    equipoise_balance::find(balancer).is_some_and(|entry| entry.needs_teachers)
}

/// The plain model's configuration, asking for its teachers in `dir`; `None` if no balancer has teachers.
pub fn teachers_request(plain: &RunConfig, dir: &Path) -> Option<RunConfig> {
    let entry = equipoise_balance::balancers().iter().find(|b| needs_teachers(b.name))?;
    let balance =
        BalanceConfig { name: entry.name.into(), teachers: Some(dir.to_owned()), ..BalanceConfig::default() };
    Some(RunConfig { balance, ..plain.clone() })
}
