//! Small runs of made-up data, one for each backbone that a test names.

use equipoise_data::{LoadOptions, Loaded, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_recommend::ServedModel;
use equipoise_train::events::Silent;
use equipoise_train::{Job, RunConfig, StopFlag};
use std::path::PathBuf;
use tempfile::TempDir;

/// A trained model, its run and its data.
pub struct Trained {
    pub dir: TempDir,
    pub loaded: Loaded,
    pub model: ServedModel,
}

impl Trained {
    /// A model of this backbone after a few epochs.
    pub fn new(backbone: &str) -> Trained {
        Trained::with(backbone, |_| ())
    }

    /// The same under other settings.
    pub fn with(backbone: &str, change: impl FnOnce(&mut RunConfig)) -> Trained {
        Trained::of(backbone, change, |_| ())
    }

    /// The same on data whose items have no categories.
    pub fn uncategorised(backbone: &str, change: impl FnOnce(&mut RunConfig)) -> Trained {
        Trained::of(backbone, change, |data| {
            std::fs::remove_file(data.join("5-core/categories.json")).unwrap()
        })
    }

    fn of(
        backbone: &str,
        change: impl FnOnce(&mut RunConfig),
        prepare: impl FnOnce(&std::path::Path),
    ) -> Trained {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        write_demo(&path, &DemoConfig { users: 200, items: 90, seed: 7 }).unwrap();
        prepare(&path);
        let mut config = RunConfig::default();
        config.data.path = path.clone();
        config.backbone.name = backbone.into();
        config.backbone.width = 8;
        (config.train.batch_size, config.train.epochs, config.train.lr) = (64, 8, 1e-2);
        change(&mut config);
        let trained_on = config.data.load().unwrap();
        let (config, out) = (config.checked().unwrap(), dir.path().join("run"));
        let job =
            Job { config: &config, loaded: &trained_on, out: &out, overwrite: false, from_scratch: false };
        job.execute(&mut Silent, &StopFlag::default()).unwrap();
        let model = ServedModel::open(&out).unwrap();
        // Features as they lie in the files, before they are scaled.
        let loaded = load(&path, &LoadOptions::default()).unwrap();
        Trained { dir, loaded, model }
    }

    /// The run.
    pub fn run(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    /// Raw id of a user.
    pub fn user(&self, row: u32) -> String {
        self.model.vocabulary().users()[row as usize].to_owned()
    }

    /// Raw id of an item.
    pub fn item(&self, row: u32) -> String {
        self.model.vocabulary().items()[row as usize].to_owned()
    }
}
