//! A unit of work as a file.
//!
//! ```toml
//! kind = "train"           # train, teachers, search, encode-text, encode-image, encode-audio
//! dir = "plain/seed1"      # where it works, relative to this file; the file's own directory if absent
//! inputs = "8fd3…"         # fingerprint that the data must have; whatever it has if absent
//! [config]                 # of a run, or of an encoding
//! seed = 1
//! data.path = "my-data"
//! ```

use equipoise_data::read_text;
use equipoise_encode::{AudioRequest, ImageRequest, TextRequest};
use equipoise_jobs::{Fault, Key, Unit};
use equipoise_train::config::Layers;
use equipoise_train::config::{keys, spans, toml_fault};
use equipoise_train::{Checked, RunConfig};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The name of the file that `equipoise reproduce` writes into the directory of each task.
pub const SPEC: &str = "task.toml";

/// Raised when equal settings come to mean something else.
const GENERATION: &str = "equipoise task 2";

/// What a task does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Trains a model and measures it on test.
    Train(Box<RunConfig>),
    /// Trains the uni-modal teachers that the balancer needs, or its plain model.
    Teachers(Box<RunConfig>),
    /// Trains a model and measures it on validation alone: a point of a search.
    Search(Box<RunConfig>),
    /// Encodes the texts of items.
    EncodeText(Box<TextRequest>),
    /// Encodes the pictures of items.
    EncodeImage(Box<ImageRequest>),
    /// Encodes the sounds of items.
    EncodeAudio(Box<AudioRequest>),
}

impl Work {
    /// The word for it in a specification.
    pub fn kind(&self) -> &'static str {
        match self {
            Work::Train(_) => "train",
            Work::Teachers(_) => "teachers",
            Work::Search(_) => "search",
            Work::EncodeText(_) => "encode-text",
            Work::EncodeImage(_) => "encode-image",
            Work::EncodeAudio(_) => "encode-audio",
        }
    }

    /// The configuration of its run, if it is one.
    pub fn run(&self) -> Option<&RunConfig> {
        match self {
            Work::Train(config) | Work::Teachers(config) | Work::Search(config) => Some(config),
            Work::EncodeText(_) | Work::EncodeImage(_) | Work::EncodeAudio(_) => None,
        }
    }

    fn read(kind: &str, config: Table, place: &dyn Fn(&str) -> String) -> Result<Work, String> {
        Ok(match kind {
            "train" => Work::Train(Box::new(run(config, place)?)),
            "teachers" => Work::Teachers(Box::new(run(config, place)?)),
            "search" => Work::Search(Box::new(run(config, place)?)),
            "encode-text" => Work::EncodeText(Box::new(request(config, &place("config"))?)),
            "encode-image" => Work::EncodeImage(Box::new(request(config, &place("config"))?)),
            "encode-audio" => Work::EncodeAudio(Box::new(request(config, &place("config"))?)),
            _ => {
                return Err(format!(
                    "{}: kind = {kind:?}: expected train, teachers, search, encode-text, encode-image or encode-audio",
                    place("kind")
                ));
            }
        })
    }

    fn table(&self) -> Result<Table, toml::ser::Error> {
        match self {
            Work::Train(config) | Work::Teachers(config) | Work::Search(config) => {
                Table::try_from(config.as_ref())
            }
            Work::EncodeText(request) => Table::try_from(request.as_ref()),
            Work::EncodeImage(request) => Table::try_from(request.as_ref()),
            Work::EncodeAudio(request) => Table::try_from(request.as_ref()),
        }
    }

    /// The settings that decide the result.
    fn deciding(&self) -> Result<Table, toml::ser::Error> {
        self.run().map_or_else(|| self.table(), RunConfig::deciding_table)
    }

    /// The settings without places: results do not depend on where the data and the teachers lie.
    fn without_places(&self) -> Work {
        let mut work = self.clone();
        match &mut work {
            Work::Train(config) | Work::Teachers(config) | Work::Search(config) => {
                **config = config.without_places();
            }
            Work::EncodeText(request) => request.out = None,
            Work::EncodeImage(request) => request.out = None,
            Work::EncodeAudio(request) => request.out = None,
        }
        work
    }
}

fn run(config: Table, place: &dyn Fn(&str) -> String) -> Result<RunConfig, String> {
    let mut pairs = Vec::new();
    keys::leaves("", &config, &mut |key, value| pairs.push((key.to_owned(), value.clone())));
    let set = |layers: Layers, (key, value): (String, Value)| {
        layers.set(&key, value, place(&format!("config.{key}")))
    };
    let layers = pairs.into_iter().try_fold(Layers::new(), set);
    let resolved = layers.and_then(|layers| layers.resolve());
    resolved.map(Checked::into_inner).map_err(|fault| fault.to_string())
}

fn request<T: DeserializeOwned>(config: Table, origin: &str) -> Result<T, String> {
    config
        .try_into()
        .map_err(|fault: toml::de::Error| format!("{origin}: config: {}", fault.message().trim()))
}

/// A unit of work: what is done, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name for people.
    pub name: String,
    /// What is done.
    pub work: Work,
    /// The directory in which it works.
    pub dir: PathBuf,
    /// The fingerprint that the data must have.
    pub inputs: Option<String>,
}

/// The keys of a specification.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    kind: String,
    #[serde(default)]
    dir: PathBuf,
    inputs: Option<String>,
    config: Table,
}

/// What a finished task leaves in `finished.json`: nothing that was measured on test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// What was done.
    #[serde(alias = "work")]
    pub kind: String,
    /// The selection metric on validation; absent where no model was selected.
    pub validation: Option<f64>,
    /// Most memory that the process held, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

impl Finished {
    /// A record with the memory of this process.
    pub fn now(work: &Work, validation: Option<f64>) -> Finished {
        Finished { kind: work.kind().into(), validation, peak_memory: peak_memory() }
    }
}

impl Task {
    /// Reads a specification: TOML, or JSON if the file's name ends in `.json`.
    ///
    /// # Errors
    /// If the file cannot be read, or says something that no task understands: file, key and what is expected.
    pub fn read(path: &Path) -> Result<Task, String> {
        let origin = path.display().to_string();
        let text = read_text(path).map_err(|e| format!("{origin}: {e}"))?;
        let json = path.extension().is_some_and(|e| e == "json");
        let spec: Spec = if json {
            serde_json::from_str(&text).map_err(|e| format!("{origin}: {e}"))?
        } else {
            toml::from_str(&text).map_err(|e| toml_fault(&origin, &text, &e).to_string())?
        };
        // Of JSON no lines are known.
        let lines = if json { BTreeMap::new() } else { spans::lines(&text) };
        let place = |key: &str| match lines.get(key) {
            Some(line) => format!("{origin}:{line}"),
            None => origin.clone(),
        };
        let work = Work::read(&spec.kind, spec.config, &place)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        let dir = parent.join(spec.dir);
        Ok(Task { name: format!("{} in {}", spec.kind, dir.display()), work, dir, inputs: spec.inputs })
    }

    /// Writes its specification into its directory; returns the path.
    ///
    /// # Errors
    /// File system faults; a path that is no text.
    pub fn write(&self) -> Result<PathBuf, Fault> {
        let config = self.work.table().map_err(|e| Fault::Own(format!("{}: {e}", self.name)))?;
        let mut table = Table::new();
        table.insert("kind".into(), self.work.kind().into());
        if let Some(inputs) = &self.inputs {
            table.insert("inputs".into(), inputs.clone().into());
        }
        table.insert("config".into(), Value::Table(config));
        let (path, text) = (self.dir.join(SPEC), table.to_string());
        equipoise_data::write_atomic(&path, |file| file.write_all(text.as_bytes()))
            .map_err(Fault::io(&path))?;
        Ok(path)
    }

    /// Everything that decides its result. Where the data lies is among it only if its fingerprint is not.
    pub(super) fn made_from(&self) -> Table {
        let placeless = self.inputs.is_some().then(|| self.work.without_places());
        let config = placeless.as_ref().unwrap_or(&self.work).deciding();
        let config = config.expect("there are no paths, or only such as a text file named");
        let mut table = Table::new();
        table.insert("kind".into(), self.work.kind().into());
        table.insert("inputs".into(), self.inputs.clone().unwrap_or_default().into());
        table.insert("config".into(), Value::Table(config));
        table
    }

    /// The unit that it makes.
    pub fn unit(&self) -> Unit {
        let key = Key::new(GENERATION).add(self.made_from().to_string().as_bytes()).hex();
        Unit::new(&self.dir, key)
    }

    /// What it left, if it is finished and its files are there.
    pub fn finished(&self) -> Option<Finished> {
        let whole = !matches!(self.work, Work::Train(_)) || self.dir.join("metrics.json").exists();
        self.unit().result().filter(|_| whole)
    }
}

/// The most memory that this process ever held, in bytes; Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_models::Mmgcn;

    fn task(dir: &Path) -> Task {
        let mut config = RunConfig::default();
        (config.train.lr, config.data.path) = (0.1 + 0.2, "data".into());
        let work = Work::Search(Box::new(config));
        Task { name: "a point".into(), work, dir: dir.to_owned(), inputs: Some("f".into()) }
    }

    #[test]
    fn a_specification_reads_back_as_the_same_task_in_toml_and_json() {
        let dir = tempfile::tempdir().unwrap();
        let task = task(&dir.path().join("a"));
        let path = task.write().unwrap();
        let read = Task::read(&path).unwrap();
        assert_eq!((&read.work, &read.dir, &read.inputs), (&task.work, &task.dir, &task.inputs));
        let json = dir.path().join("task.json");
        let spec: serde_json::Value = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        std::fs::write(&json, spec.to_string()).unwrap();
        assert_eq!(Task::read(&json).unwrap().work, task.work);
    }

    #[test]
    fn places_change_no_key_where_the_data_is_known_and_settings_and_data_do() {
        let one = task(Path::new("a"));
        let moved = |mut task: Task, path: &str| {
            let Work::Search(config) = &mut task.work else { panic!("a search") };
            config.data.path = path.into();
            task
        };
        assert_eq!(one.unit().key(), moved(one.clone(), "elsewhere").unit().key());
        let unknown = Task { inputs: None, ..one.clone() };
        assert_ne!(unknown.unit().key(), moved(unknown.clone(), "elsewhere").unit().key());
        assert_ne!(one.unit().key(), Task { inputs: Some("g".into()), ..one.clone() }.unit().key());
        let Work::Search(config) = one.work.clone() else { panic!("a search") };
        assert_ne!(one.unit().key(), Task { work: Work::Train(config), ..one }.unit().key());
    }

    #[test]
    fn sections_of_what_is_not_used_change_no_key() {
        let one = task(Path::new("a"));
        let with = |change: fn(&mut RunConfig)| {
            let Work::Search(mut config) = one.work.clone() else { panic!("a search") };
            change(&mut config);
            Task { work: Work::Search(config), ..one.clone() }.unit().key().to_owned()
        };
        assert_eq!(one.unit().key(), with(|config| config.backbone.get_mut::<Mmgcn>().layers = 7));
        let chosen = with(|config| config.backbone.choose(Mmgcn::default()));
        assert_ne!(chosen, with(|config| config.backbone.choose(Mmgcn { layers: 7, ..Mmgcn::default() })));
    }

    #[test]
    fn what_no_task_understands_is_named_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.toml");
        let fault = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Task::read(&path).unwrap_err()
        };
        assert!(fault("kind = \"dance\"\n[config]\n").contains("t.toml:1: kind = \"dance\": expected train"));
        assert!(fault("kind = \"train\"\nplace = \"x\"\n[config]\n").contains("place"));
        assert!(fault("kind = \"train\"\n[config]\ntrain.lrr = 1\n").contains("did you mean `train.lr`?"));
        assert!(fault("kind = \"encode-text\"\n[config]\nmodle = \"x\"\n").contains("modle"));
    }
}
