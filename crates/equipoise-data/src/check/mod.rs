//! A report on a data set that lists everything wrong with it.

mod report;

use std::path::Path;

use serde::Serialize;

use crate::error::DataError;
use crate::faults::Faults;
use crate::formats::{
    self, FormatEntry, Gathered, GatheredModality, GatheredShape, RowCounts, oddities, with_every_item,
};
use crate::interactions::Interactions;
use crate::loudness::Loudness;
use crate::options::LoadOptions;

/// What a data set holds, what is odd about it, and what is wrong with it.
///
/// Where faults were found, numbers cover what could be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataReport {
    /// Directory.
    pub path: String,
    /// Layout recognised; empty if none.
    pub format: String,
    /// Number of users.
    pub users: usize,
    /// Number of items in the catalogue.
    pub items: usize,
    /// Distinct interactions in all splits.
    pub interactions: usize,
    /// `1 - interactions / (users * items)`, 0 to 1.
    pub sparsity: f64,
    /// Interactions per split.
    pub splits: SplitSizes,
    /// Users without any train item.
    pub users_without_train: usize,
    /// Items without any train interaction.
    pub cold_items: usize,
    /// Users who met every item of the catalogue: whatever is recommended to them is a hit.
    pub users_with_every_item: usize,
    /// Users who have every item in train, to whom nothing is left to recommend.
    pub users_without_candidates: usize,
    /// What became of the rows that were read.
    pub rows: RowCounts,
    /// Each modality.
    pub modalities: Vec<ModalityReport>,
    /// Items with a category; `None` if there is no file of categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorised_items: Option<usize>,
    /// Whether one modality is much louder than another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// Oddities that do no harm, a sentence each.
    pub notes: Vec<String>,
    /// Faults that keep the data set from being loaded; empty for a sound one.
    pub faults: Vec<String>,
}

/// Distinct interactions per split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SplitSizes {
    /// To learn from.
    pub train: usize,
    /// To select by.
    pub validation: usize,
    /// To test on.
    pub test: usize,
}

/// One modality.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModalityReport {
    /// Name.
    pub name: String,
    /// Values per item.
    pub width: usize,
    /// Number of rows.
    pub rows: usize,
    /// Type in the file.
    pub dtype: &'static str,
    /// Items that `<modality>_missing.json` lists; `None` if there is no such file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marked_missing: Option<usize>,
    /// Rows that are all zero: most likely items without this modality.
    pub missing_rows: usize,
    /// Rows equal to an earlier one, zero rows left out.
    pub duplicate_rows: usize,
    /// Smallest value.
    pub minimum: f32,
    /// Largest value.
    pub maximum: f32,
}

/// Looks at everything in a data set and reports it, with *all* faults rather than the first.
/// Of faults of one kind in one file, 20 are listed and the others counted.
pub fn check(path: &Path, options: &LoadOptions) -> DataReport {
    let mut report = DataReport { path: path.display().to_string(), ..DataReport::default() };
    match formats::detect(path) {
        Ok(format) => fill(&mut report, format, path, options),
        Err(fault) => report.faults.push(fault.to_string()),
    }
    report
}

fn fill(report: &mut DataReport, format: &FormatEntry, path: &Path, options: &LoadOptions) {
    report.format = format.name().to_owned();
    let mut faults = Faults::collect_all();
    if let Err(last) = examine(report, format, path, options, &mut faults) {
        faults.found.push(last);
    }
    if faults.found.is_empty() {
        faults.found = format.audit(path, options);
    }
    report.faults = faults.found.iter().map(ToString::to_string).collect();
}

fn examine(
    report: &mut DataReport,
    format: &FormatEntry,
    path: &Path,
    options: &LoadOptions,
    faults: &mut Faults,
) -> Result<(), DataError> {
    let gathered = format.gather(path, options, faults)?;
    report.modalities = gathered.modalities.iter().map(modality_report).collect();
    report.categorised_items = gathered.categories.as_ref().map(|read| read.len());
    report.notes = gathered.notes.clone();
    let features = gathered.modalities.iter().map(|m| (m.name.as_str(), &m.features));
    report.loudness = Loudness::of(features);
    report.notes.extend(gathered.silent_modalities());
    let shape = gathered.verify(faults)?;
    count(report, &gathered, &shape);
    faults.keep(gathered.vocabulary(path, &shape))?;
    Ok(())
}

fn count(report: &mut DataReport, gathered: &Gathered, shape: &GatheredShape) {
    let splits = [0, 1, 2].map(|s| gathered.interactions(s, shape, &mut report.notes));
    let [train, validation, test] = splits.each_ref().map(Interactions::len);
    (report.users, report.items) = (shape.users, shape.items);
    report.splits = SplitSizes { train, validation, test };
    report.interactions = train + validation + test;
    let cells = shape.users as f64 * shape.items as f64;
    if cells > 0.0 {
        report.sparsity = 1.0 - report.interactions as f64 / cells;
    }
    report.users_without_train = shape.users - splits[0].users_with_items().len();
    report.cold_items = splits[0].item_counts().iter().filter(|&&c| c == 0).count();
    (report.users_with_every_item, report.users_without_candidates) =
        with_every_item(&splits[0], &splits[1], &splits[2]);
    report.rows = gathered.row_counts();
    report.notes.extend(oddities(&splits[0], &splits[1], &splits[2]));
}

fn modality_report(modality: &GatheredModality) -> ModalityReport {
    let features = &modality.features;
    let (minimum, maximum) = features.range();
    ModalityReport {
        name: modality.name.clone(),
        width: features.width(),
        rows: features.rows(),
        dtype: modality.dtype,
        marked_missing: modality.missing.as_ref().map(|missing| missing.items.len()),
        missing_rows: features.zero_rows(),
        duplicate_rows: features.duplicate_rows(),
        minimum,
        maximum,
    }
}
