//! A run as a chain of settings.

use crate::threads::pool;
use crate::{Dataset, Error, TrainedRun};
use equipoise_balance::BalancerSettings;
use equipoise_models::BackboneSettings;
use equipoise_train::config::{ConfigError, Layers};
use equipoise_train::events::Silent;
use equipoise_train::tracking::{self, Tracked};
use equipoise_train::{Event, Job, Listener, RunConfig, StopFlag};
use std::path::Path;

/// A model to be trained on a data set.
///
/// Without further settings this is plain VBPR with the defaults of the command line. A fault of a setting is reported by
/// [`run_in`](Self::run_in) or [`run`](Self::run).
#[must_use = "nothing is trained before `run_in` or `run`"]
pub struct Training<'a> {
    data: &'a Dataset,
    config: Result<RunConfig, Error>,
    listener: Box<dyn Listener<Event> + Send + 'a>,
    tracked: Vec<String>,
    stop: StopFlag,
    threads: Option<usize>,
    overwrite: bool,
    from_scratch: bool,
}

impl<'a> Training<'a> {
    /// Training on this data set with default settings.
    pub fn new(data: &'a Dataset) -> Training<'a> {
        let config = RunConfig { data: data.settings().clone(), ..RunConfig::default() };
        Training {
            data,
            config: Ok(config),
            listener: Box::new(Silent),
            tracked: Vec::new(),
            stop: StopFlag::default(),
            threads: None,
            overwrite: false,
            from_scratch: false,
        }
    }

    /// The network, with its settings: [`Vbpr`](crate::Vbpr) and its like, or one of your own.
    pub fn backbone(self, settings: impl BackboneSettings) -> Training<'a> {
        self.config(|config| config.backbone.choose(settings))
    }

    /// What balances the modalities, with its settings: [`Ckd`](crate::Ckd) and its like, or one of your own.
    pub fn balancer(self, settings: impl BalancerSettings) -> Training<'a> {
        self.config(|config| config.balance.choose(settings))
    }

    /// The seed from which every random stream derives: the same seed gives the same bits, whatever the number of threads.
    pub fn seed(self, seed: u64) -> Training<'a> {
        self.config(|config| config.seed = seed)
    }

    /// Changes any setting.
    pub fn config(mut self, change: impl FnOnce(&mut RunConfig)) -> Training<'a> {
        if let Ok(config) = &mut self.config {
            change(config);
        }
        self
    }

    /// Changes one setting by the key that configuration files and the command line use, such as `train.lr`.
    pub fn set(mut self, key: &str, value: impl Into<toml::Value>) -> Training<'a> {
        self.config = self.config.and_then(|config| Ok(changed(&config, key, value.into())?));
        self
    }

    /// Reads settings from a configuration file. Its `[data]` section must not differ from how the data set was loaded.
    pub fn config_file(mut self, path: impl AsRef<Path>) -> Training<'a> {
        self.config = self.config.and_then(|config| Ok(layers(&config)?.file(path.as_ref())?.parsed()?));
        self
    }

    /// Receives every event: epochs, teachers, notes. A closure `|event: &Event| ...` is a listener.
    pub fn listener(mut self, listener: impl Listener<Event> + Send + 'a) -> Training<'a> {
        self.listener = Box::new(listener);
        self
    }

    /// Hands the numbers of every epoch to a [tracker](equipoise_train::tracking): `tensorboard:DIR`.
    pub fn track(mut self, what: &str) -> Training<'a> {
        self.tracked.push(what.to_owned());
        self
    }

    /// Ends training after the current step once the flag is raised; the best model so far is kept and evaluated.
    pub fn stop(mut self, flag: &StopFlag) -> Training<'a> {
        self.stop = flag.clone();
        self
    }

    /// Trains on a thread pool of this size, 1 to 1,024, instead of rayon's own. Results do not depend on it.
    pub fn threads(mut self, threads: usize) -> Training<'a> {
        self.threads = Some(threads);
        self
    }

    /// Replaces a run that is there already, but for its saved teachers where they fit.
    pub fn overwrite(mut self) -> Training<'a> {
        self.overwrite = true;
        self
    }

    /// Begins anew where a training in the same directory was interrupted, instead of going on from its checkpoint.
    pub fn from_scratch(mut self) -> Training<'a> {
        self.from_scratch = true;
        self
    }

    /// Trains, evaluates once on test, and keeps the run in a directory. A training of the same settings that was interrupted
    /// there, or killed, goes on, and ends with the same results as if nothing had happened.
    ///
    /// # Errors
    /// An unknown key or a value out of range; a directory that holds a run already; what can go wrong in training.
    pub fn run_in(self, dir: impl AsRef<Path>) -> Result<TrainedRun, Error> {
        let Training { data, config, mut listener, tracked, stop, threads, overwrite, from_scratch } = self;
        let config = config?;
        if config.data != *data.settings() {
            return Err(Error::DataSetting);
        }
        let config = config.checked()?;
        let trackers = tracked.iter().map(|what| tracking::open(what)).collect::<Result<Vec<_>, _>>()?;
        let (loaded, out) = (data.loaded(), dir.as_ref());
        let job = Job { config: &config, loaded, out, overwrite, from_scratch };
        let outcome = on_pool(threads, || {
            let mut listener = Tracked::new(trackers, &mut *listener);
            job.execute(&mut listener, &stop)
        })??;
        Ok(TrainedRun::new(outcome.run, outcome.report)?.on(data.place()))
    }

    /// The same without a directory: the model stays in memory. The files of the run lie in a temporary directory until
    /// the [`TrainedRun`] and its model are dropped.
    ///
    /// # Errors
    /// As [`run_in`](Self::run_in); if there is no temporary directory.
    pub fn run(self) -> Result<TrainedRun, Error> {
        let place = tempfile::tempdir().map_err(|e| Error::System(format!("no temporary directory: {e}")))?;
        let dir = place.path().join("run");
        Ok(self.run_in(dir)?.keeping(place))
    }
}

/// The layers of a configuration that is there already.
fn layers(config: &RunConfig) -> Result<Layers, ConfigError> {
    let text = config
        .to_toml()
        .map_err(|e| ConfigError::Value { origin: "configuration".into(), reason: e.to_string() })?;
    Layers::new().text(&text, "configuration")
}

fn changed(config: &RunConfig, key: &str, value: toml::Value) -> Result<RunConfig, ConfigError> {
    layers(config)?.set(key, value, format!("set({key:?})"))?.parsed()
}

/// Works on a thread of the pool: from outside, each parallel loop of a step would wake one and wait for it.
fn on_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let Some(threads) = threads else {
        return Ok(rayon::scope(|_| work()));
    };
    Ok(pool(threads)?.install(work))
}
