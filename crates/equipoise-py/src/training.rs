//! Training on a thread of Rust, which Python looks in on.

use crate::dataset::EngineDataset;
use crate::errors::{config_error, raised};
use crate::runs::EngineRun;
use equipoise::{Error, Event, StopFlag, TrainedRun, Training, read_json};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A training that goes on by itself.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct TrainingJob {
    shared: Arc<Shared>,
    stop: StopFlag,
}

/// What the thread and Python share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Events since the last look, as JSON; of steps the latest alone.
    events: Vec<String>,
    step: Option<String>,
    ended: Option<Ended>,
}

enum Ended {
    Run(Box<Result<TrainedRun, Error>>),
    /// The thread ended without a result: a fault of this library.
    Panicked(String),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, event: &Event) {
        let text = serde_json::to_string(event).expect("events are plain values");
        let mut state = self.lock();
        match event {
            Event::Step { .. } => state.step = Some(text),
            _ => {
                let before = state.step.take();
                state.events.extend(before.into_iter().chain([text]));
            }
        }
    }

    fn end(&self, ended: Ended) {
        self.lock().ended = Some(ended);
        self.changed.notify_all();
    }
}

/// What a training needs beside its data.
struct Order {
    settings: Vec<(String, toml::Value)>,
    config: Option<PathBuf>,
    dir: Option<PathBuf>,
    threads: Option<usize>,
    overwrite: bool,
    from_scratch: bool,
    track: Vec<String>,
}

#[pymethods]
impl TrainingJob {
    /// Begins a training. `settings` is an object of keys as configuration files have them, such as `train.lr`, in the order in which
    /// they are applied.
    #[new]
    #[pyo3(signature = (data, settings, config, dir, threads, overwrite, from_scratch, track))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        data: &EngineDataset,
        settings: &str,
        config: Option<PathBuf>,
        dir: Option<PathBuf>,
        threads: Option<usize>,
        overwrite: bool,
        from_scratch: bool,
        track: Vec<String>,
    ) -> PyResult<TrainingJob> {
        let settings = parsed(settings).map_err(|problem| config_error(py, problem))?;
        let order = Order { settings, config, dir, threads, overwrite, from_scratch, track };
        let (shared, stop) = (Arc::new(Shared::default()), StopFlag::default());
        let (data, on_thread, flag) = (data.data.clone(), shared.clone(), stop.clone());
        let work = move || {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                train(&data, order, &on_thread, &flag)
            }));
            let ended = match caught {
                Ok(result) => Ended::Run(Box::new(result)),
                Err(panic) => Ended::Panicked(words(&*panic)),
            };
            // Whoever hears of the end may look at the data set's files no more.
            drop(data);
            on_thread.end(ended);
        };
        let thread = std::thread::Builder::new().name("equipoise-train".into()).spawn(work);
        thread.map_err(|e| raised(py, Error::System(format!("no thread to train on: {e}"))))?;
        Ok(TrainingJob { shared, stop })
    }

    /// Waits at most so many seconds; whether the training has ended.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        let until = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 3600.0));
        py.detach(|| {
            let mut state = self.shared.lock();
            while state.ended.is_none() {
                let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
                else {
                    return false;
                };
                let woken = self.shared.changed.wait_timeout(state, left);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            true
        })
    }

    /// What happened since the last call, as JSON.
    fn events(&self) -> Vec<String> {
        let mut state = self.shared.lock();
        let step = state.step.take();
        let mut events = std::mem::take(&mut state.events);
        events.extend(step);
        events
    }

    /// Ends the training after its current step; the best model so far is kept.
    fn stop(&self) {
        self.stop.raise();
    }

    /// The run, once the training has ended. It is handed over once.
    fn result(&self, py: Python<'_>) -> PyResult<EngineRun> {
        match self.shared.lock().ended.take() {
            Some(Ended::Run(result)) => result.map(EngineRun::new).map_err(|e| raised(py, e)),
            Some(Ended::Panicked(said)) => {
                Err(PyRuntimeError::new_err(format!("a fault of this library: {said}; please report it")))
            }
            None => Err(PyRuntimeError::new_err("the training has not ended, or its run was taken already")),
        }
    }
}

impl Drop for TrainingJob {
    /// Nobody waits for the result any more.
    fn drop(&mut self) {
        self.stop.raise();
    }
}

fn train(
    data: &equipoise::Dataset,
    order: Order,
    shared: &Shared,
    stop: &StopFlag,
) -> Result<TrainedRun, Error> {
    let mut training = Training::new(data).stop(stop).listener(|event: &Event| shared.hear(event));
    if let Some(file) = &order.config {
        training = training.config_file(file);
    }
    for (key, value) in order.settings {
        training = training.set(&key, value);
    }
    if let Some(threads) = order.threads {
        training = training.threads(threads);
    }
    if order.overwrite {
        training = training.overwrite();
    }
    if order.from_scratch {
        training = training.from_scratch();
    }
    for what in &order.track {
        training = training.track(what);
    }
    match order.dir {
        Some(dir) => training.run_in(dir),
        None => training.run(),
    }
}

/// Settings by key, as TOML has them.
fn parsed(settings: &str) -> Result<Vec<(String, toml::Value)>, String> {
    let settings: Map<String, Value> = read_json(settings, "settings").map_err(|e| e.to_string())?;
    let value = |(key, value): (String, Value)| match toml::Value::try_from(&value) {
        Ok(value) => Ok((key, value)),
        Err(e) => Err(format!("{key}: {e}; expected a text, a number, a truth or a list")),
    };
    settings.into_iter().map(value).collect()
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}
