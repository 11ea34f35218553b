//! Why a command ends without success, and its exit code.

use equipoise_data::{DataError, is_input_fault};
use equipoise_encode::EncodeError;
use equipoise_eval::EvalError;
use equipoise_study::pipeline::PipelineError;
use equipoise_study::sweep::SweepError;
use equipoise_train::TrainError;
use equipoise_train::config::ConfigError;
use std::fmt;
use std::path::Path;

/// The exit code that asks for another attempt: `EX_TEMPFAIL` of sysexits.h.
pub const TRY_AGAIN: u8 = 75;

/// The exit code of a command that was stopped: 128 and the number of SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// A message and an exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Input that cannot be used: exit code 2.
    pub fn input(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: 2 }
    }

    /// A file that the system refused: exit code 2 where the path is at fault, 1 where the machine is.
    pub fn file(path: &Path, error: &std::io::Error) -> Failure {
        let message = format!("{}: {error}", path.display());
        if is_input_fault(error) { Failure::input(message) } else { Failure::failed(message) }
    }

    /// A failure on the way: exit code 1.
    pub fn failed(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: 1 }
    }

    /// Stopped by Ctrl-C or SIGTERM; the same command goes on: exit code 130.
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

by_cause!(ConfigError, DataError, EncodeError, EvalError, PipelineError, SweepError);

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        match error {
            TrainError::Interrupted(_) => Failure::interrupted(error),
            error if error.is_input() => Failure::input(error),
            error => Failure::failed(error),
        }
    }
}
