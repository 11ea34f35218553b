//! Settings of DeepStyle.

use crate::ranges;
use serde::{Deserialize, Serialize};

/// Whether modalities have preferences of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// One table of preferences per modality.
    #[default]
    Split,
    /// One user table for ids and all modalities.
    Tied,
}

/// Where categories come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategorySource {
    /// The data set if it has them, else one for each item.
    #[default]
    Auto,
    /// The data set.
    Data,
    /// One for each item.
    PerItem,
    /// No category term.
    None,
}

/// Settings of DeepStyle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether modalities have preferences of their own.
    pub variant: Variant,
    /// Where categories come from.
    pub categories: CategorySource,
    /// A category of fewer items joins its parent.
    pub min_count: usize,
    /// Whether silencing a modality silences its category term.
    pub ablate_category: bool,
}

impl Default for Config {
    fn default() -> Self {
        let (variant, categories) = Default::default();
        Config { variant, categories, min_count: 10, ablate_category: true }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::expect("min_count", self.min_count, self.min_count > 0, "1 or more")
    }
}
