//! Why a command ends without success, and its exit code.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | a failure on the way: a full disk, a place that may not be written or that another process is writing, a loss that became infinite, a fault of this program; the same command may succeed later |
//! | 2 | input that cannot be used: the same command fails again |
//! | 75 | of `task` alone: try again, for every failure that may pass |
//! | 130 | stopped by Ctrl-C, SIGTERM or SIGHUP; what is done is kept |

use equipoise_data::{DataError, is_input_fault};
use equipoise_encode::EncodeError;
use equipoise_eval::EvalError;
use equipoise_jobs::Fault;
use equipoise_recommend::RecommendError;
use equipoise_serve::{FeedbackError, ServeError};
use equipoise_study::pipeline::PipelineError;
use equipoise_study::sweep::SweepError;
use equipoise_train::TrainError;
use equipoise_train::config::ConfigError;
use std::fmt;
use std::path::Path;

/// The exit code of a failure on the way.
pub const FAILED: u8 = 1;
/// The exit code for input that cannot be used.
pub const INPUT: u8 = 2;
/// The exit code of a command that was stopped: what shells say of one that SIGINT ended.
pub const INTERRUPTED: u8 = 130;
/// The exit code that asks for another attempt: `EX_TEMPFAIL` of sysexits.h.
pub const TRY_AGAIN: u8 = 75;

/// A message and an exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Input that cannot be used: exit code 2.
    pub fn input(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: INPUT }
    }

    /// A file that the system refused: exit code 2 where the path is at fault, 1 where the machine is.
    pub fn file(path: &Path, error: &std::io::Error) -> Failure {
        let message = format!("{}: {error}", path.display());
        if is_input_fault(error) { Failure::input(message) } else { Failure::failed(message) }
    }

    /// A fault of data that is made or read as flags say; a setting out of its range is told with its flag.
    pub fn of_flags(error: DataError) -> Failure {
        match &error {
            DataError::Setting { field, .. } => {
                Failure::input(format!("--{}: {error}", field.replace('_', "-")))
            }
            _ => error.into(),
        }
    }

    /// A failure on the way: exit code 1.
    pub fn failed(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: FAILED }
    }

    /// A command that was stopped: exit code 130.
    pub fn interrupted(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: INTERRUPTED }
    }

    /// A failure that may pass, of a command that is run again and again: exit code 75.
    pub fn again(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: TRY_AGAIN }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Errors that know whether the input or the machine is the cause.
macro_rules! by_cause {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                if error.is_input() { Failure::input(error) } else { Failure::failed(error) }
            }
        })*
    };
}

by_cause!(
    equipoise_train::tracking::TrackError,
    ConfigError,
    DataError,
    EncodeError,
    EvalError,
    FeedbackError,
    RecommendError,
    ServeError,
    SweepError
);

/// The same of errors that may also say that somebody asked for a stop.
macro_rules! by_cause_or_request {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                match (error.is_interrupt(), error.is_input()) {
                    (true, _) => Failure::interrupted(error),
                    (false, true) => Failure::input(error),
                    (false, false) => Failure::failed(error),
                }
            }
        })*
    };
}

by_cause_or_request!(Fault, PipelineError, TrainError);
