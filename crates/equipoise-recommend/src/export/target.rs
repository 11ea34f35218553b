//! A form in which a model can be written.

use super::options::{ExportOptions, Upload};
use super::report::ExportReport;
use crate::error::RecommendError;
use crate::served::ServedModel;
use std::path::Path;

/// Fills a directory: that of the model, the model, the options, the directory, and what to report.
type Write = fn(&Path, &ServedModel, &ExportOptions, &Path, &mut ExportReport) -> Result<(), RecommendError>;
/// Uploads what was written.
type Send = fn(&Path, &ExportOptions, &Upload, &mut ExportReport) -> Result<(), RecommendError>;

/// A form in which a model can be written.
pub struct ExportTarget {
    /// Its name, as `--to` takes it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The flags that it takes beside those that all take.
    pub(super) takes: &'static [&'static str],
    /// The file by which an earlier export of this target is known.
    pub(super) mark: &'static str,
    pub(super) write: Write,
    pub(super) upload: Option<Send>,
}

impl std::fmt::Debug for ExportTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExportTarget({})", self.name)
    }
}
