//! Words for a setting outside its range.

use std::fmt::Display;

/// Nothing if the value is `fine`.
///
/// # Errors
/// `field = value: expected ...` if not.
pub fn expect(field: &str, value: impl Display, fine: bool, expected: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(format!("{field} = {value}: expected {expected}")) }
}

/// A finite number that is not negative.
///
/// # Errors
/// `field = value: expected 0 or more` if it is anything else.
pub fn not_negative(field: &str, value: f64) -> Result<(), String> {
    expect(field, value, value.is_finite() && value >= 0.0, "0 or more")
}

/// A number of layers.
///
/// # Errors
/// `field = value: expected 0 to 8` if it is not.
pub fn layers(field: &str, value: usize) -> Result<(), String> {
    expect(field, value, value <= 8, "0 to 8")
}

/// A number of nearest items.
///
/// # Errors
/// `field = value: expected 1 to 1000` if it is not.
pub fn neighbours(field: &str, value: usize) -> Result<(), String> {
    expect(field, value, (1..=1000).contains(&value), "1 to 1000")
}

/// A share of entries or edges that dropout leaves out.
///
/// # Errors
/// `field = value: expected 0 to below 1` if it is not.
pub fn rate(field: &str, value: f64) -> Result<(), String> {
    expect(field, value, (0.0..1.0).contains(&value), "0 to below 1")
}
