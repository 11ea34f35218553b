//! The entry of a list of architectures that `config.json` names.

use std::path::Path;

use equipoise_data::quoted;
use serde_json::Value;

use crate::error::EncodeError;

/// The entry of `list` whose name is the `model_type` of the file's content.
///
/// # Errors
/// If it names none of them.
pub(super) fn known<T: Copy>(
    file: &Path,
    content: &Value,
    list: &[(&'static str, T)],
) -> Result<(&'static str, T), EncodeError> {
    let found = content.get("model_type").and_then(Value::as_str).unwrap_or("");
    list.iter().find(|(name, _)| *name == found).copied().ok_or_else(|| {
        let names: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
        let (found, names) = (quoted(found), names.join(", "));
        let problem = format!("model_type = {found}: expected one of {names}; choose another model");
        EncodeError::file(file, problem)
    })
}
