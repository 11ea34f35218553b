//! Flags that say how a data set is read.

use super::splits;
use crate::failure::Failure;
use equipoise_data::{Columns, FeatureSource, LoadOptions, Shares, SplitRule};
use serde_json::Value;
use std::path::PathBuf;

/// How a data set is read.
#[derive(clap::Args)]
pub struct ReadArgs {
    /// Modalities that must be there, by name [default: all that are found].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    modalities: Option<Vec<String>>,
    /// Features that lie elsewhere: .npy, .npz, .safetensors, .parquet, or a folder of one .npy per raw item id.
    #[arg(long, value_name = "NAME=PATH", value_parser = source)]
    features: Vec<FeatureSource>,
    /// Option of a layout that was registered; VALUE is JSON, or else a text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = layout_option)]
    layout_option: Vec<(String, Value)>,
    /// Column of user ids in a table [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    user_column: Option<String>,
    /// Column of item ids [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    item_column: Option<String>,
    /// Column of ratings, for --min-rating [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    rating_column: Option<String>,
    /// Column of timestamps, numbers or dates; "" for none [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    timestamp_column: Option<String>,
    /// Column that says train, validation or test [default: guessed].
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    split_column: Option<String>,
    /// The first line is data; columns are their numbers from 1.
    #[arg(long, help_heading = "Tables")]
    no_header: bool,
    /// Leave out rows that are rated below, and those without a rating; of matrices, entries below.
    #[arg(long, value_name = "RATING", allow_negative_numbers = true, help_heading = "Tables")]
    min_rating: Option<f64>,
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
        if let Some(rating) = self.min_rating.filter(|rating| !rating.is_finite()) {
            return Err(Failure::input(format!("--min-rating = {rating}: expected a finite number")));
        }
        let columns = Columns {
            user: self.user_column.clone(),
            item: self.item_column.clone(),
            rating: self.rating_column.clone(),
            timestamp: self.timestamp_column.clone(),
            split: self.split_column.clone(),
            header: !self.no_header,
        };
        Ok(LoadOptions {
            modalities: self.modalities.clone(),
            features: self.features.clone(),
            columns,
            min_rating: self.min_rating,
            split: self.split,
            shares: self.shares,
            seed: self.seed,
            layout: self.layout_option.iter().cloned().collect(),
        })
    }
}
