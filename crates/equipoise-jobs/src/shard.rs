//! One of several parts of the same work.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most parts.
const MOST: usize = 100_000;

/// Part `number` of `of`, counted from 0; `3/64` as text.
///
/// # Examples
/// ```
/// use equipoise_jobs::Shard;
/// let shard: Shard = "3/64".parse()?;
/// assert_eq!((shard.number(), shard.of(), shard.to_string().as_str()), (3, 64, "3/64"));
/// assert!("64/64".parse::<Shard>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// Which part, from 0.
    pub fn number(self) -> usize {
        self.number
    }

    /// How many parts there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether piece `k` of the work, from 0, belongs to this part: every `of`-th does.
    pub fn has(self, k: usize) -> bool {
        k % self.of == self.number
    }
}

impl FromStr for Shard {
    type Err = String;

    /// # Errors
    /// What was expected, if the text is not `K/N` with `K` from 0 to `N - 1` and `N` at most 100,000.
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts =
            text.split_once('/').and_then(|(k, n)| Some((k.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parts {
            Some((number, of)) if number < of && of <= MOST => Ok(Shard { number, of }),
            _ => Err(format!(
                "{text:.40}: expected K/N, such as 3/64, with K from 0 to N - 1 and N at most {MOST}"
            )),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Shard, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}
