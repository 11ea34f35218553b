//! What can go wrong before the server answers.

use crate::feedback::FeedbackError;
use equipoise_recommend::RecommendError;
use std::io;
use std::net::SocketAddr;

/// What can go wrong before the server answers, or while it ends. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A setting of the server.
    #[error("{field}: {problem}")]
    Setting {
        /// The setting, as a flag names it.
        field: &'static str,
        /// What was found, what was expected and what to do.
        problem: String,
    },
    /// A model that cannot be served.
    #[error(transparent)]
    Model(#[from] RecommendError),
    /// A file of feedback that cannot be used.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// An address that cannot be listened to.
    #[error(
        "cannot listen on {address}: {source}; give another --bind, or end the program that listens there"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Threads or sockets that the system does not grant.
    #[error("{what}: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl ServeError {
    /// A setting that cannot be used.
    pub(crate) fn setting(field: &'static str, problem: impl Into<String>) -> ServeError {
        ServeError::Setting { field, problem: problem.into() }
    }

    /// Whether the cause is what was given (a program should exit with code 2), rather than the machine (code 1).
    pub fn is_input(&self) -> bool {
        match self {
            ServeError::Setting { .. } => true,
            ServeError::Model(error) => error.is_input(),
            ServeError::Feedback(error) => error.is_input(),
            ServeError::Bind { .. } | ServeError::System { .. } => false,
        }
    }
}
