//! One table in a folder of Parquet files, as Spark, Polars, Dask and DuckDB write it.
//!
//! ```text
//! <dir>/part-00000-<id>.snappy.parquet, part-00001-...     all with the same columns
//! <dir>/_SUCCESS, ._SUCCESS.crc, .part-00000-....crc        marks and check sums, which are not read
//! ```
//!
//! A folder is such a table if Parquet files are all that is seen in it, none of them the features of a modality. Names
//! that begin with a dot or an underscore are not seen.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::quoted::quoted;

/// Whether a folder holds the parts of a table and nothing else, or its name ends in `.parquet`.
pub(super) fn is_folder(path: &Path) -> bool {
    if !path.is_dir() {
        return false;
    }
    let named = has_ending(path);
    seen(path).is_ok_and(|entries| {
        let part = |entry: &PathBuf| entry.is_file() && has_ending(entry) && !is_features(entry);
        let partition = |entry: &PathBuf| entry.is_dir() && key(entry).is_some();
        named || (!entries.is_empty() && entries.iter().all(|entry| part(entry) || partition(entry)))
    })
}

/// The parts in the order of their names.
///
/// # Errors
/// If there is none, something else, or a folder for each value of a column.
pub(super) fn list(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let fault = |problem: String| DataError::Layout {
        path: path.to_owned(),
        found: problem,
        expected: "a folder of the Parquet files of one table, such as part-00000.parquet".into(),
    };
    let mut parts = seen(path).map_err(DataError::io(path))?;
    parts.sort();
    if let Some(key) = parts.iter().find_map(|entry| key(entry)) {
        let problem = format!(
            "a folder for each value of the column {}, which is not in the files; write the table without \
             partitions",
            quoted(&key)
        );
        return Err(fault(problem));
    }
    match parts.iter().find(|part| !part.is_file() || !has_ending(part)) {
        Some(other) => {
            let name = other.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Err(fault(format!("{} among the parts of a table", quoted(&name))))
        }
        None if parts.is_empty() => Err(fault("an empty folder".into())),
        None => Ok(parts),
    }
}

/// Entries of a folder but those whose names begin with a dot or an underscore.
fn seen(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let hidden = |entry: &PathBuf| {
        entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
    };
    let seen = entries.filter(|entry| !entry.as_ref().is_ok_and(hidden));
    seen.collect()
}

fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

fn is_features(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_feat"))
}

/// The column whose value a folder is named for.
fn key(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    path.is_dir().then(|| name.split_once('=').map(|(key, _)| key.to_owned())).flatten()
}
