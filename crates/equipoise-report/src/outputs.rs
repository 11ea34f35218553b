//! An audit in words and as a page.

use crate::{Audit, ModalityVerdict, headline, html_report, text_report, verdicts};
use equipoise_data::write_atomic;
use equipoise_train::TrainError;
use std::io::Write;
use std::path::Path;

impl Audit {
    /// A few sentences about the whole run.
    pub fn headline(&self) -> String {
        headline(self)
    }

    /// One verdict for each modality, with a sentence that says why.
    pub fn verdicts(&self) -> Vec<ModalityVerdict> {
        verdicts(self)
    }

    /// An aligned table for the terminal.
    pub fn text(&self) -> String {
        text_report(self)
    }

    /// One self-contained page with charts.
    pub fn html(&self) -> String {
        html_report(self)
    }

    /// Writes [`html`](Self::html) to a file, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub fn write_html(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        let path = path.as_ref();
        write_atomic(path, |file| file.write_all(self.html().as_bytes())).map_err(|e| TrainError::io(path, e))
    }
}
