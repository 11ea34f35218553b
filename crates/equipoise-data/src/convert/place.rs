//! The directory that a conversion fills: all at once, and only where it may.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use crate::atomic::write_atomic;
use crate::error::DataError;
use crate::whole_dir::{hidden, is_free, parent};

/// The report beside the data; a directory with it may be replaced.
pub(super) const CONVERSION: &str = "conversion.json";

/// Where a data set goes.
pub(super) struct Place {
    out: PathBuf,
    parent: PathBuf,
}

impl Place {
    /// Looks whether `out` may be written.
    ///
    /// # Errors
    /// [`DataError::Exists`] if something is there that is not to be replaced, or holds the source.
    pub(super) fn new(source: &Path, out: &Path, overwrite: bool) -> Result<Place, DataError> {
        let exists = |problem| Err(DataError::Exists { path: out.to_owned(), problem });
        if out.file_name().is_none() {
            return exists("expected the name of a new directory");
        }
        if !is_free(out)? {
            if !out.join(CONVERSION).is_file() {
                return exists("holds something that no conversion wrote; choose another directory");
            }
            if !overwrite {
                return exists("holds a data set; choose another directory, or replace it with --overwrite");
            }
            let (from, to) = (source.canonicalize(), out.canonicalize());
            if from.and_then(|from| to.map(|to| from.starts_with(to))).unwrap_or(false) {
                return exists("is where the data comes from; choose another directory");
            }
        }
        Ok(Place { out: out.to_owned(), parent: parent(out) })
    }

    /// A new directory beside the place; gone again if nothing comes of it.
    pub(super) fn open(&self) -> Result<TempDir, DataError> {
        hidden(&self.parent)
    }

    /// Puts the directory in place. What was there is moved aside first and removed last: should the program be
    /// killed in between, it is still there as `.<name>.old`.
    pub(super) fn close(self, dir: TempDir) -> Result<(), DataError> {
        let out = &self.out;
        let name = out.file_name().expect("looked at when the place was made").to_string_lossy();
        let old = self.parent.join(format!(".{name}.old"));
        let replaced = out.join(CONVERSION).is_file();
        if replaced {
            if old.exists() {
                fs::remove_dir_all(&old).map_err(DataError::io(&old))?;
            }
            fs::rename(out, &old).map_err(DataError::io(out))?;
        } else if out.exists() {
            fs::remove_dir(out).map_err(DataError::io(out))?;
        }
        if let Err(source) = fs::rename(dir.path(), out) {
            if replaced {
                // The first fault is the one to report.
                let _ = fs::rename(&old, out);
            }
            return Err(DataError::Io { file: out.clone(), source });
        }
        // It has another name now: nothing is left to clean up.
        let _ = dir.keep();
        if replaced {
            fs::remove_dir_all(&old).map_err(DataError::io(&old))?;
        }
        Ok(())
    }
}

/// Writes a JSON document.
pub(super) fn write_json(file: &Path, value: &impl Serialize) -> Result<(), DataError> {
    write_atomic(file, |out| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    })
    .map_err(DataError::io(file))
}

/// Writes lines of text as they come.
pub(crate) fn write_lines(file: &Path, lines: impl Iterator<Item = String>) -> Result<(), DataError> {
    write_atomic(file, |out| lines.into_iter().try_for_each(|line| writeln!(out, "{line}")))
        .map_err(DataError::io(file))
}
