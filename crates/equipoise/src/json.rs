//! Settings and requests that come as JSON.

use crate::Error;
use equipoise_data::{in_words, short};
use equipoise_train::config::ConfigError;
use serde::de::DeserializeOwned;

/// Reads settings or a request in JSON. A fault names its field; `what` stands for a fault of the whole.
///
/// ```
/// use equipoise::{RecommendRequest, read_json};
/// let request: RecommendRequest = read_json(r#"{"users": ["u1"], "n": 5}"#, "a request")?;
/// assert_eq!(request.n, 5);
/// let error = read_json::<RecommendRequest>(r#"{"users": ["u1"], "n": 2.5}"#, "a request").unwrap_err();
/// assert_eq!(error.to_string(), "n: invalid type: floating point `2.5`, expected a whole number from 0");
/// # Ok::<(), equipoise::Error>(())
/// ```
///
/// # Errors
/// What is no JSON; a field that is unknown, missing or of another type.
pub fn read_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let fault = |path: &str, error: &serde_json::Error| {
        let origin = if matches!(path, "." | "?") { what } else { path };
        ConfigError::Value { origin: origin.to_owned(), reason: short(&in_words(&error.to_string())) }
    };
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| fault(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| fault(".", &error))?;
    Ok(value)
}
