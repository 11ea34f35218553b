//! What to read of a data set, and how to understand what its layout leaves open.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::DataError;
use crate::formats::Columns;
use crate::split::{Shares, SplitRule};

/// What to read, and how to understand what leaves a choice.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `modalities` | all that are there | which modalities, by name, in this order |
/// | `features` | none | features that lie elsewhere or under another name |
/// | `columns` | guessed | columns of a table |
/// | `min_rating` | none | rows of a table rated below, and those without a rating, are left out; so are entries of matrices below |
/// | `split` | none | rule for a table without a split |
/// | `shares` | 0.8, 0.1, 0.1 | train, validation and test of the rules `ratio` and `time` |
/// | `seed` | 0 | seed of a random split |
/// | `layout` | empty | options of a layout that was [registered](crate::formats::register()) |
///
/// `columns` to `seed` concern tables and RecBole's files, `min_rating` also matrices; the other layouts of this crate
/// leave nothing open. An option
/// that the layout of the data set does not read is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    /// Modalities by name, in this order; `None` for all that are there, by name.
    pub modalities: Option<Vec<String>>,
    /// Features beside those that are found.
    pub features: Vec<FeatureSource>,
    /// Columns of a table.
    pub columns: Columns,
    /// Least rating of a positive: rows without a rating are none where it is given. Of matrices the least value of an
    /// entry, which is otherwise more than 0.
    pub min_rating: Option<f64>,
    /// Rule for a table without a split.
    pub split: Option<SplitRule>,
    /// Train, validation and test of the rules that read them.
    pub shares: Shares,
    /// Seed of a random split.
    pub seed: u64,
    /// Options of a registered layout by name: each layout reads a section of its own.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub layout: Map<String, Value>,
}

impl LoadOptions {
    /// The options that concern one layout alone, as the section that the layout reads.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a threshold that is not a number.
    pub(crate) fn section(&self) -> Result<Map<String, Value>, DataError> {
        let plain = LoadOptions::default();
        if let Some(found) = self.min_rating.filter(|rating| !rating.is_finite()) {
            let (found, expected) = (found.to_string(), "a finite number".to_owned());
            return Err(DataError::Setting { field: "min_rating", found, expected });
        }
        let given = [
            ("columns", self.columns != plain.columns, json!(self.columns)),
            ("min_rating", self.min_rating.is_some(), json!(self.min_rating)),
            ("split", self.split.is_some(), json!(self.split)),
            ("shares", self.shares != plain.shares, json!(self.shares)),
            ("seed", self.seed != plain.seed, json!(self.seed)),
        ];
        let given = given.into_iter().filter(|(_, given, _)| *given);
        let given = given.map(|(name, _, value)| (name.to_owned(), value));
        Ok(self.layout.clone().into_iter().chain(given).collect())
    }
}

/// Features of one modality in a file or folder of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSource {
    /// Name of the modality.
    pub name: String,
    /// `.npy`, `.npz`, `.safetensors`, `.parquet`, `.csv` or `.tsv`, or a folder of one `.npy` per raw item id.
    pub path: PathBuf,
}
