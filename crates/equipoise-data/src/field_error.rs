//! A setting that cannot be used, told by its key, and the ranges that settings of several crates share.
//!
//! Whoever reads a configuration finds the origin of the value (file and line, or flag) by the key. Nobody takes the
//! message apart.

use std::fmt::{self, Display};

use crate::quoted::clipped;

/// A setting that cannot be used. Reads `train.lr = -1: expected more than 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The dotted key, such as `train.lr`; relative to the section while the error is on its way up.
    pub key: String,
    /// The value as it is written in TOML: `-1`, `"vbrp"`; empty if there is none.
    pub value: String,
    /// What is expected instead, and why the value does not serve where that is not plain.
    pub expected: String,
    /// More to say, such as ``did you mean `vbpr`?``.
    pub hint: Option<String>,
}

/// Most characters of a value in a message.
const LONGEST: usize = 300;

impl FieldError {
    /// A number, a list or whatever else is written in TOML as Rust displays it.
    pub fn new(key: &str, value: impl Display, expected: impl Into<String>) -> FieldError {
        let mut value = value.to_string();
        if let Some((end, _)) = value.char_indices().nth(LONGEST) {
            value.truncate(end);
            value += "...";
        }
        FieldError { key: key.to_owned(), value, expected: expected.into(), hint: None }
    }

    /// A value that is a string in TOML.
    pub fn word(key: &str, value: &str, expected: impl Into<String>) -> FieldError {
        FieldError::new(key, format_args!("\"{value}\""), expected)
    }

    /// A value that is missing. Reads `sweep.trials: expected the number of points`.
    pub fn missing(key: &str, expected: impl Into<String>) -> FieldError {
        FieldError::new(key, "", expected)
    }

    /// A name that is not one of `names`; the nearest of them is suggested where one is near enough to be meant.
    pub fn unknown_name(key: &str, value: &str, names: &[&str], nearest: Option<&str>) -> FieldError {
        let error = FieldError::word(key, value, format!("one of {}", names.join(", ")));
        FieldError { hint: nearest.map(|name| format!("did you mean `{name}`?")), ..error }
    }

    /// The same with something more to say.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> FieldError {
        FieldError { hint: Some(hint.into()), ..self }
    }

    /// The same, of the section `section`: `lr` becomes `train.lr`.
    #[must_use]
    pub fn within(self, section: &str) -> FieldError {
        FieldError { key: format!("{section}.{}", self.key), ..self }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldError { key, value, expected, hint } = self;
        let (key, expected) = (clipped(key, 200), clipped(expected, 600));
        match value.as_str() {
            "" => write!(f, "{key}: expected {expected}")?,
            value => write!(f, "{key} = {}: expected {expected}", clipped(value, 300))?,
        }
        match hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FieldError {}

/// Ranges that settings of several crates share.
pub mod ranges {
    use super::FieldError;
    use std::fmt::Display;

    /// Nothing where `fine`.
    ///
    /// # Errors
    /// `key = value: expected ...` where not.
    pub fn expect(key: &str, value: impl Display, fine: bool, expected: &str) -> Result<(), FieldError> {
        if fine { Ok(()) } else { Err(FieldError::new(key, value, expected)) }
    }

    /// A finite number of 0 or more.
    ///
    /// # Errors
    /// If the value is anything else.
    pub fn not_negative(key: &str, value: f64) -> Result<(), FieldError> {
        expect(key, value, value.is_finite() && value >= 0.0, "0 or more")
    }

    /// A finite number of more than 0.
    ///
    /// # Errors
    /// If the value is anything else.
    pub fn positive(key: &str, value: f64) -> Result<(), FieldError> {
        expect(key, value, value.is_finite() && value > 0.0, "more than 0")
    }

    /// A share or a decay: 0 or more, below 1.
    ///
    /// # Errors
    /// If the value is anything else.
    pub fn below_one(key: &str, value: f64) -> Result<(), FieldError> {
        expect(key, value, (0.0..1.0).contains(&value), "0 to below 1")
    }

    /// A count of 1 or more.
    ///
    /// # Errors
    /// If the value is 0.
    pub fn at_least_one(key: &str, value: usize) -> Result<(), FieldError> {
        expect(key, value, value > 0, "1 or more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_key_value_range_and_hint() {
        let error = ranges::positive("lr", -1.0).unwrap_err().within("train");
        assert_eq!(error.to_string(), "train.lr = -1: expected more than 0");
        let long = FieldError::word("name", &"x".repeat(5000), "a name").to_string();
        assert!(long.len() < 350 && long.ends_with("...: expected a name"), "{long}");
        let error = FieldError::missing("sweep.trials", "a number");
        assert_eq!(error.to_string(), "sweep.trials: expected a number");
        let error = FieldError::unknown_name("backbone.name", "vbrp", &["vbpr", "grcn"], Some("vbpr"));
        let text = "backbone.name = \"vbrp\": expected one of vbpr, grcn (did you mean `vbpr`?)";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn ranges_refuse_what_is_outside_and_what_is_no_number() {
        let refused = [
            ranges::not_negative("x", -0.5),
            ranges::not_negative("x", f64::NAN),
            ranges::positive("x", 0.0),
            ranges::positive("x", f64::INFINITY),
            ranges::below_one("x", 1.0),
            ranges::below_one("x", f64::NAN),
            ranges::at_least_one("x", 0),
        ];
        assert!(refused.iter().all(|r| r.is_err()));
        let fine = [
            ranges::not_negative("x", 0.0),
            ranges::positive("x", 1e-9),
            ranges::below_one("x", 0.0),
            ranges::at_least_one("x", 1),
        ];
        assert!(fine.iter().all(|r| r.is_ok()));
    }
}
