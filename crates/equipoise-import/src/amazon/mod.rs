//! Reviews, metadata and image features of the Amazon releases of 2014, 2018 and 2023 to a data set.
//!
//! Files are streamed: no text of a review is held, and texts of items are held one at a time. The memory is
//! the reviews as numbers and the ids, about 100 bytes for each review and each id at the peak: 230 MiB for a file of
//! 1.5 GB with 2.5 million reviews by 400,000 users of 100,000 items.

mod config;
mod core;
mod ids;
mod images;
mod literal;
mod literal_text;
mod meta;
mod object;
mod parts;
mod pool;
mod report;
mod review;
mod skipped;
mod texts;

use std::path::Path;

use equipoise_data::{DataError, Holdout, SplitSizes};

pub use config::{AmazonConfig, BadLines, TextRule};
pub use images::ImageCounts;
pub(crate) use images::WIDTH as IMAGE_WIDTH;
pub use pool::{ReviewCounts, Size};
pub use report::ImportReport;
pub use review::Release;
pub use texts::MetaCounts;

use crate::lattice_files::{write_ids, write_splits};
use crate::output::{IMPORT, OutputDir};
use pool::Pool;
use skipped::Skipped;

/// Imports raw Amazon files into the directory `out`. Users and items are numbered by first appearance among the
/// reviews that are kept. `progress` is told in a sentence what has been done.
///
/// The directory appears when everything is written; until then, and after a fault, `out` is as it was.
///
/// # Errors
/// [`DataError`] naming file and line or byte of the first fault; [`DataError::Exists`] if `out` holds something
/// and is not an import, or is one and `overwrite` is false.
pub fn import_amazon(
    config: &AmazonConfig,
    out: &Path,
    overwrite: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<ImportReport, DataError> {
    config.check()?;
    let output = OutputDir::reserve(out, IMPORT, overwrite)?;
    let (mut counts, mut skipped) = (ReviewCounts::default(), Skipped::default());
    let pool = reviews(config, &mut counts, &mut skipped)?;
    progress(&format!("{} reviews read, {} kept", counts.found.reviews, pool.rows.len()));
    let parts = parts::divide(&pool, &config.splitting());
    write_interactions(output.dir(), &pool, &parts)?;
    let mut report = ImportReport {
        version: 1,
        settings: config.clone(),
        reviews: counts,
        meta: None,
        images: None,
        kept: pool.size(),
        splits: sizes(&parts, config)?,
        users_without_train: parts.iter().filter(|p| p.train.is_empty()).count(),
        cold_items: cold(&parts, pool.items.len()),
        replaced_characters: 0,
        not_numbers: 0,
        notes: Vec::new(),
        skipped: Vec::new(),
    };
    // Only the ids of items are needed from here on.
    let Pool { items, users, rows } = pool;
    drop((users, rows, parts));
    if let Some(file) = &config.meta {
        let meta = texts::write(file, &items, output.dir(), config, &mut skipped)?;
        progress(&format!("{} lines of metadata read", meta.lines));
        report.meta = Some(meta);
    }
    if let Some(file) = &config.image_features {
        let images = images::write(file, &items, output.dir())?;
        progress(&format!("{} image records read", images.records));
        report.images = Some(images);
    }
    let Skipped { examples, replaced, not_numbers, notes } = skipped;
    notes.iter().for_each(|note| progress(&format!("note: {note}")));
    let report =
        ImportReport { replaced_characters: replaced, not_numbers, notes, skipped: examples, ..report };
    output.write_report(&report)?;
    output.finish()?;
    Ok(report)
}

/// Writes the splits and the lists of raw ids.
fn write_interactions(dir: &Path, pool: &Pool, parts: &[Holdout]) -> Result<(), DataError> {
    let core = dir.join("5-core");
    std::fs::create_dir(&core).map_err(DataError::io(&core))?;
    write_splits(dir, parts)?;
    write_ids(&core.join("user_list.txt"), pool.users.names().iter())?;
    write_ids(&core.join("item_list.txt"), pool.items.names().iter())
}

/// The reviews that are kept.
fn reviews(
    config: &AmazonConfig,
    counts: &mut ReviewCounts,
    skipped: &mut Skipped,
) -> Result<Pool, DataError> {
    let mut pool = Pool::read(config, counts, skipped)?;
    counts.repeated = pool.merge();
    let found = pool.size();
    let kept = core::core(&pool.rows, found.users, found.items, config.core);
    let pool = pool.keep(&kept);
    let left = pool.size();
    counts.found = found;
    counts.outside_core = Size {
        users: found.users - left.users,
        items: found.items - left.items,
        reviews: found.reviews - left.reviews,
    };
    if left.reviews == 0 {
        let problem = format!("no review is left in the {0}-core; lower --core from {0}", config.core);
        let place = "the whole file".into();
        return Err(DataError::Entry { file: config.reviews.clone(), place, problem });
    }
    Ok(pool)
}

fn sizes(parts: &[Holdout], config: &AmazonConfig) -> Result<SplitSizes, DataError> {
    let count = |part: fn(&Holdout) -> &Vec<u32>| parts.iter().map(|p| part(p).len()).sum();
    let sizes = SplitSizes {
        train: count(|p| &p.train),
        validation: count(|p| &p.validation),
        test: count(|p| &p.test),
    };
    match sizes.train {
        0 => Err(DataError::EmptyTrain { origin: format!("--split {}", config.split.name()) }),
        _ => Ok(sizes),
    }
}

fn cold(parts: &[Holdout], items: usize) -> usize {
    let mut seen = vec![false; items];
    parts.iter().flat_map(|p| &p.train).for_each(|&item| seen[item as usize] = true);
    seen.iter().filter(|seen| !**seen).count()
}
