//! What a stage is known by.

use super::error::PipelineError;
use equipoise_data::write_atomic;
use equipoise_jobs::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Raises what every stage is known by: when a stage comes to mean something else, all are made anew.
const GENERATION: &str = "equipoise stage 2";

/// A file that was changed within this time of being read may change again unnoticed.
const RACE: Duration = Duration::from_secs(2);

/// Hashes of raw files. What is known of a file is trusted while its length and its time of change stay the same.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    place: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    modified: u128,
    hash: String,
}

impl Hashes {
    /// What is known at `place`, a file of this program's own; a damaged one only costs time.
    pub(super) fn read(place: PathBuf) -> Hashes {
        let text = std::fs::read_to_string(&place).unwrap_or_default();
        Hashes { known: serde_json::from_str(&text).unwrap_or_default(), place, changed: false }
    }

    /// Keeps what is known, if there is anything new.
    pub(super) fn write(&self) -> Result<(), PipelineError> {
        if !self.changed {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(&self.known).expect("paths and numbers are JSON");
        write_atomic(&self.place, |file| file.write_all(text.as_bytes()))
            .map_err(|e| PipelineError::file(&self.place, e))
    }

    /// The hash of a file, or of a directory with all that is below it (hidden files and links to folders left out).
    pub(super) fn of(&mut self, path: &Path) -> Result<String, PipelineError> {
        let fault = |e: std::io::Error| PipelineError::file(path, e);
        if !std::fs::metadata(path).map_err(fault)?.is_dir() {
            return self.file(path);
        }
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(fault)? {
            let entry = entry.map_err(fault)?.path();
            // A link to a folder may lead back.
            if !(entry.is_symlink() && entry.is_dir()) {
                entries.push(entry);
            }
        }
        entries.sort();
        let mut hasher = blake3::Hasher::new();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                hasher.update(format!("{name}\n{}\n", self.of(&entry)?).as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    fn file(&mut self, path: &Path) -> Result<String, PipelineError> {
        let fault = |e: std::io::Error| PipelineError::file(path, e);
        let about = std::fs::metadata(path).map_err(fault)?;
        let modified = about.modified().map_err(fault)?;
        let stamp = modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let key = path.canonicalize().map_err(fault)?.display().to_string();
        if let Some(known) = self.known.get(&key)
            && (known.bytes, known.modified) == (about.len(), stamp)
        {
            return Ok(known.hash.clone());
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(path).map_err(fault)?).map_err(fault)?;
        let hash = hasher.finalize().to_hex().to_string();
        let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age > RACE);
        if settled {
            self.changed = true;
            self.known.insert(key, Known { bytes: about.len(), modified: stamp, hash: hash.clone() });
        }
        Ok(hash)
    }
}

/// The fingerprint of a stage: its name, its settings, the hashes of what it reads, and those of the stages before.
pub(super) fn fingerprint(
    name: &str,
    settings: &serde_json::Value,
    files: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> String {
    // Keys of all maps are in order: equal contents are equal texts.
    let text = serde_json::json!([name, settings, files, before]).to_string();
    Key::new(GENERATION).add(text.as_bytes()).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_known_by_names_and_contents_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let place = dir.path().join("hashes.json");
        let data = dir.path().join("data");
        std::fs::create_dir_all(data.join("in")).expect("create");
        let write = |name: &str, text: &str| std::fs::write(data.join(name), text).expect("write");
        write("a", "1");
        write("in/b", "2");
        let of = || Hashes::read(place.clone()).of(&data).expect("readable");
        let first = of();
        write(".hidden", "3");
        write("a", "1");
        assert_eq!(of(), first, "hidden files and times do not count");
        write("in/b", "3");
        let second = of();
        assert_ne!(second, first);
        std::fs::rename(data.join("a"), data.join("c")).expect("rename");
        assert_ne!(of(), second);
        let missing = Hashes::read(place).of(&data.join("none")).expect_err("nothing there").to_string();
        assert!(missing.contains("none"), "{missing}");
    }

    #[test]
    fn what_is_known_is_used_while_length_and_time_stay() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (place, file) = (dir.path().join("hashes.json"), dir.path().join("a"));
        std::fs::write(&file, "one").expect("write");
        let old = SystemTime::now() - Duration::from_secs(60);
        let age = |time| std::fs::File::options().write(true).open(&file).and_then(|f| f.set_modified(time));
        age(old).expect("times can be set");
        let mut hashes = Hashes::read(place.clone());
        let first = hashes.of(&file).expect("readable");
        hashes.write().expect("write");
        std::fs::write(&file, "two").expect("write");
        assert_ne!(Hashes::read(place.clone()).of(&file).expect("readable"), first, "the time moved");
        age(old).expect("times can be set");
        assert_eq!(Hashes::read(place).of(&file).expect("readable"), first, "nothing tells them apart");
    }
}
