//! `manifest.json`: what makes a directory a served model of its own, and the hash of each of its files.
//!
//! ```json
//! {
//!   "version": 1,
//!   "what": "served model",
//!   "name": "ckd",
//!   "fingerprint": "91ab…",
//!   "users": 19445, "items": 7050, "modalities": ["image", "text"],
//!   "precision": "float16",
//!   "half": { "metric": "recall@20", "float32": 0.0862, "float16": 0.0862 },
//!   "files": { "tables.safetensors": "3f0c…", "vocabulary.json": "77d0…", … },
//!   "seal": "c4e2…"
//! }
//! ```
//!
//! Every file of the model is named with its BLAKE3 hash, and `seal` is the hash of the rest of the manifest: a file that was
//! damaged, edited or copied from another model is refused when the model is opened.

use crate::error::RecommendError;
use crate::files::FILES;
use equipoise_data::{told_apart, write_atomic};
use equipoise_train::{FinalTables, TablePrecision};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Name of the file.
pub const MANIFEST: &str = "manifest.json";

/// Version of the file, and of the directory that it describes.
const VERSION: u32 = 1;
/// What such a directory is.
const WHAT: &str = "served model";
/// What to do about a file that is not the one that was written.
const AGAIN: &str = "copy the whole directory again, or make it again with `equipoise export --to serving`";

/// What a served model is, and which files make it up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the directory.
    pub version: u32,
    /// `served model`.
    pub what: String,
    /// Name of the model.
    pub name: String,
    /// Fingerprint of the data that it was trained on.
    pub fingerprint: String,
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Names of the modalities.
    pub modalities: Vec<String>,
    /// How its tables are stored.
    pub precision: TablePrecision,
    /// What rounding to float16 changed, if that was done and could be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<HalfChange>,
    /// The BLAKE3 hash of each file by name.
    pub files: BTreeMap<String, String>,
    /// The hash of all the rest.
    pub seal: String,
}

/// A metric on validation with float32 tables and with the same rounded to float16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfChange {
    /// The metric, such as `recall@20`.
    pub metric: String,
    /// Its value before.
    pub float32: f64,
    /// Its value after.
    pub float16: f64,
}

impl Manifest {
    /// The manifest of a model whose files lie in `dir`.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn of(
        dir: &Path,
        name: &str,
        tables: &FinalTables,
        half: Option<HalfChange>,
    ) -> Result<Manifest, RecommendError> {
        let mut files = BTreeMap::new();
        for name in FILES {
            if let Some(hash) = hash(&dir.join(name))? {
                files.insert(name.to_owned(), hash);
            }
        }
        let manifest = Manifest {
            version: VERSION,
            what: WHAT.into(),
            name: name.to_owned(),
            fingerprint: tables.fingerprint().to_owned(),
            users: tables.n_users(),
            items: tables.n_items(),
            modalities: tables.modalities().to_vec(),
            precision: tables.precision(),
            half,
            files,
            seal: String::new(),
        };
        Ok(Manifest { seal: manifest.sealed(), ..manifest })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), RecommendError> {
        let (path, text) = (dir.join(MANIFEST), self.text());
        write_atomic(&path, |file| file.write_all(text.as_bytes())).map_err(RecommendError::io(&path))
    }

    /// Reads the manifest of a directory; `None` if it has none.
    ///
    /// # Errors
    /// If the file is damaged, of something else or of another version.
    pub fn read(dir: &Path) -> Result<Option<Manifest>, RecommendError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
            what: String,
        }
        let path = dir.join(MANIFEST);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(RecommendError::io(&path))?,
        };
        let damaged = || RecommendError::file(&path, format!("damaged; {AGAIN}"));
        let head: Head = serde_json::from_slice(&text).map_err(|_| damaged())?;
        if head.what != WHAT {
            let reason = "the manifest of something else than a served model; give a run of `equipoise train`, or a \
                 directory that `equipoise export --to serving` wrote";
            return Err(RecommendError::file(&path, reason));
        }
        if head.version != VERSION {
            let reason = format!(
                "version {} of a served model, this program reads version {VERSION}; read it with the program that wrote it",
                head.version
            );
            return Err(RecommendError::file(&path, reason));
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| damaged())?;
        // Equal contents have equal texts, so that every byte counts.
        let whole = manifest.seal == manifest.sealed() && manifest.text().as_bytes() == text;
        if whole { Ok(Some(manifest)) } else { Err(damaged()) }
    }

    /// Checks every file of the directory against its hash.
    ///
    /// # Errors
    /// The first file that is missing, is not the one that was written, or is none of this model.
    pub(crate) fn check(&self, dir: &Path) -> Result<(), RecommendError> {
        for name in FILES {
            let path = dir.join(name);
            match (hash(&path)?, self.files.get(name)) {
                (Some(found), Some(expected)) if found != *expected => {
                    let (found, expected) = told_apart(&found, expected);
                    let reason = format!(
                        "not the file that belongs to this model: its BLAKE3 hash is {found}, {MANIFEST} says {expected}; {AGAIN}"
                    );
                    return Err(RecommendError::file(&path, reason));
                }
                (Some(_), None) => {
                    let reason = format!("no file of this model ({MANIFEST} does not name it); {AGAIN}");
                    return Err(RecommendError::file(&path, reason));
                }
                (None, Some(_)) => return Err(RecommendError::file(&path, format!("missing; {AGAIN}"))),
                _ => {}
            }
        }
        Ok(())
    }

    fn sealed(&self) -> String {
        let open = Manifest { seal: String::new(), ..self.clone() };
        let text = serde_json::to_string(&open).expect("names, hashes and finite numbers are JSON");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("names, hashes and finite numbers are JSON");
        format!("{text}\n")
    }
}

/// The hash of a file's contents; `None` if there is no such file.
pub(crate) fn hash(path: &Path) -> Result<Option<String>, RecommendError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(RecommendError::io(path))?,
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(RecommendError::io(path))?;
    Ok(Some(hasher.finalize().to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let open = Manifest {
            version: VERSION,
            what: WHAT.into(),
            name: "m".into(),
            fingerprint: "f".into(),
            users: 2,
            items: 3,
            modalities: vec!["text".into()],
            precision: TablePrecision::Float16,
            half: Some(HalfChange { metric: "recall@20".into(), float32: 0.1, float16: 1.0 / 3.0 }),
            files: [("tables.safetensors".to_owned(), "0".to_owned())].into(),
            seal: String::new(),
        };
        Manifest { seal: open.sealed(), ..open }
    }

    #[test]
    fn every_byte_of_the_manifest_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        manifest().write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest()));
        let path = dir.path().join(MANIFEST);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(Manifest::read(dir.path()).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(Manifest::read(dir.path()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn other_versions_and_other_manifests_are_told() {
        let dir = tempfile::tempdir().unwrap();
        for (text, says) in [
            (r#"{"version": 7, "what": "served model"}"#, "version 7"),
            (r#"{"version": 1, "what": "luggage"}"#, "something else"),
            (r#"{"name": "an app"}"#, "damaged"),
        ] {
            std::fs::write(dir.path().join(MANIFEST), text).unwrap();
            let error = Manifest::read(dir.path()).unwrap_err();
            assert!(error.is_input() && error.to_string().contains(says), "{error}");
        }
    }
}
