//! What was left out or altered, with examples.

use equipoise_data::DataError;
use equipoise_data::formats::Faults;

/// Faults that did not stop the import: the first ones in words; all are counted elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    pub(crate) examples: Vec<String>,
    /// Halves of surrogate pairs replaced by U+FFFD.
    pub(crate) replaced: u64,
}

impl Skipped {
    /// Notes a line that was left out.
    pub(crate) fn line(&mut self, fault: DataError) {
        if self.examples.len() < Faults::LISTED {
            self.examples.push(fault.to_string());
        }
    }
}
