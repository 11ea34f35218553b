//! JSON files of models: read whole, with the field named where one does not fit.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::EncodeError;
use equipoise_data::short;

/// The file as a `T`; fields that `T` does not name are of no concern here.
///
/// # Errors
/// If the file cannot be read, is no JSON, or a field has another type or is absent.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, EncodeError> {
    let text = std::fs::read(file).map_err(EncodeError::io(file))?;
    serde_json::from_slice(&text).map_err(|error| {
        let problem = short(&error.to_string());
        EncodeError::file(file, format!("{problem}; correct the file or fetch the model again"))
    })
}

/// The file as a `T`, or `None` where there is no such file.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_if_there<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, EncodeError> {
    if file.is_file() { read(file).map(Some) } else { Ok(None) }
}
