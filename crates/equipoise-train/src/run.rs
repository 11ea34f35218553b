//! A run is a directory, readable without this program:
//!
//! | file | what |
//! |---|---|
//! | `config.toml` | the resolved configuration |
//! | `vocabulary.json` | raw user and item ids, in the order of the tables' rows |
//! | `model.safetensors` | the parameters of the best model, float32, with identity in the metadata |
//! | `tables.safetensors` | the final tables of that model under each ablation, and what each user has seen, see [`tables`](crate::tables); teachers have none |
//! | `events.jsonl` | what happened, one event a line |
//! | `checkpoint.safetensors` | where training stands, from which the same command goes on; removed at its end |
//! | `metrics.json` | metrics of the model selected on validation, with their definitions |
//! | `per_user.parquet` | test metrics of every user (feature `parquet`) |
//! | `report.html` | the imbalance report |
//! | `teachers/<modality>/` | the teachers, each a run |
//!
//! Every file but the log is written whole or not at all; `metrics.json` is written last, so a directory that has
//! one is a finished run.

use crate::checkpoint;
use crate::config::Layers;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::events::Ending;
use crate::report::Report;
use crate::role::Role;
use equipoise_data::{Dataset, write_atomic};
use equipoise_models::{Inputs, Model};
use equipoise_nn::Snapshot;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of the run directory.
pub const VERSION: u32 = 1;

/// A run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    dir: PathBuf,
}

impl Run {
    /// Makes a directory for a new run.
    ///
    /// # Errors
    /// [`TrainError::Taken`] if there is a run and `overwrite` is false; file system faults.
    pub fn create(dir: &Path, overwrite: bool) -> Result<Run, TrainError> {
        let run = Run { dir: dir.to_owned() };
        if run.config_path().exists() {
            if !overwrite {
                return Err(TrainError::Taken(dir.to_owned()));
            }
            for path in run.files() {
                remove(&path)?;
            }
        }
        std::fs::create_dir_all(dir).map_err(|e| TrainError::io(dir, e))?;
        Ok(run)
    }

    /// Begins a run: makes its directory and writes what is known before training. What an unfinished run of the same
    /// configuration left there is replaced, so that a command that failed on the way can be given again.
    ///
    /// # Errors
    /// [`TrainError::Taken`] if there is another run and `overwrite` is false; file system faults.
    pub fn begin(dir: &Path, config: &RunConfig, data: &Dataset, overwrite: bool) -> Result<Run, TrainError> {
        let there = Run { dir: dir.to_owned() };
        if there.is_unfinished(config) {
            // The best model so far stays until there is a better one.
            for path in there.results().into_iter().filter(|path| *path != there.model_path()) {
                remove(&path)?;
            }
            there.write_start(config, data)?;
            return Ok(there);
        }
        let run = Run::create(dir, overwrite)?;
        run.write_start(config, data)?;
        Ok(run)
    }

    /// Whether an unfinished run of that configuration is here: one that was killed, or one that was interrupted and keeps
    /// the checkpoint from which it goes on.
    fn is_unfinished(&self, config: &RunConfig) -> bool {
        // Compared as written: settings that a run does not use are not written.
        let same =
            |saved: Checked<RunConfig>| saved.deciding().to_toml().ok() == config.deciding().to_toml().ok();
        let unfinished = !self.metrics_path().exists() || self.is_interrupted();
        unfinished && self.config().is_ok_and(same)
    }

    /// Whether its training was interrupted and goes on when the same command is given again. Its model is the best so far.
    pub fn is_interrupted(&self) -> bool {
        let interrupted = |report: Report| report.ending == Ending::Interrupted;
        self.checkpoint_path().exists() && self.report().is_ok_and(interrupted)
    }

    /// Removes the checkpoint that a finished run has no use for: the program may be ended before it does so.
    ///
    /// # Errors
    /// File system faults.
    pub fn tidy(&self) -> Result<(), TrainError> {
        if self.is_interrupted() { Ok(()) } else { remove(&self.checkpoint_path()) }
    }

    /// An existing, finished run.
    ///
    /// # Errors
    /// If the directory is no run, or the run never finished.
    pub fn open(dir: &Path) -> Result<Run, TrainError> {
        let run = Run { dir: dir.to_owned() };
        if !run.config_path().exists() {
            return Err(TrainError::format(
                dir,
                "no run here (there is no config.toml); give the directory that `equipoise train --out` wrote",
            ));
        }
        if !run.metrics_path().exists() {
            return Err(TrainError::format(
                dir,
                "this run did not finish (there is no metrics.json); give the same `equipoise train` command again",
            ));
        }
        Ok(run)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its last component, for people.
    pub fn name(&self) -> String {
        let absolute = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
        absolute
            .file_name()
            .map_or_else(|| self.dir.display().to_string(), |n| n.to_string_lossy().into_owned())
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.results();
        files.extend([
            self.checkpoint_path(),
            self.events_path(),
            self.vocabulary_path(),
            self.config_path(),
        ]);
        files
    }

    /// What is made once training is over.
    fn results(&self) -> Vec<PathBuf> {
        // The mark of a finished run goes first.
        vec![
            self.metrics_path(),
            self.tables_path(),
            self.model_path(),
            self.per_user_path(),
            self.report_path(),
        ]
    }

    /// `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// `model.safetensors`.
    pub fn model_path(&self) -> PathBuf {
        self.dir.join("model.safetensors")
    }

    /// `tables.safetensors`.
    pub fn tables_path(&self) -> PathBuf {
        self.dir.join("tables.safetensors")
    }

    /// `checkpoint.safetensors`.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.dir.join(checkpoint::FILE)
    }

    /// `events.jsonl`.
    pub fn events_path(&self) -> PathBuf {
        self.dir.join("events.jsonl")
    }

    /// `metrics.json`.
    pub fn metrics_path(&self) -> PathBuf {
        self.dir.join("metrics.json")
    }

    /// `per_user.parquet`.
    pub fn per_user_path(&self) -> PathBuf {
        self.dir.join("per_user.parquet")
    }

    /// `report.html`.
    pub fn report_path(&self) -> PathBuf {
        self.dir.join("report.html")
    }

    /// `vocabulary.json`.
    pub fn vocabulary_path(&self) -> PathBuf {
        self.dir.join("vocabulary.json")
    }

    /// Writes text to one of its files, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
        write_atomic(path, |file| file.write_all(bytes)).map_err(|e| TrainError::io(path, e))
    }

    /// Writes what is known before training.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_start(&self, config: &RunConfig, data: &Dataset) -> Result<(), TrainError> {
        data.vocabulary.write(&self.vocabulary_path())?;
        let text = config.to_toml().map_err(|e| TrainError::format(&self.config_path(), e))?;
        self.write(&self.config_path(), text.as_bytes())
    }

    /// Writes the model with its identity.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_model(&self, model: &Model, role: &Role, fingerprint: &str) -> Result<(), TrainError> {
        self.write_best(model, &model.parameters.snapshot(), role, fingerprint)
    }

    /// Writes the parameters `best` of that model in the same way.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn write_best(
        &self,
        model: &Model,
        best: &Snapshot,
        role: &Role,
        fingerprint: &str,
    ) -> Result<(), TrainError> {
        let role = role.to_string();
        let entries = [("format", "equipoise"), ("version", "1"), ("what", &role), ("data", fingerprint)];
        let metadata = entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let bytes = model.parameters.snapshot_to_safetensors(best, &metadata)?;
        self.write(&self.model_path(), &bytes)
    }

    /// Writes `metrics.json`, which marks the run as finished.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_metrics(&self, report: &Report) -> Result<(), TrainError> {
        let text =
            serde_json::to_string_pretty(report).map_err(|e| TrainError::format(&self.metrics_path(), e))?;
        self.write(&self.metrics_path(), text.as_bytes())
    }

    /// Its configuration.
    ///
    /// # Errors
    /// If the file is missing or not a configuration.
    pub fn config(&self) -> Result<Checked<RunConfig>, TrainError> {
        Ok(Layers::new().file(&self.config_path())?.resolve()?)
    }

    /// Its metrics.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of another version.
    pub fn report(&self) -> Result<Report, TrainError> {
        let path = self.metrics_path();
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
        let report: Report = serde_json::from_str(&text).map_err(|e| TrainError::format(&path, e))?;
        if report.version != VERSION {
            let reason = format!("version {} of a run, this program reads version {VERSION}", report.version);
            return Err(TrainError::format(&path, reason));
        }
        Ok(report)
    }

    /// The trained model, on the data it was trained with.
    ///
    /// # Errors
    /// If the data has another fingerprint, or the parameters do not fit.
    pub fn model(&self, data: &Dataset) -> Result<Model, TrainError> {
        self.model_on(data, Inputs::new(data))
    }

    /// The same on inputs of this data that other models use too.
    ///
    /// # Errors
    /// As [`model`](Run::model).
    pub fn model_on(&self, data: &Dataset, inputs: Inputs) -> Result<Model, TrainError> {
        let (config, report) = (self.config()?, self.report()?);
        let found = data.fingerprint();
        if report.fingerprint != found {
            let reason = format!(
                "the run was trained on other data (fingerprint {}, this data has {}); give the data set of its config.toml",
                short(&report.fingerprint),
                short(&found)
            );
            return Err(TrainError::format(&self.dir, reason));
        }
        let device = config.on_device()?;
        let seed = equipoise_data::Seed(config.seed);
        let model = Model::on(&config.backbone, inputs, seed, &device);
        let mut model = model.map_err(|e| TrainError::model(e, &report.role))?;
        model.parameters.load_safetensors(&self.model_path())?;
        Ok(model)
    }
}

/// The first digits of a fingerprint.
pub(crate) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), TrainError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(path, e)),
        _ => Ok(()),
    }
}
