//! What a stage left: the summary in its `finished.json`.

use equipoise_jobs::{FINISHED, Fault, UNIT};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a finished stage left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StageResult {
    /// What was written: paths in the stage's directory, and lengths in bytes.
    pub(super) outputs: BTreeMap<String, u64>,
    /// Wall time.
    pub(super) seconds: f64,
}

impl StageResult {
    /// The result of a stage that took so many seconds: every file below `dir` but marks, locks and hidden files.
    pub(super) fn of(dir: &Path, seconds: f64) -> Result<StageResult, Fault> {
        let mut outputs = BTreeMap::new();
        collect(dir, "", &mut outputs).map_err(Fault::io(dir))?;
        Ok(StageResult { outputs, seconds })
    }

    /// Whether everything that was written is there in its length.
    pub(super) fn is_whole(&self, dir: &Path) -> bool {
        self.outputs.iter().all(|(name, bytes)| {
            std::fs::metadata(dir.join(name)).is_ok_and(|about| about.is_file() && about.len() == *bytes)
        })
    }
}

fn collect(dir: &Path, prefix: &str, found: &mut BTreeMap<String, u64>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || [UNIT, FINISHED].contains(&path.as_str()) {
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
