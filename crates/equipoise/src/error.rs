//! What can go wrong at the front door.

use equipoise_data::DataError;
use equipoise_eval::EvalError;
use equipoise_recommend::RecommendError;
use equipoise_train::TrainError;
use equipoise_train::config::ConfigError;
use equipoise_train::tracking::TrackError;

/// What can go wrong. The message names the file, line or field, what was expected and what to do. Causes are boxed, so that
/// a result is no larger than what it holds when all goes well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data set.
    #[error(transparent)]
    Data(Box<DataError>),
    /// A setting.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// Training, or a file of a run.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// Ranking and evaluation.
    #[error(transparent)]
    Eval(Box<EvalError>),
    /// A request, or a file of a served model.
    #[error(transparent)]
    Recommend(Box<RecommendError>),
    /// What names no tracker, or a place that it cannot write.
    #[error(transparent)]
    Track(Box<TrackError>),
    /// An encoder, or what it was given.
    #[cfg(feature = "encode")]
    #[error(transparent)]
    Encode(Box<equipoise_encode::EncodeError>),
    /// A user, item, modality or metric that is not there.
    #[error("no {kind} `{id}`{hint}")]
    Unknown {
        /// `user`, `item`, `modality` or `metric`.
        kind: &'static str,
        /// What was asked for.
        id: String,
        /// ` (did you mean ...?)`, or what there is.
        hint: String,
    },
    /// An ablation of which a run keeps no tables.
    #[error("the run keeps no tables of `{0}`; train it again with --overwrite")]
    NoTables(String),
    /// Tables that do not fit the interactions that they are evaluated on.
    #[error("{table}: {found} values for {rows} rows; expected rows x width values, row after row")]
    Shape {
        /// `users` or `items`.
        table: &'static str,
        /// Number of values given.
        found: usize,
        /// Rows expected.
        rows: usize,
    },
    /// A data setting that contradicts the data set in memory.
    #[error(
        "data: settings of the data set cannot be changed after it was loaded; give them to Dataset::open(..) instead"
    )]
    DataSetting,
    /// Tables in memory: a fault of a file that was written of them, in terms of the tables.
    #[error("{said}")]
    Tables {
        /// What is wrong, by the names of the tables.
        said: String,
        /// The fault with its file.
        source: Box<Error>,
    },
    /// Threads, or a temporary directory, that the system does not grant.
    #[error("{0}")]
    System(String),
}

impl Error {
    /// Whether the cause is what was given (a program should exit with code 2), rather than the machine (code 1).
    pub fn is_input(&self) -> bool {
        match self {
            Error::Config(error) => error.is_input(),
            Error::Data(error) => error.is_input(),
            Error::Train(error) => error.is_input(),
            Error::Eval(error) => error.is_input(),
            Error::Recommend(error) => error.is_input(),
            Error::Track(error) => error.is_input(),
            #[cfg(feature = "encode")]
            Error::Encode(error) => error.is_input(),
            Error::Tables { source, .. } => source.is_input(),
            Error::System(_) => false,
            Error::Unknown { .. } | Error::NoTables(_) | Error::Shape { .. } | Error::DataSetting => true,
        }
    }
}

/// Boxes a cause.
macro_rules! from {
    ($($variant:ident: $cause:ty),*) => {
        $(impl From<$cause> for Error {
            fn from(cause: $cause) -> Error {
                Error::$variant(Box::new(cause))
            }
        })*
    };
}

from!(Data: DataError, Config: ConfigError, Train: TrainError, Eval: EvalError, Track: TrackError);
#[cfg(feature = "encode")]
from!(Encode: equipoise_encode::EncodeError);

impl From<RecommendError> for Error {
    fn from(cause: RecommendError) -> Error {
        match cause {
            RecommendError::Unknown { kind, id, hint, .. } => Error::Unknown { kind, id, hint },
            RecommendError::NoTables(of) => Error::NoTables(of),
            RecommendError::Train(error) => Error::Train(error),
            RecommendError::Eval(error) => error.into(),
            other => Error::Recommend(Box::new(other)),
        }
    }
}
