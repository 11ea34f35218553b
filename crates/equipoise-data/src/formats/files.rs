//! Files of a data set by their names.

use std::path::{Path, PathBuf};

use crate::error::DataError;

/// The file that marks this project's own layout.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// Name of a data set: that of its directory.
pub fn directory_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "data".into())
}

/// The files of a directory that end in `.inter`, by name.
pub(crate) fn inter_files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    files_ending(path, "inter")
}

/// The files of a directory with this ending, by name.
pub(crate) fn files_ending(path: &Path, ending: &str) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(DataError::io(path))? {
        let file = entry.map_err(DataError::io(path))?.path();
        if file.extension().is_some_and(|e| e == ending) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
