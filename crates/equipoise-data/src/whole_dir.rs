//! A directory that appears whole or not at all: filled beside its place under a hidden name, then renamed.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::DataError;

/// The directory that holds `out`.
pub(crate) fn parent(out: &Path) -> PathBuf {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether there is nothing, or an empty directory.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn is_free(out: &Path) -> Result<bool, DataError> {
    match fs::read_dir(out) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(DataError::Io { file: out.to_owned(), source }),
    }
}

/// A new hidden directory in `parent`, which is made if need be; removed again unless it is kept. It has ordinary
/// permissions (0777 less the umask) instead of the private ones of a temporary directory.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn hidden(parent: &Path) -> Result<TempDir, DataError> {
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
