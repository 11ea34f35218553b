//! `manifest.toml`: what a directory of the `equipoise` layout holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::formats::files::MANIFEST;

/// Version that is written, and the last one that is read.
pub(crate) const VERSION: u32 = 1;

/// A manifest should not be longer than this.
const LONGEST: u64 = 16 << 20;

/// What `manifest.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Version of the format.
    pub(crate) version: u32,
    /// Name of the data set.
    pub(crate) name: String,
    /// Layout it was converted from.
    pub(crate) source: String,
    pub(crate) users: usize,
    pub(crate) items: usize,
    /// Distinct interactions of each split.
    pub(crate) train: usize,
    pub(crate) validation: usize,
    pub(crate) test: usize,
    /// [`Dataset::fingerprint`](crate::Dataset::fingerprint) with all modalities.
    pub(crate) fingerprint: String,
    /// BLAKE3 hash of each file beside the manifest, features left out.
    pub(crate) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) modality: Vec<ModalityEntry>,
}

/// One modality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModalityEntry {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) dtype: String,
    /// File within the directory: `features/<name>.npy` or `.safetensors`.
    pub(crate) file: String,
    /// BLAKE3 hash of the file.
    pub(crate) hash: String,
    /// Where the features come from.
    pub(crate) provenance: String,
    /// Scale applied when they were written, as [`FeatureScale`](crate::FeatureScale) is spelt.
    pub(crate) scale: String,
}

impl Manifest {
    /// Reads the manifest of `dir`.
    ///
    /// # Errors
    /// [`DataError::Newer`] for a later version, [`DataError::Entry`] with the line for anything malformed.
    pub(crate) fn read(dir: &Path) -> Result<Manifest, DataError> {
        let file = dir.join(MANIFEST);
        let length = std::fs::metadata(&file).map_err(DataError::io(&file))?.len();
        let fault = |place: String, problem: String| DataError::Entry { file: file.clone(), place, problem };
        if length > LONGEST {
            return Err(fault(format!("byte {LONGEST}"), format!("{length} bytes, expected a manifest")));
        }
        let text = std::fs::read(&file).map_err(DataError::io(&file))?;
        let text = String::from_utf8(text)
            .map_err(|e| fault(format!("byte {}", e.utf8_error().valid_up_to()), "no UTF-8".into()))?;
        let malformed = |error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&b| b == b'\n').count() + 1;
            let problem = format!("{}; restore the file or convert the data again", error.message());
            fault(format!("line {line}"), problem)
        };
        // Before all else: a later version may have other fields.
        let table: toml::Table = toml::from_str(&text).map_err(malformed)?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(found) if found > i64::from(VERSION) => {
                return Err(DataError::Newer { file, found, known: VERSION });
            }
            Some(1..) => {}
            _ => return Err(fault("version".into(), format!("expected version = {VERSION}"))),
        }
        let manifest: Manifest = toml::from_str(&text).map_err(malformed)?;
        match manifest.modality.iter().find(|m| !is_inside(&m.file)) {
            Some(m) => {
                let place = format!("modality {:?}", m.name);
                Err(fault(place, format!("file {:?}, expected features/<name>.npy; correct it", m.file)))
            }
            None => Ok(manifest),
        }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        toml::to_string(self).expect("names, numbers and tables are TOML")
    }

    /// Checks a file beside the manifest against its hash.
    ///
    /// # Errors
    /// [`DataError::Changed`] if it is another, [`DataError::Entry`] if the manifest does not know it.
    pub(crate) fn verify(&self, dir: &Path, name: &str) -> Result<PathBuf, DataError> {
        let Some(expected) = self.files.get(name) else {
            let problem = format!("no hash of {name}; restore the manifest or convert the data again");
            return Err(DataError::Entry { file: dir.join(MANIFEST), place: "files".into(), problem });
        };
        let file = dir.join(name);
        verify(dir, &file, expected)?;
        Ok(file)
    }
}

/// Checks a file against the hash that the manifest of `dir` has of it.
pub(crate) fn verify(dir: &Path, file: &Path, expected: &str) -> Result<(), DataError> {
    let found = hash(file)?;
    if found == expected {
        return Ok(());
    }
    let (file, expected, by) = (file.to_owned(), expected.to_owned(), dir.join(MANIFEST));
    Err(DataError::Changed { file, what: "its BLAKE3 hash", found, expected, by })
}

/// BLAKE3 hash of a file's bytes, 64 hex digits.
pub(crate) fn hash(file: &Path) -> Result<String, DataError> {
    let mut hasher = blake3::Hasher::new();
    let input = std::fs::File::open(file).map_err(DataError::io(file))?;
    hasher.update_reader(input).map_err(DataError::io(file))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether a path from a manifest stays in the directory of features.
fn is_inside(file: &str) -> bool {
    let name = file.strip_prefix("features/");
    name.is_some_and(|n| !n.is_empty() && !n.contains(['/', '\\']) && !n.starts_with('.'))
}
