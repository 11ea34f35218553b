//! Why a configuration is refused.

use equipoise_data::{FieldError, FileFault};
use std::path::PathBuf;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
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
    /// A text that is no TOML, or a value of the wrong type.
    #[error("{origin}: {reason}")]
    Value {
        /// File and line, flag, or `configuration`.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

/// Most characters of a message about a value, which may quote it.
const LONGEST: usize = 300;

/// Why a text is no TOML, or not what is expected of it: `name`, which stands for it, with the line, and one line of reason.
pub fn toml_fault(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let origin =
        before.map_or(name.to_owned(), |before| format!("{name}:{}", 1 + before.matches('\n').count()));
    ConfigError::Value { origin, reason: one_line(&equipoise_data::in_words(error.message())) }
}

/// A message of another crate in one line of bounded length.
pub(super) fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

impl ConfigError {
    /// The same, whose place is told by `place` where that knows better.
    #[must_use]
    pub fn placed(mut self, place: impl Fn(&str) -> Option<String>) -> ConfigError {
        let origin = match &mut self {
            ConfigError::File { .. } => return self,
            ConfigError::UnknownKey { origin, .. }
            | ConfigError::Field { origin, .. }
            | ConfigError::Value { origin, .. } => origin,
        };
        if let Some(known) = place(origin) {
            *origin = known;
        }
        self
    }

    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            ConfigError::File { fault, .. } => fault.is_input(),
            ConfigError::UnknownKey { .. } | ConfigError::Field { .. } | ConfigError::Value { .. } => true,
        }
    }
}
