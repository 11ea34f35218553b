//! An output directory that appears whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use equipoise_data::DataError;
use serde::Serialize;
use tempfile::TempDir;

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

/// A data set in the making. Files go into a hidden directory beside the final place, which is renamed at the end.
/// Until then, and after a fault, the place is as it was. A directory `.equipoise-*.part` that a killed process left
/// behind may be removed.
pub(crate) struct OutputDir {
    out: PathBuf,
    mark: Mark,
    temporary: TempDir,
}

impl OutputDir {
    /// Prepares to write `out`.
    ///
    /// # Errors
    /// [`DataError::Exists`] if `out` holds something without `mark`, or something with it and `overwrite` is false;
    /// [`DataError::Io`] if the hidden directory cannot be made.
    pub(crate) fn reserve(out: &Path, mark: Mark, overwrite: bool) -> Result<OutputDir, DataError> {
        let exists = |problem: String| Err(DataError::Exists { path: out.to_owned(), problem });
        let what = mark.what;
        if out.file_name().is_none() {
            return exists("expected the name of a new directory".into());
        }
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
        Ok(OutputDir { out: out.to_owned(), mark, temporary: hidden(&parent(out))? })
    }

    /// Where the files go.
    pub(crate) fn dir(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes the file that marks the directory.
    pub(crate) fn write_report(&self, report: &impl Serialize) -> Result<(), DataError> {
        let mut out = Stream::create(self.dir().join(self.mark.file))?;
        let text = serde_json::to_string_pretty(report).expect("counts and names are JSON");
        out.write(text.as_bytes())?;
        out.write(b"\n")?;
        out.finish()
    }

    /// Renames the directory to its place. What was there is moved aside first and removed last: if the process is
    /// killed in between, it is still there as `.<name>.old`.
    pub(crate) fn finish(self) -> Result<(), DataError> {
        let out = &self.out;
        let name = out.file_name().expect("checked when the directory was reserved").to_string_lossy();
        let old = out.with_file_name(format!(".{name}.old"));
        let replaced = out.join(self.mark.file).is_file();
        if replaced {
            if old.exists() {
                fs::remove_dir_all(&old).map_err(DataError::io(&old))?;
            }
            fs::rename(out, &old).map_err(DataError::io(out))?;
        } else if out.exists() {
            fs::remove_dir(out).map_err(DataError::io(out))?;
        }
        if let Err(source) = fs::rename(self.temporary.path(), out) {
            if replaced {
                // The first fault is the one to report.
                let _ = fs::rename(&old, out);
            }
            return Err(DataError::Io { file: out.clone(), source });
        }
        // The directory has another name now: nothing is left to clean up.
        let _ = self.temporary.keep();
        if replaced {
            fs::remove_dir_all(&old).map_err(DataError::io(&old))?;
        }
        Ok(())
    }
}

/// The directory that holds `out`.
fn parent(out: &Path) -> PathBuf {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether there is nothing at `out`, or an empty directory.
fn is_free(out: &Path) -> Result<bool, DataError> {
    match fs::read_dir(out) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(DataError::Io { file: out.to_owned(), source }),
    }
}

/// A new hidden directory in `parent`, which is made if need be. The directory is removed again unless it is kept. It
/// has ordinary permissions (0777 less the umask) instead of the private ones of a temporary directory.
fn hidden(parent: &Path) -> Result<TempDir, DataError> {
    fs::create_dir_all(parent).map_err(DataError::io(parent))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".equipoise-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent).map_err(DataError::io(parent))
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
        drop(output);
        assert!(entries(dir.path()).is_empty());
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
