//! A unit of work and its marks.

use crate::{Fault, Lock, StopFlag};
use equipoise_data::write_atomic;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the file that says which unit lies in a directory.
pub const UNIT: &str = "unit.json";
/// Name of the file that marks a unit as finished.
pub const FINISHED: &str = "finished.json";
/// Name of the file that marks a unit as failed.
pub const FAILED: &str = "failed.json";
const LOCK: &str = ".lock";
/// Key of a summary that is no structure.
const RESULT: &str = "result";

/// Version of these files.
const VERSION: u32 = 1;

/// A unit of work: its directory and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    dir: PathBuf,
    key: String,
}

/// What lies in the directory of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    New,
    /// This unit, begun and not finished.
    Begun,
    /// This unit, finished.
    Finished,
    /// This unit failed by itself, with this message.
    Failed(String),
    /// A unit of another key.
    Other,
    /// Files, but no unit.
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct About<T> {
    version: u32,
    key: String,
    made_from: T,
}

#[derive(Serialize, Deserialize)]
struct Failed {
    version: u32,
    message: String,
}

impl Unit {
    /// The unit of this key in `dir`. Nothing is read or written.
    pub fn new(dir: impl Into<PathBuf>, key: impl Into<String>) -> Unit {
        Unit { dir: dir.into(), key: key.into() }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What lies in its directory. A directory with `finished.json` or `failed.json` but no `unit.json` is taken for this unit:
    /// programs before `unit.json` had the key in the directory's name alone.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn standing(&self) -> Result<Standing, Fault> {
        let about = read::<About<serde::de::IgnoredAny>>(&self.dir.join(UNIT));
        match about {
            Some(about) if about.version != VERSION || about.key != self.key => return Ok(Standing::Other),
            None if self.dir.join(UNIT).exists() => return Ok(Standing::Foreign),
            _ => {}
        }
        let finished = read::<Version>(&self.dir.join(FINISHED)).is_some_and(|mark| mark.version == VERSION);
        if finished {
            return Ok(Standing::Finished);
        }
        if let Some(failed) = read::<Failed>(&self.dir.join(FAILED)) {
            return Ok(Standing::Failed(failed.message));
        }
        if about.is_some() {
            return Ok(Standing::Begun);
        }
        Ok(if has_visible_files(&self.dir)? { Standing::Foreign } else { Standing::New })
    }

    /// What `finished.json` holds, if the unit is finished and that can be read.
    pub fn result<T: DeserializeOwned>(&self) -> Option<T> {
        if self.standing().ok()? != Standing::Finished {
            return None;
        }
        let mut mark: Map<String, Value> = read(&self.dir.join(FINISHED))?;
        mark.remove("version");
        let alone = mark.get(RESULT).cloned();
        let fields = serde_json::from_value(Value::Object(mark)).ok();
        fields.or_else(|| serde_json::from_value(alone?).ok())
    }

    /// Takes the right to work on it. The directory is made if there is none.
    ///
    /// # Errors
    /// [`Fault::Held`] if another works on it; file system faults.
    pub fn claim(&self) -> Result<Claim, Fault> {
        Ok(Claim { unit: self.clone(), _lock: Lock::take(&self.dir.join(LOCK))? })
    }

    /// The same, but waits while another works on it: until `stop` is raised, and for at most `patience`, if given.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn wait(&self, stop: &StopFlag, patience: Option<Duration>) -> Result<Claim, Fault> {
        Ok(Claim { unit: self.clone(), _lock: Lock::wait(&self.dir.join(LOCK), stop, patience)? })
    }

    /// Marks the unit as failed, for a runner whose process could not do so.
    ///
    /// # Errors
    /// File system faults.
    pub fn fail(&self, message: &str) -> Result<(), Fault> {
        write(&self.dir.join(FAILED), &Failed { version: VERSION, message: message.to_owned() })
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The right to work on a unit. It ends when this is dropped.
#[derive(Debug)]
pub struct Claim {
    unit: Unit,
    _lock: Lock,
}

impl Claim {
    /// The unit.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Removes what lies in the directory, whatever it is. `unit.json` goes last: a directory that is removed in part still
    /// says whose it was.
    ///
    /// # Errors
    /// File system faults.
    pub fn clear(&self) -> Result<(), Fault> {
        let dir = &self.unit.dir;
        remove(&dir.join(FINISHED))?;
        for entry in std::fs::read_dir(dir).map_err(Fault::io(dir))? {
            let path = entry.map_err(Fault::io(dir))?.path();
            let kept = [LOCK, UNIT].iter().any(|name| path.ends_with(name));
            if !kept && path.is_dir() {
                std::fs::remove_dir_all(&path).map_err(Fault::io(&path))?;
            } else if !kept {
                remove(&path)?;
            }
        }
        remove(&dir.join(UNIT))
    }

    /// Marks the unit as begun: removes the marks of earlier attempts and writes its key with what that was made from. Other
    /// files stay, so that work can be taken up where it was left.
    ///
    /// # Errors
    /// File system faults.
    pub fn begin(&self, made_from: &impl Serialize) -> Result<(), Fault> {
        for mark in [FINISHED, FAILED] {
            remove(&self.unit.dir.join(mark))?;
        }
        equipoise_data::remove_parts(&self.unit.dir);
        let about = About { version: VERSION, key: self.unit.key.clone(), made_from };
        write(&self.unit.dir.join(UNIT), &about)
    }

    /// Marks the unit as finished, with a summary of its result. The fields of a structure stand beside `version`, anything
    /// else stands under `result`.
    ///
    /// # Errors
    /// File system faults.
    pub fn finish(self, result: &impl Serialize) -> Result<(), Fault> {
        let mut mark = Map::from_iter([("version".to_owned(), Value::from(VERSION))]);
        match serde_json::to_value(result).expect("results are plain data") {
            Value::Object(fields) => mark.extend(fields),
            other => mark.extend([(RESULT.to_owned(), other)]),
        }
        write(&self.unit.dir.join(FINISHED), &mark)
    }

    /// Marks the unit as failed by itself.
    ///
    /// # Errors
    /// File system faults.
    pub fn fail(self, message: &str) -> Result<(), Fault> {
        self.unit.fail(message)
    }
}

/// Whether there is a file that is not hidden. Hidden files are left by a write that was cut short.
fn has_visible_files(dir: &Path) -> Result<bool, Fault> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Fault::io(dir)(error)),
    };
    for entry in entries {
        if !entry.map_err(Fault::io(dir))?.file_name().to_string_lossy().starts_with('.') {
            return Ok(true);
        }
    }
    Ok(false)
}

fn remove(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::io(path)(error)),
        _ => Ok(()),
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value).expect("marks are plain data");
    write_atomic(path, |file| file.write_all(text.as_bytes())).map_err(Fault::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn unit(dir: &Path, key: &str) -> Unit {
        Unit::new(dir.join("unit"), key)
    }

    #[test]
    fn a_unit_is_new_then_begun_then_finished_and_another_key_is_another_unit() {
        let dir = tempfile::tempdir().unwrap();
        let one = unit(dir.path(), "one");
        assert_eq!(one.standing().unwrap(), Standing::New);
        let claim = one.claim().unwrap();
        assert_eq!(one.standing().unwrap(), Standing::New, "a lock is no work");
        claim.begin(&"settings").unwrap();
        std::fs::write(one.dir().join("part"), "half").unwrap();
        assert_eq!(one.standing().unwrap(), Standing::Begun);
        claim.finish(&BTreeMap::from([("value", 0.5)])).unwrap();
        assert_eq!(one.standing().unwrap(), Standing::Finished);
        assert_eq!(one.result::<BTreeMap<String, f64>>(), Some([("value".to_owned(), 0.5)].into()));
        let other = unit(dir.path(), "other");
        assert_eq!((other.standing().unwrap(), other.result::<f64>()), (Standing::Other, None));
        let claim = other.claim().unwrap();
        claim.clear().unwrap();
        assert!(!other.dir().join("part").exists() && other.standing().unwrap() == Standing::New);
        std::fs::write(other.dir().join("thesis.tex"), "work").unwrap();
        assert_eq!(other.standing().unwrap(), Standing::Foreign);
    }

    #[test]
    fn a_failure_is_remembered_until_the_unit_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        let unit = unit(dir.path(), "one");
        let claim = unit.claim().unwrap();
        claim.begin(&0).unwrap();
        claim.fail("the loss became NaN").unwrap();
        assert_eq!(unit.standing().unwrap(), Standing::Failed("the loss became NaN".into()));
        unit.claim().unwrap().begin(&0).unwrap();
        assert_eq!(unit.standing().unwrap(), Standing::Begun);
    }

    #[test]
    fn one_at_a_time_and_the_second_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let unit = unit(dir.path(), "one");
        let first = unit.claim().unwrap();
        let held = unit.claim().unwrap_err();
        assert!(held.may_pass());
        assert!(held.to_string().contains(&format!("process {}", std::process::id())), "{held}");
        let (stop, short) = (StopFlag::default(), Some(Duration::from_millis(1)));
        assert!(matches!(unit.wait(&stop, short), Err(Fault::Held { .. })));
        stop.raise();
        assert_eq!(unit.wait(&stop, None).unwrap_err(), Fault::Interrupted);
        drop(first);
        assert!(unit.wait(&stop, None).is_ok());
    }

    #[test]
    fn marks_without_a_key_are_those_of_an_earlier_program() {
        let dir = tempfile::tempdir().unwrap();
        let unit = unit(dir.path(), "one");
        std::fs::create_dir_all(unit.dir()).unwrap();
        std::fs::write(unit.dir().join("request.toml"), "seed = 1").unwrap();
        assert_eq!(unit.standing().unwrap(), Standing::Foreign);
        std::fs::write(unit.dir().join(FINISHED), r#"{"version":1,"validation":0.5}"#).unwrap();
        assert_eq!(unit.standing().unwrap(), Standing::Finished);
    }
}
