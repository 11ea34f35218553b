//! Raw files to a data set that lacks features.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::stage::{Context, Stage};
use equipoise_data::{DataError, LoadOptions, SplitRule};
use equipoise_import::{AmazonConfig, import_amazon, import_table};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Its name and directory.
pub(super) const NAME: &str = "import";

/// Divides the interactions and gathers the texts; features of images where they come with the reviews.
pub(super) struct Import;

/// Where the import lies.
pub(super) fn place(config: &PipelineConfig) -> PathBuf {
    config.out.join(NAME).join("data")
}

fn amazon(config: &PipelineConfig, reviews: &Path) -> AmazonConfig {
    let default = AmazonConfig::default();
    AmazonConfig {
        reviews: reviews.to_owned(),
        meta: config.meta.clone(),
        image_features: config.image_features.clone(),
        split: config.split.unwrap_or(default.split),
        shares: config.shares,
        core: config.core.unwrap_or(default.core),
        seed: config.split_seed,
        ..default
    }
}

fn table(config: &PipelineConfig) -> LoadOptions {
    LoadOptions {
        columns: config.columns.clone(),
        min_rating: config.min_rating,
        split: config.split,
        shares: config.shares,
        seed: config.split_seed,
        ..LoadOptions::default()
    }
}

/// Lists of ids that lie beside a table are read with it.
fn lists(config: &PipelineConfig) -> impl Iterator<Item = (String, PathBuf)> {
    let beside = config.csv.iter().filter(|csv| csv.is_file()).flat_map(|csv| {
        ["user_list.txt", "item_list.txt"].map(|name| (name.to_owned(), csv.with_file_name(name)))
    });
    beside.filter(|(_, path)| path.is_file())
}

impl Stage for Import {
    fn name(&self) -> String {
        NAME.into()
    }

    fn title(&self) -> String {
        "import of the raw files".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        // Without the paths: files are known by what is in them.
        let AmazonConfig { split, shares, core, text, seed, bad_lines, .. } = amazon(config, Path::new(""));
        Ok(match &config.reviews {
            Some(_) => {
                json!({ "split": split, "shares": shares, "core": core, "text": text, "seed": seed, "bad": bad_lines })
            }
            None => json!(table(config)),
        })
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let files = [
            ("reviews", &config.reviews),
            ("meta", &config.meta),
            ("image_features", &config.image_features),
            ("csv", &config.csv),
        ];
        let given = files.into_iter().filter_map(|(role, path)| Some((role.to_owned(), path.clone()?)));
        given.chain(lists(config)).collect()
    }

    fn before(&self) -> Vec<String> {
        Vec::new()
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let (config, out) = (context.config, place(context.config));
        if let Some(reviews) = &config.reviews {
            let watch = &mut *context.watch;
            let report = import_amazon(&amazon(config, reviews), &out, true, &mut |text| {
                watch.say(&format!("  {text}"))
            })?;
            let size = report.kept;
            context
                .watch
                .say(&format!("  {} users, {} items, {} reviews", size.users, size.items, size.reviews));
            return Ok(());
        }
        let csv = config.csv.as_ref().expect("the configuration was checked: reviews, csv or data");
        let mut options = table(config);
        let mut done = import_table(csv, &options, &out, true);
        if matches!(done, Err(DataError::Unsplit { .. })) {
            context.watch.say(
                "  no column says the split and no --split is given: each user's items are divided at random (ratio)",
            );
            options.split = Some(SplitRule::Ratio);
            done = import_table(csv, &options, &out, true);
        }
        let done = done?;
        for note in &done.notes {
            context.watch.say(&format!("  note: {note}"));
        }
        let interactions = done.splits.train + done.splits.validation + done.splits.test;
        context
            .watch
            .say(&format!("  {} users, {} items, {interactions} interactions", done.users, done.items));
        Ok(())
    }
}
