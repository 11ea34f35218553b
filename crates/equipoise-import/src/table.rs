//! A table of interactions to a data set that still lacks features.

use std::path::Path;

use equipoise_data::formats::{Faults, GatheredSplit, RowCounts, TableOptions, read_table};
use equipoise_data::{DataError, Holdout, LoadOptions, SplitSizes, quoted};
use serde::Serialize;

use crate::files::write_lines;
use crate::lattice_files::{numbered, write_splits};
use crate::output::{IMPORT, OutputDir};

/// What [`import_table`] read and wrote; `import.json` has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableImport {
    /// Format version, 1.
    pub version: u32,
    /// The table.
    pub table: String,
    /// How it was read.
    pub options: LoadOptions,
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Interactions by split.
    pub splits: SplitSizes,
    /// What became of the rows of the table.
    pub rows: RowCounts,
    /// All that was merged or left out.
    pub notes: Vec<String>,
}

/// Reads a table of interactions (a `.csv`, `.tsv` or `.parquet` file, or a directory of them) and writes it as
/// [`import_amazon`](crate::import_amazon) does: `5-core/{train,val,test}.json` and the lists of raw ids, to which
/// features are added afterwards. Features beside the table are not read.
///
/// # Errors
/// The first fault of the table with its line; [`DataError::EmptyTrain`]; [`DataError::Entry`] for a raw id that a list
/// of ids cannot hold; [`DataError::Exists`] if `out` holds something and is not an import, or is one and `overwrite` is false.
pub fn import_table(
    path: &Path,
    options: &LoadOptions,
    out: &Path,
    overwrite: bool,
) -> Result<TableImport, DataError> {
    std::fs::metadata(path).map_err(DataError::io(path))?;
    let output = OutputDir::reserve(out, IMPORT, overwrite)?;
    let mut notes = Vec::new();
    let table = TableOptions::from(options);
    let read = read_table(path, &table, &mut Faults::stop_at_first(), &mut notes)?;
    let unclear = || DataError::EmptyTrain { origin: path.display().to_string() };
    let read = read.ok_or_else(unclear)?;
    let (users, items) = (read.users(), read.items());
    let parts = parts(read.splits(), users.len());
    let report = TableImport {
        version: 1,
        table: path.display().to_string(),
        options: options.clone(),
        users: users.len(),
        items: items.len(),
        splits: sizes(&parts),
        rows: read.row_counts(&table),
        notes,
    };
    if report.splits.train == 0 {
        return Err(unclear());
    }
    let core = output.dir().join("5-core");
    std::fs::create_dir(&core).map_err(DataError::io(&core))?;
    write_splits(output.dir(), &parts)?;
    for (name, ids) in [("user_list.txt", users), ("item_list.txt", items)] {
        fits(path, ids)?;
        write_lines(&core.join(name), numbered(ids.iter().map(String::as_str)))?;
    }
    output.write_report(&report)?;
    output.finish()?;
    Ok(report)
}

/// Each user's items, repeats left out: the first of each pair stays.
fn parts(splits: [Option<&GatheredSplit>; 3], users: usize) -> Vec<Holdout> {
    let mut parts = vec![Holdout::default(); users];
    for (split, number) in splits.iter().zip(0..) {
        let mut seen = std::collections::HashSet::new();
        for &(user, item) in split.iter().flat_map(|split| &split.pairs) {
            let own = &mut parts[user as usize];
            let part = [&mut own.train, &mut own.validation, &mut own.test].into_iter().nth(number);
            if let (Some(part), true) = (part, seen.insert((user, item))) {
                part.push(item);
            }
        }
    }
    parts
}

fn sizes(parts: &[Holdout]) -> SplitSizes {
    let count = |part: fn(&Holdout) -> &Vec<u32>| parts.iter().map(|p| part(p).len()).sum();
    SplitSizes { train: count(|p| &p.train), validation: count(|p| &p.validation), test: count(|p| &p.test) }
}

/// A list of ids has a line for each and a tab after it.
fn fits(path: &Path, ids: &[String]) -> Result<(), DataError> {
    match ids.iter().find(|id| id.contains(['\t', '\n', '\r']) || id.trim() != id.as_str()) {
        None => Ok(()),
        Some(id) => Err(DataError::Entry {
            file: path.to_owned(),
            place: format!("id {}", quoted(id)),
            problem: "has a tab, a line break or blanks at its ends; rename it in the table".into(),
        }),
    }
}
