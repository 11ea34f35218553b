//! What can go wrong when a model is put to work.

use equipoise_data::{DataError, VocabularyError};
use equipoise_eval::EvalError;
use equipoise_jobs::Fault;
use equipoise_train::TrainError;
use std::path::{Path, PathBuf};

/// What can go wrong. The message names the file or the field, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecommendError {
    /// A field of a request.
    #[error("{field}: {problem}")]
    Field {
        /// The field, such as `modality_weights.image`.
        field: String,
        /// What was found, what was expected and what to do.
        problem: String,
    },
    /// A user, item or modality that the model does not know.
    #[error("no {kind} `{id}`{hint}")]
    Unknown {
        /// `user`, `item` or `modality`.
        kind: &'static str,
        /// What was asked for.
        id: String,
        /// ` (did you mean ...?)`, or what there is.
        hint: String,
        /// Where in the request it was asked for, such as `users[3]`, if in one.
        field: Option<String>,
    },
    /// An ablation of which a run keeps no tables.
    #[error("the run keeps no tables of `{0}`; train it again with --overwrite")]
    NoTables(String),
    /// A file of the served model, or one that is written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected, what was found, what to do.
        reason: String,
    },
    /// A file that could not be read or written.
    #[error("{}: {source}; check that the path exists and is accessible", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A server that an export is uploaded to.
    #[error("{url}: {problem}")]
    Upload {
        /// Its address.
        url: String,
        /// What went wrong, what to do.
        problem: String,
        /// Whether the server refuses what was sent, rather than failing.
        refused: bool,
    },
    /// A run, or its tables.
    #[error(transparent)]
    Train(#[from] Box<TrainError>),
    /// Ranking.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A data file.
    #[error(transparent)]
    Data(#[from] Box<DataError>),
    /// The ids of users and items.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// A piece of a batch.
    #[error(transparent)]
    Job(#[from] Fault),
}

impl RecommendError {
    /// A field of a request that cannot be used.
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> RecommendError {
        RecommendError::Field { field: field.into(), problem: problem.into() }
    }

    /// The same fault, with the field of the request where it is.
    pub(crate) fn at(self, place: impl Into<String>) -> RecommendError {
        match self {
            RecommendError::Unknown { kind, id, hint, .. } => {
                RecommendError::Unknown { kind, id, hint, field: Some(place.into()) }
            }
            RecommendError::Field { problem, .. } => RecommendError::Field { field: place.into(), problem },
            other => other,
        }
    }

    /// A file that is not what was expected.
    pub(crate) fn file(path: &Path, reason: impl std::fmt::Display) -> RecommendError {
        RecommendError::File { path: path.to_owned(), reason: reason.to_string() }
    }

    /// A file that the system does not grant.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> RecommendError + '_ {
        move |source| RecommendError::Io { path: path.to_owned(), source }
    }

    /// Whether the cause is what was given (a program should exit with code 2), rather than the machine (code 1).
    pub fn is_input(&self) -> bool {
        match self {
            RecommendError::Field { .. }
            | RecommendError::Unknown { .. }
            | RecommendError::NoTables(_)
            | RecommendError::File { .. } => true,
            RecommendError::Upload { refused, .. } => *refused,
            RecommendError::Io { source, .. } => equipoise_data::is_input_fault(source),
            RecommendError::Train(error) => error.is_input(),
            RecommendError::Eval(error) => error.is_input(),
            RecommendError::Data(error) => error.is_input(),
            RecommendError::Vocabulary(error) => error.is_input(),
            RecommendError::Job(fault) => fault.is_input(),
        }
    }
}

impl From<TrainError> for RecommendError {
    fn from(error: TrainError) -> RecommendError {
        RecommendError::Train(Box::new(error))
    }
}

impl From<DataError> for RecommendError {
    fn from(error: DataError) -> RecommendError {
        RecommendError::Data(Box::new(error))
    }
}
