//! Whole files of lines and of JSON.

use std::io::Write;
use std::path::Path;

use equipoise_data::{DataError, write_atomic};
use serde::Serialize;

/// Writes a JSON document.
pub(crate) fn write_json(file: &Path, value: &impl Serialize) -> Result<(), DataError> {
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
