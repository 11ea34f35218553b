//! Size and seed of the demo.

use equipoise_data::DataError;

/// Size and seed of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoConfig {
    /// Number of users, 1 to 1,000,000.
    pub users: usize,
    /// Number of items, 40 to 1,000,000.
    pub items: usize,
    /// Seed from which everything follows.
    pub seed: u64,
}

impl Default for DemoConfig {
    /// 2,000 users, 1,000 items, seed 7.
    fn default() -> Self {
        DemoConfig { users: 2_000, items: 1_000, seed: 7 }
    }
}

/// Fewest items: a user takes up to nine, and there must be something to choose from.
const LEAST_ITEMS: usize = 40;

impl DemoConfig {
    /// Checks every range.
    pub(super) fn validate(&self) -> Result<(), DataError> {
        for (field, found, low) in [("users", self.users, 1), ("items", self.items, LEAST_ITEMS)] {
            if !(low..=1_000_000).contains(&found) {
                let expected = format!("{low} to 1000000");
                return Err(DataError::Setting { field, found: found.to_string(), expected });
            }
        }
        Ok(())
    }
}
