//! Why a search cannot start or go on.

use crate::search::SearchError;
use equipoise_data::{DataError, FieldError, FileFault};
use equipoise_train::config::ConfigError;
use std::path::{Path, PathBuf};

/// What can go wrong with a search as a whole. What goes wrong in one trial is recorded instead.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting of the search.
    #[error(transparent)]
    Setting(FieldError),
    /// The search itself.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A file cannot be read or written, or is not what it should be.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: FileFault,
    },
}

impl SweepError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            SweepError::Search(error) => error.is_input(),
            SweepError::Config(error) => error.is_input(),
            SweepError::Data(error) => error.is_input(),
            SweepError::File { fault, .. } => fault.is_input(),
            SweepError::Setting(_) => true,
        }
    }

    pub(super) fn file(path: &Path, fault: impl Into<FileFault>) -> SweepError {
        SweepError::File { path: path.to_owned(), fault: fault.into() }
    }
}
