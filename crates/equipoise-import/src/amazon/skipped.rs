//! What was found out, left out or altered, with examples.

use std::path::Path;

use equipoise_data::formats::Faults;
use equipoise_data::{DataError, Lines};

/// Faults that did not stop the import: the first ones in words; all are counted elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    pub(crate) examples: Vec<String>,
    /// Halves of surrogate pairs replaced by U+FFFD.
    pub(crate) replaced: u64,
    /// Values `NaN` or infinite, which count as absent.
    pub(crate) not_numbers: u64,
    /// What was found out about the files, a sentence each.
    pub(crate) notes: Vec<String>,
}

impl Skipped {
    /// Notes a line that was left out.
    pub(crate) fn line(&mut self, fault: DataError) {
        if self.examples.len() < Faults::LISTED {
            self.examples.push(fault.to_string());
        }
    }

    /// Notes what was found out about a file.
    pub(crate) fn note(&mut self, file: &Path, said: &[String]) {
        if !said.is_empty() {
            self.notes.push(format!("{}: {}.", file.display(), said.join("; ")));
        }
    }
}

/// How a file of objects is read, where that is not the usual.
pub(crate) fn said_of(lines: &Lines) -> impl Iterator<Item = String> {
    let array = lines.is_array().then(|| "one JSON array instead of an object per line".to_owned());
    array.into_iter().chain(lines.said_encoding())
}
