//! Why a search cannot start or continue.

use equipoise_data::FileFault;
use equipoise_jobs::Fault;
use std::path::{Path, PathBuf};

/// What can go wrong with a search as a whole. What goes wrong in one trial is recorded instead.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The journal belongs to another search.
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
    /// The journal cannot be read or written, or is not what it should be.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: FileFault,
    },
    /// Another search uses the journal, or its lock cannot be taken.
    #[error(transparent)]
    Lock(Fault),
    /// The machine failed a trial.
    #[error("trial {number}: {reason}\nwhat is done is kept; run the same command to go on")]
    Machine {
        /// Number of the trial.
        number: usize,
        /// What is wrong.
        reason: String,
    },
}

impl SearchError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            SearchError::Other { .. } => true,
            SearchError::File { fault, .. } => fault.is_input(),
            SearchError::Lock(fault) => fault.is_input(),
            SearchError::Machine { .. } => false,
        }
    }

    pub(super) fn file(path: &Path, fault: impl Into<FileFault>) -> SearchError {
        SearchError::File { path: path.to_owned(), fault: fault.into() }
    }
}
