//! Flags that say how a data set is read.

use super::splits;
use super::table_flags::TableFlags;
use crate::failure::Failure;
use equipoise_data::{FeatureSource, LoadOptions, Shares, SplitRule};
use serde_json::Value;
use std::path::PathBuf;

/// How a data set is read.
#[derive(clap::Args)]
pub struct ReadArgs {
    /// Modalities that must be there, by name [default: all that are found].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    modalities: Option<Vec<String>>,
    /// Features that lie elsewhere: .npy, .npz, .safetensors, .parquet, .csv, or a folder of one .npy per raw item id.
    #[arg(long, value_name = "NAME=PATH", value_parser = source)]
    features: Vec<FeatureSource>,
    /// Option of a layout that was registered; VALUE is JSON, or else a text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = layout_option)]
    layout_option: Vec<(String, Value)>,
    #[command(flatten)]
    table: TableFlags,
    /// How interactions without a split are divided.
    #[arg(long, value_name = "RULE", value_parser = splits::rule(), help_heading = "Tables")]
    split: Option<SplitRule>,
    /// Shares of train, validation and test for --split ratio and time.
    #[arg(long, value_name = "A,B,C", default_value_t = Shares::default(), help_heading = "Tables")]
    shares: Shares,
    /// Seed of splits by chance.
    #[arg(long, default_value_t = 0, help_heading = "Tables")]
    seed: u64,
}

/// A modality and where its features lie.
pub(super) fn source(text: &str) -> Result<FeatureSource, String> {
    let parts = text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty());
    let (name, path) = parts.ok_or("expected NAME=PATH, such as image=features/image.npz")?;
    Ok(FeatureSource { name: name.into(), path: PathBuf::from(path) })
}

/// An option of a layout and its value.
fn layout_option(text: &str) -> Result<(String, Value), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or("expected NAME=VALUE, such as depth=3")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

impl ReadArgs {
    /// What they mean to the readers.
    ///
    /// # Errors
    /// If the threshold is no number.
    pub fn options(&self) -> Result<LoadOptions, Failure> {
        Ok(LoadOptions {
            modalities: self.modalities.clone(),
            features: self.features.clone(),
            columns: self.table.columns(),
            min_rating: self.table.min_rating()?,
            split: self.split,
            shares: self.shares,
            seed: self.seed,
            layout: self.layout_option.iter().cloned().collect(),
        })
    }
}
