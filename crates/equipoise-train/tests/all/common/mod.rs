//! A small made-up data set, quick settings, and listeners.

use equipoise_balance::Ckd;
use equipoise_data::{LoadOptions, Loaded, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_train::events::Silent;
use equipoise_train::{Event, Job, Listener, Outcome, RunConfig, StopFlag, TrainError};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A data set in a directory of its own, with room for runs beside it.
pub struct World {
    dir: TempDir,
    pub loaded: Loaded,
}

impl World {
    pub fn new() -> World {
        World::seeded(7)
    }

    pub fn seeded(seed: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        write_demo(&path, &DemoConfig { users: 120, items: 80, seed }).unwrap();
        World { loaded: load(&path, &LoadOptions::default()).unwrap(), dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Quick settings for a plain model.
    pub fn config(&self) -> RunConfig {
        let mut config = RunConfig::default();
        config.data.path = self.path("data");
        config.backbone.width = 8;
        (config.train.batch_size, config.train.epochs, config.train.lr) = (64, 3, 5e-3);
        config.balance.get_mut::<Ckd>().generic_triples = 50;
        config
    }

    /// The same with distillation.
    pub fn distilled(&self) -> RunConfig {
        let mut config = self.config();
        config.balance.name = "ckd".into();
        config.balance.get_mut::<Ckd>().lambda_kd = 0.1;
        config
    }

    pub fn run(&self, config: &RunConfig, name: &str) -> Result<Outcome, TrainError> {
        self.run_heard(config, name, &mut Silent, &StopFlag::default())
    }

    pub fn run_heard(
        &self,
        config: &RunConfig,
        name: &str,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let out = self.path(name);
        let config = &config.clone().checked()?;
        Job { config, loaded: &self.loaded, out: &out, overwrite: false, from_scratch: false }
            .execute(listener, stop)
    }

    pub fn modalities(&self) -> Vec<&str> {
        self.loaded.data.modalities.iter().map(|m| m.name.as_str()).collect()
    }
}

/// Keeps every event.
#[derive(Default)]
pub struct Recorder(pub Vec<Event>);

impl Listener<Event> for Recorder {
    fn event(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

/// Raises the flag at a step of whatever is in training.
pub struct Raiser {
    pub flag: StopFlag,
    pub at: (usize, usize),
}

impl Listener<Event> for Raiser {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { epoch, step, .. } if (*epoch, *step) == self.at) {
            self.flag.raise();
        }
    }
}

/// Names of the entries of a directory, sorted.
pub fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
