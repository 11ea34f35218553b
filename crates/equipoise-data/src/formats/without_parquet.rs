//! What stands in the place of Parquet files in a program that was built without them.

use std::path::Path;

use super::cells::Cells;
use super::records::Records;
use super::sources::FeatureRows;
use super::table_options::TableOptions;

use crate::error::DataError;

fn refused(file: &Path) -> DataError {
    let problem = "this program was built without the feature `parquet`; convert the file, or build with it";
    DataError::Parquet { file: file.to_owned(), problem: problem.into() }
}

/// A table of interactions.
pub(super) fn read(
    file: &Path,
    _options: &TableOptions,
    _split: Option<u8>,
    _records: &mut Records,
) -> Result<(), DataError> {
    Err(refused(file))
}

/// Features of a modality.
pub(super) fn features(_name: &str, file: &Path) -> Result<FeatureRows, DataError> {
    Err(refused(file))
}

/// Texts of items.
pub(super) fn cells(
    file: &Path,
    _cells: &Cells,
    _each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), DataError> {
    Err(refused(file))
}
