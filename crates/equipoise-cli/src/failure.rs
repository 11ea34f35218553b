//! Why a command ends without success, and its exit code.

use equipoise_data::DataError;
use equipoise_encode::EncodeError;
use equipoise_eval::EvalError;
use equipoise_train::TrainError;
use equipoise_train::config::layers::ConfigError;
use std::fmt;

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

    /// A failure on the way: exit code 1.
    pub fn failed(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: 1 }
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

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        if error.is_input() { Failure::input(error) } else { Failure::failed(error) }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        match &error {
            DataError::Io { source, .. } if no_room(source) => Failure::failed(error),
            _ => Failure::input(error),
        }
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Failure {
        match &error {
            EncodeError::Data(DataError::Io { source, .. }) | EncodeError::Io { source, .. }
                if no_room(source) =>
            {
                Failure::failed(error)
            }
            EncodeError::Job(_) => Failure::failed(error),
            _ => Failure::input(error),
        }
    }
}

/// Whether there is no room for what is written, which is no fault of the input.
fn no_room(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::input(error)
    }
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Failure {
        Failure::input(error)
    }
}
