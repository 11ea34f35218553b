//! A directory that appears whole or not at all.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::report::REPORT;
use crate::error::DataError;
use crate::whole_dir::{hidden, is_free, parent};

/// A data set under way: files go into a hidden directory beside its place, which is renamed at the end. What is
/// cut short leaves that place as it was; a directory `.equipoise-*.part` that a killed import left may be removed.
pub(crate) struct Place {
    out: PathBuf,
    under_way: TempDir,
}

impl Place {
    /// Makes room for `out`. What is there must be an import, and `overwrite` must be set.
    pub(crate) fn reserve(out: &Path, overwrite: bool) -> Result<Place, DataError> {
        let taken = |problem: &str| DataError::Entry {
            file: out.to_owned(),
            place: "the output directory".into(),
            problem: problem.to_owned(),
        };
        if !is_free(out).unwrap_or(false) {
            // Whatever else is there is not ours to remove.
            if !out.join(REPORT).is_file() {
                return Err(taken("holds something other than an import; choose a new directory"));
            }
            if !overwrite {
                return Err(taken("holds an import already; choose another or pass --overwrite"));
            }
        }
        let under_way = hidden(&parent(out))?;
        let core = under_way.path().join("5-core");
        std::fs::create_dir(&core).map_err(DataError::io(&core))?;
        Ok(Place { out: out.to_owned(), under_way })
    }

    /// Where files go.
    pub(crate) fn dir(&self) -> &Path {
        self.under_way.path()
    }

    /// Renames the directory to its place; what was there is removed afterwards.
    pub(crate) fn finish(self) -> Result<(), DataError> {
        let error = DataError::io(&self.out);
        let parent = self.under_way.path().parent().expect("a directory made within another").to_owned();
        // Holds what was there, and removes it at the end.
        let old = hidden(&parent)?;
        let aside = old.path().join("old");
        let there = self.out.exists();
        if there {
            std::fs::rename(&self.out, &aside).map_err(DataError::io(&self.out))?;
        }
        match std::fs::rename(self.under_way.path(), &self.out) {
            Ok(()) => {
                // Nothing is left under its old name.
                let _ = self.under_way.keep();
                Ok(())
            }
            Err(failed) => {
                if there {
                    std::fs::rename(&aside, &self.out).map_err(DataError::io(&aside))?;
                }
                Err(error(failed))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).expect("listing");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_import_that_is_given_up_leaves_everything_as_it_was() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("data");
        let place = Place::reserve(&out, false).expect("free");
        std::fs::write(place.dir().join(REPORT), "half").expect("write");
        drop(place);
        assert!(entries(dir.path()).is_empty());
    }

    #[test]
    fn only_an_earlier_import_is_replaced_and_only_when_asked() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("data");
        for text in ["old", "new"] {
            let place = Place::reserve(&out, true).expect("free or an import");
            std::fs::write(place.dir().join(REPORT), text).expect("write");
            place.finish().expect("finish");
        }
        assert_eq!(std::fs::read_to_string(out.join(REPORT)).expect("read"), "new");
        assert_eq!(entries(dir.path()), ["data"]);
        let message = Place::reserve(&out, false).err().expect("taken").to_string();
        assert!(message.contains("--overwrite"), "{message}");
        std::fs::remove_file(out.join(REPORT)).expect("remove");
        let message = Place::reserve(&out, true).err().expect("not an import").to_string();
        assert!(message.contains("something other than an import"), "{message}");
        assert!(out.join("5-core").exists());
    }
}
