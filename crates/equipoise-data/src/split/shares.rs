//! How much goes to train, validation and test.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Shares of train, validation and test: each 0 to 1, sum 1, train above 0. Written `0.8,0.1,0.1`, in files
/// `[0.8, 0.1, 0.1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shares(pub [f64; 3]);

/// The products of decimal shares fall short of whole numbers by a rounding: 0.1 * 30 is 3.0000000000000004,
/// 0.29 * 100 is 28.999999999999996.
const ROUNDING: f64 = 1e-9;

impl Default for Shares {
    fn default() -> Self {
        Shares([0.8, 0.1, 0.1])
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, validation, test] = self.0;
        write!(f, "{train},{validation},{test}")
    }
}

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Shares, String> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let three = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
        let shares = Shares(three.ok_or("expected three numbers, such as 0.8,0.1,0.1")?);
        shares.check().map(|()| shares).map_err(|fault| fault.to_string())
    }
}

impl Shares {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`] for `shares`.
    pub fn check(self) -> Result<(), DataError> {
        let each = self.0.iter().all(|share| (0.0..=1.0).contains(share));
        let sum: f64 = self.0.iter().sum();
        if each && self.0[0] > 0.0 && (sum - 1.0).abs() <= ROUNDING {
            return Ok(());
        }
        let expected = "train, validation and test from 0 to 1 with sum 1, train above 0".to_owned();
        Err(DataError::Setting { field: "shares", found: self.to_string(), expected })
    }

    /// Validation and test of a user with `n` interactions.
    pub(super) fn sizes(self, n: usize) -> (usize, usize) {
        if n < 3 {
            return (0, 0);
        }
        let [_, validation, test] = self.0;
        let least = |share: f64| usize::from(share > 0.0);
        // Three or more interactions leave one for training besides.
        (floor(validation, n).max(least(validation)), floor(test, n).max(least(test)))
    }

    /// How many of `n` lie before validation, and how many before test.
    pub(super) fn before(self, n: usize) -> (usize, usize) {
        let [train, validation, _] = self.0;
        (floor(train, n), floor(train + validation, n))
    }
}

fn floor(share: f64, n: usize) -> usize {
    (share * n as f64 + ROUNDING).floor() as usize
}
