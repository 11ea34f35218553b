//! Why a configuration is refused.

use equipoise_data::{FieldError, FileFault};
use std::path::PathBuf;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, or is no TOML.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: FileFault,
    },
    /// A key that means nothing.
    #[error("{origin}: unknown key `{key}`{hint}")]
    UnknownKey {
        /// File and line, or flag.
        origin: String,
        /// The key.
        key: String,
        /// ` (did you mean ...?)`, or where to find the keys.
        hint: String,
    },
    /// A value outside its range.
    #[error("{origin}: {error}")]
    Field {
        /// File and line, flag, or `configuration`.
        origin: String,
        /// Which value, and what is expected.
        error: FieldError,
    },
    /// A value of the wrong type.
    #[error("{origin}: {reason}")]
    Value {
        /// File and line, flag, or `configuration`.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

impl ConfigError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            ConfigError::File { fault, .. } => fault.is_input(),
            ConfigError::UnknownKey { .. } | ConfigError::Field { .. } | ConfigError::Value { .. } => true,
        }
    }
}
