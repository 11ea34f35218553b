//! Does one task in this process.

use super::task::{Finished, Task, Work};
use equipoise_data::{Dataset, Loaded};
use equipoise_encode::{EncodeError, EncodeProgress, encode_audio, encode_images, encode_texts};
use equipoise_jobs::{Fault, Listener, Standing, StopFlag};
use equipoise_models::Inputs;
use equipoise_train::events::Ending;
use equipoise_train::{Checked, Event, Job, Role, Run, RunConfig, TrainError, Tuning, TuningPlace};
use std::path::Path;
use std::time::Duration;

/// Something that happened while a task was done.
#[derive(Clone, Debug)]
pub enum TaskEvent {
    /// In a training.
    Training(Event),
    /// In an encoding.
    Encoding(EncodeProgress),
}

/// Does a task, unless it is finished, and marks it as finished or as failed. Waits for at most `patience` while another
/// works on it.
///
/// Equal tasks leave equal results, whether or not they were killed on the way.
///
/// # Errors
/// [`Fault::may_pass`] says whether the same task may succeed later.
pub fn perform(
    task: &Task,
    listener: &mut dyn Listener<TaskEvent>,
    stop: &StopFlag,
    patience: Duration,
) -> Result<Finished, Fault> {
    let claim = task.unit().wait(stop, Some(patience))?;
    if let Some(finished) = task.finished() {
        return Ok(finished);
    }
    if task.unit().standing()? == Standing::Other {
        let dir = task.dir.display();
        return Err(Fault::Own(format!(
            "{dir}: a unit of other settings, inputs or another version lies here; give another dir, or remove this one"
        )));
    }
    claim.begin(&task.made_from())?;
    match done(task, listener, stop) {
        Ok(validation) => {
            let finished = Finished::now(&task.work, validation);
            claim.finish(&finished)?;
            Ok(finished)
        }
        Err(fault) => {
            if let Fault::Own(message) = &fault {
                claim.fail(message)?;
            }
            Err(fault)
        }
    }
}

/// Does it; the validation metric of the model that was selected, if one was.
fn done(task: &Task, listener: &mut dyn Listener<TaskEvent>, stop: &StopFlag) -> Result<Option<f64>, Fault> {
    let dir = &task.dir;
    let mut trained = |event: &Event| listener.event(&TaskEvent::Training(event.clone()));
    match &task.work {
        Work::Train(config) => {
            let (config, loaded) = (checked(config)?, data(config, task)?);
            let job =
                Job { config: &config, loaded: &loaded, out: dir, overwrite: true, from_scratch: false };
            whole(&job, &mut trained, stop).map(Some).map_err(fault)
        }
        Work::Teachers(config) => {
            let (config, loaded) = (checked(config)?, data(config, task)?);
            let job =
                Job { config: &config, loaded: &loaded, out: dir, overwrite: true, from_scratch: false };
            job.prepare(&mut trained, stop).map(|()| None).map_err(fault)
        }
        Work::Search(config) => {
            let (config, loaded) = (checked(config)?, data(config, task)?);
            validated(&config, &loaded.data, dir, &mut trained, stop).map(Some).map_err(fault)
        }
        Work::EncodeText(request) => {
            let mut request = request.as_ref().clone();
            (request.out, request.overwrite) = (request.out.or_else(|| Some(dir.clone())), true);
            let mut encoded = |progress: &EncodeProgress| listener.event(&TaskEvent::Encoding(*progress));
            encode_texts(&request, &mut encoded).map(|_| None).map_err(encode_fault)
        }
        Work::EncodeImage(request) => {
            let mut request = request.as_ref().clone();
            (request.out, request.overwrite) = (request.out.or_else(|| Some(dir.clone())), true);
            let mut encoded = |progress: &EncodeProgress| listener.event(&TaskEvent::Encoding(*progress));
            encode_images(&request, &mut encoded).map(|_| None).map_err(encode_fault)
        }
        Work::EncodeAudio(request) => {
            let mut request = request.as_ref().clone();
            (request.out, request.overwrite) = (request.out.or_else(|| Some(dir.clone())), true);
            let mut encoded = |progress: &EncodeProgress| listener.event(&TaskEvent::Encoding(*progress));
            encode_audio(&request, &mut encoded).map(|_| None).map_err(encode_fault)
        }
    }
}

/// The configuration, once it is checked.
fn checked(config: &RunConfig) -> Result<Checked<RunConfig>, Fault> {
    config.clone().checked().map_err(|error| fault(error.into()))
}

/// The data of a run, which must be what the task was written for.
fn data(config: &RunConfig, task: &Task) -> Result<Loaded, Fault> {
    let loaded = config.data.load().map_err(|error| fault(error.into()))?;
    let found = loaded.data.fingerprint();
    match &task.inputs {
        Some(wanted) if *wanted != found => Err(Fault::Own(format!(
            "inputs = {wanted:?}: the data in {} has fingerprint {found}; give the data that the task was written for",
            config.data.path.display()
        ))),
        _ => Ok(loaded),
    }
}

fn whole(job: &Job, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<f64, TrainError> {
    let outcome = job.take_up(listener, stop)?;
    uninterrupted(outcome.report.ending)?;
    let metric = &job.config.train.metric;
    Ok(outcome.report.validation.get(metric).copied().unwrap_or(f64::NAN))
}

/// Trains and returns the best validation metric. The test split is out of reach here.
fn validated(
    config: &Checked<RunConfig>,
    data: &Dataset,
    dir: &Path,
    listener: &mut dyn Listener<Event>,
    stop: &StopFlag,
) -> Result<f64, TrainError> {
    let run = Run::begin(dir, config, data, true)?;
    let inputs = Inputs::new(data);
    let events = run.events_path();
    let fingerprint = data.fingerprint();
    let kept = Some(TuningPlace { dir, log: Some(&events), fingerprint: &fingerprint });
    let metric = &config.train.metric;
    let tuning = Tuning { config, data, inputs: &inputs, metric, epochs: None, kept };
    let teachers = config.balance.teachers.clone().unwrap_or_else(|| dir.join("teachers"));
    let prepared = tuning.prepare(&teachers, listener, stop)?;
    let tuned = tuning.execute(prepared, listener, stop)?;
    uninterrupted(tuned.ending)?;
    Ok(tuned.value)
}

fn uninterrupted(ending: Ending) -> Result<(), TrainError> {
    match ending {
        Ending::Interrupted => Err(TrainError::Interrupted(Role::Model)),
        Ending::EarlyStop | Ending::LastEpoch => Ok(()),
    }
}

/// The kind of failure of a training: its own unless it was stopped or the machine is at fault.
pub fn fault(error: TrainError) -> Fault {
    match error {
        TrainError::Interrupted(_) => Fault::Interrupted,
        TrainError::Job(fault) => fault,
        error @ TrainError::NotFinite { .. } => Fault::Own(error.to_string()),
        error if error.is_input() => Fault::Own(error.to_string()),
        error => Fault::machine(error),
    }
}

fn encode_fault(error: EncodeError) -> Fault {
    match error {
        EncodeError::Job(fault) => fault,
        error if error.is_input() => Fault::Own(error.to_string()),
        error => Fault::machine(error),
    }
}
