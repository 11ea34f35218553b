//! What can go wrong with a file of feedback.

use equipoise_jobs::Fault;
use std::path::PathBuf;

/// What can go wrong with a file of feedback. The message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// A file that is none of feedback, or is damaged.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A file that could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What SQLite says of the machine.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// Another server writes the file.
    #[error(transparent)]
    Held(#[from] Fault),
}

impl FeedbackError {
    /// Whether the cause is what was given (a program should exit with code 2), rather than the machine (code 1).
    pub fn is_input(&self) -> bool {
        match self {
            FeedbackError::File { .. } => true,
            FeedbackError::Io { source, .. } => equipoise_data::is_input_fault(source),
            FeedbackError::Sqlite { .. } => false,
            FeedbackError::Held(fault) => fault.is_input(),
        }
    }
}
