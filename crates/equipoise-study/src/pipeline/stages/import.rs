//! Raw files to a data set that lacks features.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::source::Source;
use super::super::stage::{Context, Stage};
use super::layout;
use equipoise_data::{DataError, LoadOptions, SplitRule};
use equipoise_import::{AmazonConfig, import_amazon, import_table};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Divides the interactions and gathers the texts; features of images where they come with the reviews.
pub(super) enum Import {
    /// Raw Amazon files.
    Amazon(AmazonConfig),
    /// A table of interactions.
    Table(PathBuf, Box<LoadOptions>),
}

impl Import {
    /// The import that a source needs; a data set that is ready needs none.
    pub(super) fn of(config: &PipelineConfig, source: &Source) -> Option<Import> {
        match source {
            Source::Reviews { reviews, meta, image_features, core } => {
                let default = AmazonConfig::default();
                Some(Import::Amazon(AmazonConfig {
                    reviews: reviews.clone(),
                    meta: meta.clone(),
                    image_features: image_features.clone(),
                    split: config.split.unwrap_or(default.split),
                    shares: config.shares,
                    core: core.unwrap_or(default.core),
                    seed: config.split_seed,
                    ..default
                }))
            }
            Source::Tables { csv, columns, min_rating, .. } => {
                let options = LoadOptions {
                    columns: columns.clone(),
                    min_rating: *min_rating,
                    split: config.split,
                    shares: config.shares,
                    seed: config.split_seed,
                    ..LoadOptions::default()
                };
                Some(Import::Table(csv.clone(), Box::new(options)))
            }
            Source::Ready(_) => None,
        }
    }
}

/// Lists of ids that lie beside a table are read with it.
fn lists(csv: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let names = if csv.is_file() { &["user_list.txt", "item_list.txt"][..] } else { &[] };
    let beside = names.iter().map(|name| ((*name).to_owned(), csv.with_file_name(name)));
    beside.filter(|(_, path)| path.is_file())
}

impl Stage for Import {
    fn name(&self) -> String {
        layout::IMPORT.into()
    }

    fn title(&self) -> String {
        "import of the raw files".into()
    }

    fn settings(&self, _config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        // Without the paths: files are known by their contents.
        Ok(match self {
            Import::Amazon(AmazonConfig { split, shares, core, text, seed, bad_lines, .. }) => {
                json!({ "split": split, "shares": shares, "core": core, "text": text, "seed": seed, "bad": bad_lines })
            }
            Import::Table(_, options) => json!(options),
        })
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let named = |role: &str, path: &PathBuf| (role.to_owned(), path.clone());
        match self {
            Import::Amazon(AmazonConfig { reviews, meta, image_features, .. }) => {
                let meta = meta.iter().map(|path| named("meta", path));
                let images = image_features.iter().map(|path| named("image_features", path));
                std::iter::once(named("reviews", reviews)).chain(meta).chain(images).collect()
            }
            Import::Table(csv, _) => std::iter::once(named("csv", csv)).chain(lists(csv)).collect(),
        }
    }

    fn before(&self) -> Vec<String> {
        Vec::new()
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let out = context.dir.join(layout::IMPORTED);
        match self {
            Import::Amazon(reviews) => amazon(reviews, &out, context),
            Import::Table(csv, options) => table(csv, *options.clone(), &out, context),
        }
    }
}

fn amazon(reviews: &AmazonConfig, out: &Path, context: &mut Context) -> Result<(), PipelineError> {
    let report = import_amazon(reviews, out, true, &mut |text| context.note(format!("  {text}")))?;
    let size = report.kept;
    context.note(format!("  {} users, {} items, {} reviews", size.users, size.items, size.reviews));
    Ok(())
}

fn table(
    csv: &Path,
    mut options: LoadOptions,
    out: &Path,
    context: &mut Context,
) -> Result<(), PipelineError> {
    let mut done = import_table(csv, &options, out, true);
    if matches!(done, Err(DataError::Unsplit { .. })) {
        context.note(
            "  no column says the split and no --split is given: each user's items are divided at random (ratio)",
        );
        options.split = Some(SplitRule::Ratio);
        done = import_table(csv, &options, out, true);
    }
    let done = done?;
    for note in &done.notes {
        context.note(format!("  note: {note}"));
    }
    let interactions = done.splits.train + done.splits.validation + done.splits.test;
    context.note(format!("  {} users, {} items, {interactions} interactions", done.users, done.items));
    Ok(())
}
