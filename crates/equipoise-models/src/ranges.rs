//! Ranges that settings of several backbones share; see also those of every configuration.

pub use equipoise_data::ranges::{at_least_one, below_one, expect, not_negative, positive};

use equipoise_data::FieldError;

/// A number of layers.
///
/// # Errors
/// `field = value: expected 0 to 8` if it is not.
pub fn layers(field: &str, value: usize) -> Result<(), FieldError> {
    expect(field, value, value <= 8, "0 to 8")
}

/// A number of nearest items.
///
/// # Errors
/// `field = value: expected 1 to 1000` if it is not.
pub fn neighbours(field: &str, value: usize) -> Result<(), FieldError> {
    expect(field, value, (1..=1000).contains(&value), "1 to 1000")
}
