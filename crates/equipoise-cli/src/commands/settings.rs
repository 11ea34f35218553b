//! Settings as they are given on the command line.

use crate::failure::Failure;
use std::path::Path;

/// A path that a flag gives, as a configuration keeps it.
///
/// # Errors
/// If it is no UTF-8.
pub fn path(flag: &str, path: &Path) -> Result<toml::Value, Failure> {
    let text = path.to_str().ok_or_else(|| {
        Failure::input(format!(
            "{flag} {}: expected a path in UTF-8, since configurations are text; rename it, or give a symbolic link to it",
            path.display()
        ))
    })?;
    Ok(toml::Value::String(text.to_owned()))
}

/// The key and the value of `--set`.
///
/// # Errors
/// If there is no `=`.
pub fn pair(text: &str) -> Result<(String, toml::Value), Failure> {
    let parts = text.split_once('=').ok_or_else(|| {
        Failure::input(format!("--set {text}: expected KEY=VALUE, such as train.patience=5"))
    })?;
    Ok((parts.0.trim().to_owned(), literal(parts.1.trim())))
}

/// A TOML value as it stands, or else a string.
pub fn literal(text: &str) -> toml::Value {
    let parsed = format!("v = {text}").parse::<toml::Table>().ok();
    parsed.and_then(|mut t| t.remove("v")).unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
