//! What is said of Parquet files by a program that was built without them.

use std::path::Path;

use crate::error::DataError;

/// Refuses a file.
pub(super) fn refused(file: &Path) -> DataError {
    let problem = "this program was built without the feature `parquet`; convert the file, or build with it";
    DataError::Parquet { file: file.to_owned(), problem: problem.into() }
}
