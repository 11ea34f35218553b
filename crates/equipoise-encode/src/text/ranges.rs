//! What settings of a text encoder may be.

use std::fmt::Display;
use std::path::Path;

use crate::error::EncodeError;
use equipoise_data::short;

/// Largest width, and largest number of layers, of positions, ...: far beyond any model, far below what overflows.
pub(super) const LARGEST: usize = 1 << 20;

/// Checks of the settings of a file.
pub(super) struct Ranges<'a> {
    pub(super) file: &'a Path,
}

impl Ranges<'_> {
    /// # Errors
    /// If one of the sizes is 0 or larger than any model has.
    pub(super) fn sizes(&self, sizes: &[(&str, usize)]) -> Result<(), EncodeError> {
        let range = format!("1..={LARGEST}");
        sizes
            .iter()
            .try_for_each(|(field, found)| self.only(field, found, (1..=LARGEST).contains(found), &range))
    }

    /// # Errors
    /// If the heads, whose field is the second one, do not divide the width.
    pub(super) fn heads(
        &self,
        [width, field]: [&str; 2],
        of: usize,
        heads: usize,
    ) -> Result<(), EncodeError> {
        self.only(field, heads, of.is_multiple_of(heads), &format!("a divisor of {width} = {of}"))
    }

    /// # Errors
    /// If the heads do not divide the width into even parts, whose halves are rotated.
    pub(super) fn rotated(&self, names: [&str; 2], width: usize, heads: usize) -> Result<(), EncodeError> {
        self.heads(names, width, heads)?;
        let expected = format!("a divisor of {} = {width} into even parts", names[0]);
        self.only(names[1], heads, (width / heads).is_multiple_of(2), &expected)
    }

    /// # Errors
    /// If what a norm adds to the variance is no small positive number.
    pub(super) fn eps(&self, field: &str, eps: f64) -> Result<(), EncodeError> {
        self.only(field, eps, eps.is_finite() && (0.0..1.0).contains(&eps), "a small positive number")
    }

    /// # Errors
    /// If a setting is not as expected, which is `fits`.
    pub(super) fn only(
        &self,
        field: &str,
        found: impl Display,
        fits: bool,
        expected: &str,
    ) -> Result<(), EncodeError> {
        match fits {
            true => Ok(()),
            false => {
                let found = short(&found.to_string());
                let problem = format!("{field} = {found}: expected {expected}; fetch the file again");
                Err(EncodeError::file(self.file, problem))
            }
        }
    }
}
