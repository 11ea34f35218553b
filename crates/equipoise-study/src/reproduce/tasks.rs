//! One piece of training that the cells share: a directory that says what was asked and what came of it.
//!
//! | file | what |
//! |---|---|
//! | `request.toml` | the configuration |
//! | `finished.json` | written last: the work is done |
//! | `failed.json` | it failed, and why |
//!
//! beside the files of a run. Work without `finished.json` is started over.

use equipoise_data::write_atomic;
use equipoise_train::RunConfig;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the configuration of a task is called.
pub const REQUEST: &str = "request.toml";
const FINISHED: &str = "finished.json";
const FAILED: &str = "failed.json";
/// Version of these files.
const VERSION: u32 = 1;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Train, and measure on validation only: a point of a search.
    Search,
    /// Train the uni-modal teachers.
    Teachers,
    /// Train and evaluate on test.
    Final,
}

impl Work {
    /// Its word on a command line.
    pub fn word(self) -> &'static str {
        match self {
            Work::Search => "search",
            Work::Teachers => "teachers",
            Work::Final => "final",
        }
    }
}

/// A piece of training.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name for people.
    pub name: String,
    /// What is done.
    pub work: Work,
    /// Where.
    pub dir: PathBuf,
    /// With which configuration.
    pub config: RunConfig,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Somebody asked to stop.
    Stopped,
    /// It was not run, and may not be now.
    NotRun,
    /// This program cannot do it.
    Unsupported(String),
    /// It failed.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Stopped => f.write_str("stopped"),
            Failure::NotRun => f.write_str("not run yet"),
            Failure::Unsupported(why) => write!(f, "unsupported: {why}"),
            Failure::Failed(why) => f.write_str(why),
        }
    }
}

/// `finished.json`: nothing of a test split is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Version of the file.
    pub version: u32,
    /// What was done.
    pub work: Work,
    /// The selection metric on validation; absent for teachers.
    pub validation: Option<f64>,
    /// Most memory that the process held, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

impl Finished {
    /// A record with the memory of this process.
    pub fn now(work: Work, validation: Option<f64>) -> Finished {
        Finished { version: VERSION, work, validation, peak_memory: peak_memory() }
    }
}

#[derive(Serialize, Deserialize)]
struct Failed {
    version: u32,
    message: String,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Its files are there.
    Finished(Finished),
    /// It failed with this message.
    Failed(String),
    /// Never begun, or broken off.
    Open,
}

impl Task {
    /// What is known of it.
    pub fn state(&self) -> State {
        let whole = self.work != Work::Final || self.dir.join("metrics.json").exists();
        match (read::<Finished>(&self.dir, FINISHED), read::<Failed>(&self.dir, FAILED)) {
            (Some(done), _) if done.version == VERSION && done.work == self.work && whole => {
                State::Finished(done)
            }
            (None, Some(failed)) => State::Failed(failed.message),
            _ => State::Open,
        }
    }

    /// Prepares its directory: what an earlier attempt left is forgotten.
    ///
    /// # Errors
    /// File system faults.
    pub fn begin(&self) -> std::io::Result<()> {
        for mark in [FINISHED, FAILED] {
            match std::fs::remove_file(self.dir.join(mark)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        let text = self.config.to_toml().map_err(std::io::Error::other)?;
        write_atomic(self.dir.join(REQUEST), |file| file.write_all(text.as_bytes()))
    }

    /// Writes down that it failed.
    ///
    /// # Errors
    /// File system faults.
    pub fn fail(&self, message: &str) -> std::io::Result<()> {
        write(&self.dir, FAILED, &Failed { version: VERSION, message: message.to_owned() })
    }
}

/// Marks the task in `dir` as finished.
///
/// # Errors
/// File system faults.
pub fn finish(dir: &Path, finished: &Finished) -> std::io::Result<()> {
    write(dir, FINISHED, finished)
}

/// The record of finished work in `dir`.
pub fn finished(dir: &Path) -> Option<Finished> {
    read(dir, FINISHED)
}

fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Option<T> {
    serde_json::from_str(&std::fs::read_to_string(dir.join(name)).ok()?).ok()
}

fn write(dir: &Path, name: &str, value: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    write_atomic(dir.join(name), |file| file.write_all(text.as_bytes()))
}

/// The most memory that this process ever held, in bytes; Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
