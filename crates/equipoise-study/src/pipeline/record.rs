//! `stage.json`: what a stage was made from, and what it left.

use super::error::PipelineError;
use equipoise_data::write_atomic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Name of the file.
pub(super) const RECORD: &str = "stage.json";

/// Version of the file.
const VERSION: u32 = 1;

/// What `stage.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) stage: String,
    pub(super) fingerprint: String,
    /// Otherwise it was begun.
    pub(super) finished: bool,
    /// Everything that decides what comes out, beside the files and the stages before.
    pub(super) settings: serde_json::Value,
    /// Hashes of raw files, by what they are.
    pub(super) files: BTreeMap<String, String>,
    /// Stages before and their fingerprints.
    pub(super) before: BTreeMap<String, String>,
    /// What was written: paths in the stage's directory, and lengths in bytes.
    pub(super) outputs: BTreeMap<String, u64>,
    /// Wall time.
    pub(super) seconds: f64,
}

/// What the directory of a stage says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// There is nothing.
    Nothing,
    /// It is another's.
    Foreign,
    /// A record.
    Record(Box<Record>),
}

impl Record {
    /// Reads the record of a directory.
    pub(super) fn find(dir: &Path) -> Result<Found, PipelineError> {
        let mut entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(e) => return Err(PipelineError::file(dir, e)),
        };
        let text = match std::fs::read_to_string(dir.join(RECORD)) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                // Hidden files are what a record that was being written left.
                let visible = entries.any(|entry| {
                    entry.map_or(true, |entry| !entry.file_name().to_string_lossy().starts_with('.'))
                });
                return Ok(if visible { Found::Foreign } else { Found::Nothing });
            }
            Err(e) => return Err(PipelineError::file(dir, e)),
        };
        let record: Result<Record, _> = serde_json::from_str(&text);
        Ok(record
            .ok()
            .filter(|r| r.version == VERSION)
            .map_or(Found::Foreign, |r| Found::Record(Box::new(r))))
    }

    /// The record of a stage that begins.
    pub(super) fn begun(stage: &super::plan::Planned) -> Record {
        Record {
            version: VERSION,
            stage: stage.name.clone(),
            fingerprint: stage.fingerprint.clone(),
            finished: false,
            settings: stage.settings.clone(),
            files: stage.files.clone(),
            before: stage.before.clone(),
            outputs: BTreeMap::new(),
            seconds: 0.0,
        }
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), PipelineError> {
        let path = dir.join(RECORD);
        let text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        write_atomic(&path, |file| file.write_all(text.as_bytes())).map_err(|e| PipelineError::file(&path, e))
    }

    /// Whether everything that was written is there in its length.
    pub(super) fn is_whole(&self, dir: &Path) -> bool {
        self.finished
            && self.outputs.iter().all(|(name, bytes)| {
                std::fs::metadata(dir.join(name)).is_ok_and(|about| about.is_file() && about.len() == *bytes)
            })
    }
}

/// Every file below `dir` with its length, but for the record, locks and hidden files.
pub(super) fn outputs(dir: &Path) -> Result<BTreeMap<String, u64>, PipelineError> {
    let mut found = BTreeMap::new();
    collect(dir, "", &mut found).map_err(|e| PipelineError::file(dir, e))?;
    Ok(found)
}

fn collect(dir: &Path, prefix: &str, found: &mut BTreeMap<String, u64>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || name == "lock" || path == RECORD {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.insert(path, entry.metadata()?.len());
        }
    }
    Ok(())
}
