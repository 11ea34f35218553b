//! What tables of interactions leave open.

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Places};
use crate::options::LoadOptions;
use crate::split::{Shares, SplitRule};

/// Options of tables and of RecBole's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// Columns of a table.
    pub columns: Columns,
    /// Least rating of a positive; where it is given, rows without a rating are none.
    pub min_rating: Option<f64>,
    /// Rule for a table without a split.
    pub split: Option<SplitRule>,
    /// Train, validation and test of the rules that read them.
    pub shares: Shares,
    /// Seed of a random split.
    pub seed: u64,
}

impl TableOptions {
    /// Checks that there are ratings where there is a least one.
    ///
    /// # Errors
    /// That there are none, and what to do.
    pub(crate) fn check(&self, places: &Places) -> Result<(), String> {
        match (self.min_rating, places.rating) {
            (Some(_), None) => {
                Err("no column of ratings for --min-rating; name it with --rating-column".into())
            }
            (None, _) | (_, Some(_)) => Ok(()),
        }
    }
}

impl From<&LoadOptions> for TableOptions {
    fn from(options: &LoadOptions) -> TableOptions {
        let LoadOptions { columns, min_rating, split, shares, seed, .. } = options.clone();
        TableOptions { columns, min_rating, split, shares, seed }
    }
}
