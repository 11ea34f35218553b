//! An output directory that appears whole or not at all.

use std::fs;
use std::path::Path;

use equipoise_data::{DataError, Unfinished};
use equipoise_jobs::{Fault, Place};
use serde::Serialize;

use crate::stream::Stream;

/// The file that marks a directory as written by a command, which may then replace it.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    /// Name of the file.
    pub(crate) file: &'static str,
    /// What a directory with that file is: `an import`.
    pub(crate) what: &'static str,
}

/// The report of an import.
pub(crate) const IMPORT: Mark = Mark { file: "import.json", what: "an import" };

/// The report of a conversion.
pub(crate) const CONVERSION: Mark = Mark { file: "conversion.json", what: "a conversion" };

/// The settings of made-up data.
pub(crate) const DEMO: Mark = Mark { file: "demo.toml", what: "a demo" };

/// The settings of a made-up shop.
pub(crate) const SHOP: Mark = Mark { file: "shop.toml", what: "a shop" };

/// A data set in the making. Files go into a hidden directory beside the final place, which takes its name at the end (see
/// [`Place`]). Until then, and after a fault, the place is as it was. Only one program at a time has it.
pub(crate) struct OutputDir {
    // Before the place: it is removed while its lock is held.
    filling: Unfinished,
    mark: Mark,
    place: Place,
}

impl OutputDir {
    /// Prepares to write `out`.
    ///
    /// # Errors
    /// [`DataError::Exists`] if `out` holds something without `mark`, or something with it and `overwrite` is false;
    /// [`DataError::Held`] if another program is writing it; [`DataError::Io`] if the hidden directory cannot be made.
    pub(crate) fn reserve(out: &Path, mark: Mark, overwrite: bool) -> Result<OutputDir, DataError> {
        let exists = |problem: String| Err(DataError::Exists { path: out.to_owned(), problem });
        let what = mark.what;
        if out.as_os_str().is_empty() {
            return exists("expected the name of a new directory".into());
        }
        let fault = |fault| data_error(out, &fault);
        let place = Place::claim(out).map_err(fault)?;
        if !is_free(out)? {
            if !out.join(mark.file).is_file() {
                return exists(format!("holds something other than {what}; choose another directory"));
            }
            if !overwrite {
                return exists(format!(
                    "holds {what} already; choose another directory, or replace it with --overwrite"
                ));
            }
        }
        Ok(OutputDir { filling: Unfinished::new(place.begin().map_err(fault)?), mark, place })
    }

    /// Where the files go.
    pub(crate) fn dir(&self) -> &Path {
        self.filling.path()
    }

    /// Writes the file that marks the directory.
    pub(crate) fn write_report(&self, report: &impl Serialize) -> Result<(), DataError> {
        let mut out = Stream::create(self.dir().join(self.mark.file))?;
        let text = serde_json::to_string_pretty(report).expect("counts and names are JSON");
        out.write(text.as_bytes())?;
        out.write(b"\n")?;
        out.finish()
    }

    /// Puts the directory in its place, and removes what was there.
    pub(crate) fn finish(self) -> Result<(), DataError> {
        self.finish_with(|_| Ok(()))
    }

    /// The same, but files of other names that were there stay, such as features that were added.
    pub(crate) fn finish_beside_others(self) -> Result<(), DataError> {
        self.finish_with(|place| place.carry_over(&|_| true))
    }

    fn finish_with(self, carry: impl FnOnce(&Place) -> Result<(), Fault>) -> Result<(), DataError> {
        let OutputDir { filling, place, .. } = self;
        let done =
            filling.publish(|_| place.exchange()).and_then(|()| carry(&place)).and_then(|()| place.clear());
        done.map_err(|fault| data_error(place.dir(), &fault))
    }
}

/// A fault of a place as one of the data that was to be written there.
pub(crate) fn data_error(out: &Path, fault: &Fault) -> DataError {
    if let Fault::Held { dir, by } = fault {
        return DataError::Held { path: dir.clone(), by: by.clone() };
    }
    let (file, source) = match fault.refused() {
        Some(refused) => {
            (refused.path.as_path(), std::io::Error::new(refused.source.kind(), refused.source.to_string()))
        }
        None => (out, std::io::Error::other(fault.to_string())),
    };
    DataError::Io { file: file.to_owned(), source }
}

/// Whether there is nothing at `out`, or an empty directory.
fn is_free(out: &Path) -> Result<bool, DataError> {
    match fs::read_dir(out) {
        // The lock of a directory beside which nothing may be written lies in it.
        Ok(mut entries) => Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".lock"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(DataError::Io { file: out.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("listing");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_output_that_is_given_up_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("data");
        let output = OutputDir::reserve(&out, IMPORT, false).expect("free");
        fs::write(output.dir().join(IMPORT.file), "half").expect("write");
        let held = OutputDir::reserve(&out, IMPORT, true).err().expect("at work");
        assert!(matches!(&held, DataError::Held { by, .. } if by.contains("process ")), "{held}");
        drop(output);
        assert!(entries(dir.path()).is_empty());
    }

    #[test]
    fn what_a_killed_program_left_is_cleared() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("data");
        fs::create_dir(dir.path().join(".data.new")).expect("create");
        fs::write(dir.path().join(".data.new/half"), "half").expect("write");
        fs::write(dir.path().join(".data.lock"), "process 1 (killed)").expect("write");
        let output = OutputDir::reserve(&out, IMPORT, false).expect("free");
        fs::write(output.dir().join(IMPORT.file), "whole").expect("write");
        output.finish().expect("finish");
        assert_eq!(entries(dir.path()), ["data"]);
        assert_eq!(entries(&out), [IMPORT.file]);
    }

    #[test]
    fn only_an_earlier_import_is_replaced_and_only_when_asked() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("data");
        for text in ["old", "new"] {
            let output = OutputDir::reserve(&out, IMPORT, true).expect("free or an import");
            fs::write(output.dir().join(IMPORT.file), text).expect("write");
            fs::write(output.dir().join("other"), text).expect("write");
            output.finish().expect("finish");
        }
        assert_eq!(fs::read_to_string(out.join(IMPORT.file)).expect("read"), "new");
        assert_eq!(entries(dir.path()), ["data"]);
        let message = OutputDir::reserve(&out, IMPORT, false).err().expect("taken").to_string();
        assert!(message.contains("--overwrite"), "{message}");
        fs::remove_file(out.join(IMPORT.file)).expect("remove");
        let message = OutputDir::reserve(&out, IMPORT, true).err().expect("not an import").to_string();
        assert!(message.contains("something other than an import"), "{message}");
        assert!(out.join("other").exists());
    }
}
