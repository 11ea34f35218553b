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
//! | `ablations.parquet` | every user's test value of `train.metric` under each ablation, a column for each by its label, such as `only image` (feature `parquet`); runs of earlier versions have none |
//! | `run.json` | the hash of each of these files |
//! | `report.html` | the imbalance report |
//! | `items.jsonl` | titles and attributes of items, copied from beside the data set, if it has them |
//! | `serving.json`, `fold_in.safetensors`, `new_items.safetensors` | how the model is served, written by `equipoise calibrate`; removed with the model |
//! | `teachers/<modality>/` | the teachers, each a run |
//!
//! Every file but the log is written whole or not at all; `metrics.json` is written last, so a directory that has
//! one is a finished run. Of a finished run each file is checked against its hash before it is read: one that was damaged,
//! or copied from another run, is refused. `report.html` is for people, and is not checked. Runs that earlier versions
//! made have no hashes and are read as they are.

use crate::bound::{self, BoundFiles};
use crate::checkpoint;
use crate::config::Layers;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::events::{Ending, EpochRecord, read_epochs};
use crate::report::Report;
use crate::role::Role;
use equipoise_data::{Dataset, ITEM_INFOS, Vocabulary, make_dirs, remove_parts, told_apart, write_atomic};
use equipoise_models::{Inputs, Model};
use equipoise_nn::Snapshot;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of the run directory.
pub const VERSION: u32 = 1;

/// A run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    dir: PathBuf,
    /// The hashes of its files, if it was opened as a finished run that has them.
    bound: Option<Arc<BoundFiles>>,
}

/// Metadata of `ablations.parquet`: which metric it holds.
#[cfg(feature = "parquet")]
pub(crate) const METRIC: &str = "metric";

/// Name of the directory of a run's own teachers.
pub(crate) const TEACHERS: &str = "teachers";

impl Run {
    /// The run in a directory, which may hold anything.
    pub(crate) fn at(dir: &Path) -> Run {
        Run { dir: dir.to_owned(), bound: None }
    }

    /// Makes a directory for a new run.
    ///
    /// # Errors
    /// [`TrainError::Taken`] if there is a run and `overwrite` is false; file system faults.
    pub fn create(dir: &Path, overwrite: bool) -> Result<Run, TrainError> {
        let run = Run::at(dir);
        if run.config_path().exists() {
            if !overwrite {
                return Err(TrainError::Taken(dir.to_owned()));
            }
            for path in run.files() {
                remove(&path)?;
            }
        }
        make_dirs(dir).map_err(|e| TrainError::io(dir, e))?;
        Ok(run)
    }

    /// Begins a run: makes its directory and writes what is known before training. What an unfinished run of the same
    /// configuration left there is replaced, so that a command that failed on the way can be given again.
    ///
    /// # Errors
    /// [`TrainError::Taken`] if there is another run and `overwrite` is false; file system faults.
    pub fn begin(dir: &Path, config: &RunConfig, data: &Dataset, overwrite: bool) -> Result<Run, TrainError> {
        let there = Run::at(dir);
        remove_parts(dir);
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
    pub(crate) fn is_unfinished(&self, config: &RunConfig) -> bool {
        self.is_of(config) && (!self.metrics_path().exists() || self.is_interrupted())
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

    /// Whether a run of that configuration is here, finished or not.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        // Compared as written: settings that a run does not use are not written.
        let written = |config: &RunConfig| config.deciding().with_absolute_paths().to_toml().ok();
        let same = |saved: Checked<RunConfig>| written(&saved) == written(config);
        self.config().is_ok_and(same)
    }

    /// Its metrics, if a run of that configuration on this data was trained to its end here.
    pub fn finished_as(&self, config: &RunConfig, data: &Dataset) -> Option<Report> {
        let run = Run::open(&self.dir).ok().filter(|run| run.is_of(config))?;
        let report = run.report().ok()?;
        (report.ending != Ending::Interrupted && report.fingerprint == data.fingerprint()).then_some(report)
    }

    /// An existing, finished run.
    ///
    /// # Errors
    /// If the directory is no run, the run never finished, or `run.json` is damaged.
    pub fn open(dir: &Path) -> Result<Run, TrainError> {
        let run = Run::at(dir);
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
        Ok(Run { bound: BoundFiles::read(dir)?.map(Arc::new), ..run })
    }

    /// Whether its files are bound to it by hashes. Those of a run of an earlier version are not.
    pub fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// Checks a file against its hash, if there is one.
    fn check(&self, path: &Path) -> Result<(), TrainError> {
        match (&self.bound, path.file_name().and_then(OsStr::to_str)) {
            (Some(bound), Some(name)) => bound.check(name),
            _ => Ok(()),
        }
    }

    /// The same for bytes of the file.
    pub(crate) fn check_bytes(&self, path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
        match (&self.bound, path.file_name().and_then(OsStr::to_str)) {
            (Some(bound), Some(name)) => bound.check_bytes(name, bytes),
            _ => Ok(()),
        }
    }

    /// Whether a name in a run's directory is of something that a run writes.
    pub(crate) fn is_own(name: &OsStr) -> bool {
        let run = Run::at(Path::new(""));
        name == TEACHERS || run.files().iter().any(|file| file.as_os_str() == name)
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
            self.dir.join(ITEM_INFOS),
        ]);
        files
    }

    /// What is made once training is over.
    fn results(&self) -> Vec<PathBuf> {
        // The mark of a finished run goes first.
        vec![
            self.metrics_path(),
            self.dir.join(bound::NAME),
            self.tables_path(),
            self.model_path(),
            self.per_user_path(),
            self.ablations_path(),
            self.report_path(),
            // How another model was served says nothing of a new one.
            self.dir.join("serving.json"),
            self.dir.join("fold_in.safetensors"),
            self.dir.join("new_items.safetensors"),
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

    /// `ablations.parquet`.
    pub fn ablations_path(&self) -> PathBuf {
        self.dir.join("ablations.parquet")
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

    /// Writes what is known before training. Paths are kept absolute.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_start(&self, config: &RunConfig, data: &Dataset) -> Result<(), TrainError> {
        data.vocabulary.write(&self.vocabulary_path())?;
        let text = config.with_absolute_paths().to_toml();
        let text = text.map_err(|e| TrainError::format(&self.config_path(), e))?;
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

    /// Writes `run.json` and `metrics.json`, which marks the run as finished. Everything else of the run is there by now.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_metrics(&self, report: &Report) -> Result<(), TrainError> {
        let text =
            serde_json::to_string_pretty(report).map_err(|e| TrainError::format(&self.metrics_path(), e))?;
        let bound = [
            self.config_path(),
            self.vocabulary_path(),
            self.model_path(),
            self.tables_path(),
            self.events_path(),
            self.per_user_path(),
            self.ablations_path(),
        ];
        let names: Vec<&str> = bound.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        BoundFiles::of(&self.dir, &names, ("metrics.json", text.as_bytes()))?.write()?;
        self.write(&self.metrics_path(), text.as_bytes())
    }

    /// Its configuration.
    ///
    /// # Errors
    /// If the file is missing, not that of this run, or not a configuration.
    pub fn config(&self) -> Result<Checked<RunConfig>, TrainError> {
        self.check(&self.config_path())?;
        Ok(Layers::new().file(&self.config_path())?.resolve()?)
    }

    /// Its metrics.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of another version.
    pub fn report(&self) -> Result<Report, TrainError> {
        let path = self.metrics_path();
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
        self.check_bytes(&path, text.as_bytes())?;
        let report: Report = serde_json::from_str(&text).map_err(|e| TrainError::format(&path, e))?;
        if report.version != VERSION {
            let reason = format!("version {} of a run, this program reads version {VERSION}", report.version);
            return Err(TrainError::format(&path, reason));
        }
        Ok(report)
    }

    /// The raw ids of the rows of its tables.
    ///
    /// # Errors
    /// If the file is missing, not that of this run, or damaged.
    pub fn vocabulary(&self) -> Result<Vocabulary, TrainError> {
        self.check(&self.vocabulary_path())?;
        Ok(Vocabulary::read(&self.vocabulary_path())?)
    }

    /// The epochs of its training.
    ///
    /// # Errors
    /// If the log is missing, not that of this run, or damaged.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, TrainError> {
        self.check(&self.events_path())?;
        read_epochs(&self.events_path())
    }

    /// Its test metrics user by user.
    ///
    /// # Errors
    /// If the file is missing, not that of this run, or damaged.
    #[cfg(feature = "parquet")]
    pub fn per_user(&self) -> Result<equipoise_eval::PerUser, TrainError> {
        self.check(&self.per_user_path())?;
        Ok(equipoise_eval::PerUser::read_parquet(&self.per_user_path())?)
    }

    /// Every user's test value of `metric` under each ablation, a column for each by its label; `None` of a run that an earlier
    /// version made, and of one that was selected by another metric.
    ///
    /// # Errors
    /// If the file is not that of this run, or damaged.
    #[cfg(feature = "parquet")]
    pub fn ablations(&self, metric: &str) -> Result<Option<equipoise_eval::PerUser>, TrainError> {
        let path = self.ablations_path();
        if !path.is_file() {
            return Ok(None);
        }
        self.check(&path)?;
        let found = equipoise_eval::PerUserFile::read(&path)?;
        Ok((found.metadata.get(METRIC).map(String::as_str) == Some(metric)).then_some(found.per_user))
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
            let (trained, found) = told_apart(&report.fingerprint, &found);
            let reason = format!(
                "the run was trained on other data (fingerprint {trained}, this data has {found}); give the data set of its \
                 config.toml, or that data set with --data"
            );
            return Err(TrainError::format(&self.dir, reason));
        }
        let device = config.on_device()?;
        let seed = equipoise_data::Seed(config.seed);
        let model = Model::on(&config.backbone, inputs, seed, &device);
        let mut model = model.map_err(|e| TrainError::model(e, &report.role))?;
        self.check(&self.model_path())?;
        model.parameters.load_safetensors(&self.model_path())?;
        Ok(model)
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), TrainError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(path, e)),
        _ => Ok(()),
    }
}
