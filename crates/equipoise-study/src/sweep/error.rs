//! Why a search cannot start or go on.

use equipoise_data::{DataError, FileFault};
use equipoise_train::config::layers::ConfigError;
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
    #[error("{0}")]
    Setting(String),
    /// The directory holds another search.
    #[error(
        "{}: the search here is another one:\n{}\ngive another --out, or the configuration that it was started with",
        path.display(), differences.join("\n")
    )]
    Other {
        /// The directory.
        path: PathBuf,
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// A file cannot be read or written, or is not what it should be.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: FileFault,
    },
    /// The machine failed a trial.
    #[error("trial {number}: {reason}\nwhat is done is kept; run the same command to go on")]
    Machine {
        /// Number of the trial.
        number: usize,
        /// What is wrong.
        reason: String,
    },
}

impl SweepError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            SweepError::Config(error) => error.is_input(),
            SweepError::Data(error) => error.is_input(),
            SweepError::File { fault, .. } => fault.is_input(),
            SweepError::Setting(_) | SweepError::Other { .. } => true,
            SweepError::Machine { .. } => false,
        }
    }

    pub(super) fn file(path: &Path, fault: impl Into<FileFault>) -> SweepError {
        SweepError::File { path: path.to_owned(), fault: fault.into() }
    }
}
