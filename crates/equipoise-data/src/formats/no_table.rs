//! Files that are given as a data set and are no table: what they are, and what to do with them.

use std::path::Path;

use crate::error::DataError;
use crate::text::foreign;

/// Endings of files that lie in the folder of a data set.
const PARTS: [&str; 9] = ["inter", "npz", "npy", "safetensors", "toml", "item", "user", "pkl", "pickle"];

/// Why a file is no data set.
pub(super) fn no_table(file: &Path) -> DataError {
    const TABLE: &str = "a table (.csv, .tsv, .txt, .dat, .jsonl or .parquet)";
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let problem = match foreign(file).filter(|_| ending != "gz") {
        Some((what, remedy)) => format!("{what}, expected {TABLE}; {remedy}"),
        None if PARTS.contains(&&*ending) => {
            format!("a part of a data set, expected the folder in which it lies or {TABLE}; give that")
        }
        None => format!("its name does not end as that of {TABLE}; rename or convert it"),
    };
    DataError::whole(file, problem)
}
