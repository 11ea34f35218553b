//! A directory of results that appears whole or not at all.

use crate::error::RecommendError;
use equipoise_data::Unfinished;
use equipoise_jobs::{Fault, Place};
use std::io::ErrorKind;
use std::path::Path;

/// A directory in the making: files go into a hidden one beside the final place, which takes its name at the end (see
/// [`Place`]). Until then, and after a fault, the place is as it was.
pub(crate) struct Output {
    // Before the place: it is removed while its lock is held.
    filling: Unfinished,
    place: Place,
}

impl Output {
    /// Prepares to write `out`, which must be absent, empty, or hold the file `mark`, by which an earlier result is known,
    /// where `overwrite` is set.
    ///
    /// # Errors
    /// If `out` holds something else; if another program is writing it; file system faults.
    pub(crate) fn begin(out: &Path, mark: &str, overwrite: bool) -> Result<Output, RecommendError> {
        let place = Place::claim(out)?;
        if !is_free(out)? {
            let problem = match (out.join(mark).is_file(), overwrite) {
                (false, _) => {
                    format!(
                        "holds something that is not to be replaced (it has no {mark}); choose another directory"
                    )
                }
                (true, false) => {
                    "holds an earlier result; choose another directory, or replace it with --overwrite".into()
                }
                (true, true) => return Output::of(place),
            };
            return Err(RecommendError::file(out, problem));
        }
        Output::of(place)
    }

    /// Prepares to replace the directory that somebody claimed.
    pub(crate) fn of(place: Place) -> Result<Output, RecommendError> {
        Ok(Output { filling: Unfinished::new(place.begin()?), place })
    }

    /// Where the files go.
    pub(crate) fn dir(&self) -> &Path {
        self.filling.path()
    }

    /// Puts the directory in its place.
    ///
    /// # Errors
    /// File system faults; the place is then as it was.
    pub(crate) fn finish(self) -> Result<(), RecommendError> {
        let Output { filling, place } = self;
        filling.publish(|_| place.exchange())?;
        Ok(place.clear()?)
    }
}

fn is_free(out: &Path) -> Result<bool, RecommendError> {
    match std::fs::read_dir(out) {
        // The lock of a directory beside which nothing may be written lies in it.
        Ok(mut entries) => Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".lock"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Fault::io(out)(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_replaced_on_request_and_anything_else_never() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let write = |overwrite| -> Result<(), RecommendError> {
            let output = Output::begin(&out, "mark", overwrite)?;
            std::fs::write(output.dir().join("mark"), "").unwrap();
            output.finish()
        };
        write(false).unwrap();
        assert!(write(false).unwrap_err().to_string().contains("--overwrite"));
        write(true).unwrap();
        drop(Output::begin(&out, "mark", true).unwrap());
        assert!(out.join("mark").is_file(), "a fault on the way leaves what was there");
        std::fs::remove_file(out.join("mark")).unwrap();
        std::fs::write(out.join("thesis"), "").unwrap();
        let error = write(true).unwrap_err();
        assert!(error.is_input() && error.to_string().contains("mark"), "{error}");
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["out"]);
    }
}
