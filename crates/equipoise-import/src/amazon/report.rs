//! What an import did, for people and for `import.json`.

use std::fmt::{Display, Formatter, Result};

use equipoise_data::SplitSizes;
use serde::Serialize;

use super::config::AmazonConfig;
use super::images::ImageCounts;
use super::pool::{ReviewCounts, Size};
use super::texts::MetaCounts;

/// What was read, kept, left out and written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportReport {
    /// Format version of the report, 1.
    pub version: u32,
    /// What was asked.
    pub settings: AmazonConfig,
    /// The reviews.
    pub reviews: ReviewCounts,
    /// The metadata, if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<MetaCounts>,
    /// The features of images, if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageCounts>,
    /// Users, items and interactions of the data set.
    pub kept: Size,
    /// Its interactions by split.
    pub splits: SplitSizes,
    /// Users without a train item.
    pub users_without_train: usize,
    /// Items without a train interaction.
    pub cold_items: usize,
    /// Halves of surrogate pairs in texts, replaced by U+FFFD.
    pub replaced_characters: u64,
    /// Values `NaN` or infinite in JSON, which count as absent.
    pub not_numbers: u64,
    /// What was found out about the files: their release, where that is not the usual their encoding, a sentence each.
    pub notes: Vec<String>,
    /// Faults of the first lines that were left out.
    pub skipped: Vec<String>,
}

impl Display for ImportReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.reviews(f)?;
        if let Some(meta) = &self.meta {
            section(
                f,
                "metadata",
                &[
                    ("lines", meta.lines),
                    ("  blank", meta.blank),
                    ("  not understood", meta.skipped),
                    ("  of other items", meta.unknown),
                    ("  repeated", meta.repeated),
                    ("items without", meta.items_without as u64),
                    ("items without text", meta.items_without_text as u64),
                    ("items without category", meta.items_without_category as u64),
                    ("  texts with HTML decoded", meta.decoded_texts),
                    ("  prices that are none", meta.odd_prices),
                ],
            )?;
        }
        if let Some(images) = &self.images {
            section(
                f,
                "image features",
                &[
                    ("records", images.records),
                    ("  of other items", images.unknown),
                    ("  repeated", images.repeated),
                    ("items without", images.items_without as u64),
                ],
            )?;
        }
        self.data_set(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "  - {note}"))?;
        let examples = if self.skipped.is_empty() { "" } else { "\nlines left out\n" };
        write!(f, "{examples}")?;
        self.skipped.iter().try_for_each(|line| writeln!(f, "  - {line}"))
    }
}

impl ImportReport {
    fn reviews(&self, f: &mut Formatter<'_>) -> Result {
        let r = &self.reviews;
        section(
            f,
            "reviews",
            &[
                ("lines", r.lines),
                ("  blank", r.blank),
                ("  not understood", r.skipped),
                ("  repeated", r.repeated as u64),
                ("  without a time", r.undated),
            ],
        )?;
        let (found, out) = (r.found, r.outside_core);
        let core = self.settings.core;
        writeln!(
            f,
            "  {:<26}{:>12} users, {} items, {} reviews",
            "distinct", found.users, found.items, found.reviews
        )?;
        let label = format!("  outside the {core}-core");
        writeln!(f, "  {label:<26}{:>12} users, {} items, {} reviews", out.users, out.items, out.reviews)
    }

    fn data_set(&self, f: &mut Formatter<'_>) -> Result {
        let (kept, splits) = (self.kept, self.splits);
        section(
            f,
            "data set",
            &[
                ("users", kept.users as u64),
                ("items", kept.items as u64),
                ("interactions", kept.reviews as u64),
                ("  train", splits.train as u64),
                ("  validation", splits.validation as u64),
                ("  test", splits.test as u64),
                ("users without train", self.users_without_train as u64),
                ("items without train", self.cold_items as u64),
                ("halves of characters", self.replaced_characters),
                ("  values NaN, left out", self.not_numbers),
            ],
        )
    }
}

/// Numbers that are 0 under an indented label say nothing and are left out.
fn section(f: &mut Formatter<'_>, title: &str, rows: &[(&str, u64)]) -> Result {
    writeln!(f, "{title}")?;
    for (label, value) in rows.iter().filter(|(label, value)| *value > 0 || !label.starts_with(' ')) {
        writeln!(f, "  {label:<26}{value:>12}")?;
    }
    Ok(())
}
