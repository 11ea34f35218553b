//! `run.json`: which files make up a run, each by its BLAKE3 hash.
//!
//! ```json
//! {
//!   "version": 1,
//!   "files": { "config.toml": "3f0c…", "metrics.json": "91ab…", … },
//!   "before": { "metrics.json": "77d0…" },
//!   "seal": "c4e2…"
//! }
//! ```
//!
//! It is written right before `metrics.json`, which marks the run as finished, and so holds the hash that this file will have.
//! `before` is there only where `metrics.json` replaces an earlier one, as it does for a teacher that is measured on test
//! afterwards: a process that is killed between the two files leaves the earlier one, which is accepted as well. `seal` is the hash
//! of all the rest, so that a damaged `run.json` is not taken at its word.

use crate::error::TrainError;
use equipoise_data::{told_apart, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Name of the file.
pub(crate) const NAME: &str = "run.json";
const VERSION: u32 = 1;

/// What to do about a file that is not the one that was written.
const AGAIN: &str = "copy the whole run again, or train again with --overwrite";

/// The files of a run and their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoundFiles {
    dir: PathBuf,
    files: BTreeMap<String, String>,
    before: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    version: u32,
    files: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    before: BTreeMap<String, String>,
    seal: String,
}

impl BoundFiles {
    /// The files of these names that are in `dir`, and `last`, which is about to be written there with these bytes.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn of(dir: &Path, names: &[&str], last: (&str, &[u8])) -> Result<BoundFiles, TrainError> {
        let hashed = |name: &&str| Ok(hash(&dir.join(name))?.map(|hash| ((*name).to_owned(), hash)));
        let found: Result<Vec<_>, TrainError> = names.iter().map(hashed).collect();
        let mut files: BTreeMap<String, String> = found?.into_iter().flatten().collect();
        files.insert(last.0.to_owned(), hex(last.1));
        let before = hash(&dir.join(last.0))?.map(|hash| (last.0.to_owned(), hash)).into_iter().collect();
        Ok(BoundFiles { dir: dir.to_owned(), files, before })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn write(&self) -> Result<(), TrainError> {
        let path = self.dir.join(NAME);
        write_atomic(&path, |file| file.write_all(self.text().as_bytes()))
            .map_err(|e| TrainError::io(&path, e))
    }

    /// What `run.json` in `dir` says; `None` of a run that an earlier version of this program made, which has no such file.
    ///
    /// # Errors
    /// If the file is damaged or of another version.
    pub(crate) fn read(dir: &Path) -> Result<Option<BoundFiles>, TrainError> {
        let path = dir.join(NAME);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|e| TrainError::io(&path, e))?,
        };
        let damaged = || TrainError::format(&path, format!("damaged; {AGAIN}"));
        let OnDisk { version, files, before, .. } = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let bound = BoundFiles { dir: dir.to_owned(), files, before };
        if version != VERSION {
            let reason = format!("version {version} of this file, this program reads version {VERSION}");
            return Err(TrainError::format(&path, reason));
        }
        // Equal contents have equal texts.
        if bound.text().as_bytes() == text { Ok(Some(bound)) } else { Err(damaged()) }
    }

    /// Checks a file of the run before it is read. One that is not there is left to whoever reads it.
    ///
    /// # Errors
    /// [`TrainError::RunFormat`] if it is not the one that was written.
    pub(crate) fn check(&self, name: &str) -> Result<(), TrainError> {
        match hash(&self.dir.join(name))? {
            Some(found) => self.compare(name, &found),
            None => Ok(()),
        }
    }

    /// The same of bytes that were read or mapped already.
    ///
    /// # Errors
    /// As [`check`](BoundFiles::check).
    pub(crate) fn check_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        self.compare(name, &hex(bytes))
    }

    fn compare(&self, name: &str, found: &str) -> Result<(), TrainError> {
        let path = self.dir.join(name);
        let Some(expected) = self.files.get(name) else {
            return Err(TrainError::format(
                &path,
                format!("no file of this run ({NAME} does not name it); {AGAIN}"),
            ));
        };
        if expected == found || self.before.get(name).is_some_and(|before| before == found) {
            return Ok(());
        }
        let (found, expected) = told_apart(found, expected);
        let reason = format!(
            "not the file that belongs to this run: its BLAKE3 hash is {found}, {NAME} says {expected}; {AGAIN}"
        );
        Err(TrainError::format(&path, reason))
    }

    fn text(&self) -> String {
        let (files, before) = (self.files.clone(), self.before.clone());
        let sealed = serde_json::to_string(&(VERSION, &files, &before)).expect("names and hashes are JSON");
        let on_disk = OnDisk { version: VERSION, files, before, seal: hex(sealed.as_bytes()) };
        let text = serde_json::to_string_pretty(&on_disk).expect("names and hashes are JSON");
        format!("{text}\n")
    }
}

fn hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The hash of a file's contents; `None` if there is no such file.
fn hash(path: &Path) -> Result<Option<String>, TrainError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|e| TrainError::io(path, e))?,
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(|e| TrainError::io(path, e))?;
    Ok(Some(hasher.finalize().to_hex().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(dir: &Path) -> BoundFiles {
        std::fs::write(dir.join("model"), "weights").unwrap();
        BoundFiles::of(dir, &["model", "absent"], ("metrics", b"0.5")).unwrap()
    }

    #[test]
    fn files_are_known_by_their_contents_and_the_last_one_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        bound(dir.path()).write().unwrap();
        let read = BoundFiles::read(dir.path()).unwrap().expect("written");
        assert_eq!(read, bound(dir.path()));
        read.check("model").unwrap();
        read.check("metrics").unwrap();
        std::fs::write(dir.path().join("metrics"), "0.6").unwrap();
        let error = read.check("metrics").unwrap_err().to_string();
        assert!(
            error.contains("not the file that belongs to this run") && error.contains("--overwrite"),
            "{error}"
        );
        std::fs::write(dir.path().join("metrics"), "0.5").unwrap();
        read.check("metrics").unwrap();
        std::fs::write(dir.path().join("absent"), "?").unwrap();
        assert!(read.check("absent").unwrap_err().to_string().contains("does not name it"));
    }

    #[test]
    fn metrics_that_were_to_be_replaced_are_accepted_as_well() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("metrics"), "0.4").unwrap();
        let bound = bound(dir.path());
        bound.check("metrics").unwrap();
        bound.check_bytes("metrics", b"0.5").unwrap();
        assert!(bound.check_bytes("metrics", b"0.6").is_err());
    }

    #[test]
    fn every_byte_of_the_file_counts_and_a_run_without_it_is_an_earlier_one() {
        let dir = tempfile::tempdir().unwrap();
        let (path, bound) = (dir.path().join(NAME), bound(dir.path()));
        assert_eq!(BoundFiles::read(dir.path()).unwrap(), None);
        bound.write().unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(BoundFiles::read(dir.path()).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(BoundFiles::read(dir.path()).is_err(), "cut at {at}");
        }
    }
}
