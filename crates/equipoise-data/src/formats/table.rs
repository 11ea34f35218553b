//! Tables with named columns: text, Parquet or JSON objects, one row per interaction.
//!
//! ```text
//! <file>.csv, .tsv, .txt, .dat, .jsonl or .parquet  one table, with a column of the split or a rule for it
//! <dir>/*.parquet                                   a folder of parts, which are one table: see `table_parts`
//! <dir>/interactions.csv (.tsv, .jsonl, .parquet)   the same, found by its name
//! <dir>/train.csv, val.csv, test.csv (.tsv, ...)    one table per split
//! <dir>/<modality>_feat.*                           features: see `sources`
//! <dir>/item_list.txt, user_list.txt                optional: raw id <tab> index
//! ```
//!
//! A file of text or JSON may be compressed (`.csv.gz`). Ids are texts or numbers of any kind; users and items are numbered by first appearance unless the lists say
//! otherwise. Feedback is implicit: every row is a positive, unless `min_rating` leaves it out.

use std::path::{Path, PathBuf};

use super::entry::{Format, ReadRequest};
use super::files::{FileKind, MANIFEST, directory_name, kind, stem};
use super::gathered::{Gathered, GatheredSplit};
use super::no_table::no_table;
#[cfg(feature = "parquet")]
use super::parquet_table::{check_columns, read as read_parquet};
use super::records::{Interner, Records};
use super::row_counts::RowCounts;
use super::table_options::TableOptions;
#[cfg(not(feature = "parquet"))]
use super::without_parquet::refused;
use super::{category_file, delimited, id_list, modality_files, object_table, table_parts};
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::short;

/// A `.csv`, `.tsv`, `.txt`, `.dat`, `.jsonl` or `.parquet` file with columns of users and items, or a directory with
/// `interactions.<ending>` or `train`, `val`, `test` of them, and `<modality>_feat.npy`.
#[derive(Debug)]
pub struct TableLayout;

/// Names of the files of each split.
const SPLIT_FILES: [&[&str]; 3] = [&["train"], &["val", "valid", "validation"], &["test"]];

impl TableLayout {
    /// The tables, each a file or a folder of parts, with the split that each stands for, if it does.
    fn files(path: &Path) -> Vec<(PathBuf, Option<u8>)> {
        if path.is_file() {
            return if kind(path).is_some() { vec![(path.to_owned(), None)] } else { Vec::new() };
        }
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut found: Vec<(PathBuf, Option<u8>)> = entries.filter_map(|entry| part(&entry.path())).collect();
        // The whole before its parts, train first: ids are numbered as they come.
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        // Names that say what a file is go before a folder of parts.
        if found.is_empty() && table_parts::is_folder(path) { vec![(path.to_owned(), None)] } else { found }
    }

    /// Whether `path` itself is the one table: a file, or a folder of parts.
    fn is_one(path: &Path) -> bool {
        path.is_file() || TableLayout::files(path).first().is_some_and(|(table, _)| table == path)
    }
}

/// A file of a directory, or a folder of parts in it, that is a table by its name, and the split that it stands for.
/// Other files of text and JSON lie in directories too, so that `.csv`, `.tsv` and `.jsonl` alone count.
fn part(file: &Path) -> Option<(PathBuf, Option<u8>)> {
    let stem = ["csv", "tsv", "jsonl", "parquet"].iter().find_map(|ending| stem(file, ending))?;
    kind(file).filter(|_| file.is_file() || table_parts::is_folder(file))?;
    let named = SPLIT_FILES.iter().zip(0u8..).find(|(names, _)| names.contains(&&*stem));
    match named {
        Some((_, split)) => Some((file.to_owned(), Some(split))),
        None => (stem == "interactions").then(|| (file.to_owned(), None)),
    }
}

impl Format for TableLayout {
    type Options = TableOptions;

    fn name(&self) -> &'static str {
        "table"
    }

    fn describe(&self) -> &'static str {
        "a .csv, .tsv, .txt, .dat, .jsonl or .parquet file with columns of users and items, or a directory with interactions.csv (or \
         train.csv, val.csv, test.csv), and <modality>_feat.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        !path.join(MANIFEST).exists() && !TableLayout::files(path).is_empty()
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        options: &TableOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let mut found =
            Gathered { name: name(path), format: Format::name(self).into(), ..Gathered::default() };
        let Some(read) = read_table(path, options, faults, &mut found.notes)? else {
            return Ok(found);
        };
        let TableRows { records, splits, listed, origin } = read;
        found.counts = records.counts(options);
        found.splits = splits;
        let (dir, notes) = (directory(path), &mut found.notes);
        found.modalities =
            modality_files::read_listed(dir, request, records.items.ids(), listed, faults, notes)?;
        found.categories = category_file::read(dir, faults)?;
        [found.users, found.items] = records.listed(&origin);
        Ok(found)
    }
}

/// The directory in which lists and features of a table lie: that of the file, or of the folder of parts.
fn directory(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if TableLayout::is_one(path) { parent.unwrap_or(Path::new(".")) } else { path }
}

/// The interactions of a table, with users and items numbered.
pub struct TableRows {
    records: Records,
    splits: [Option<GatheredSplit>; 3],
    /// Number of items that a list named beforehand.
    listed: usize,
    /// Where the rows come from.
    origin: PathBuf,
}

impl TableRows {
    /// Raw user ids by index.
    pub fn users(&self) -> &[String] {
        self.records.users.ids()
    }

    /// Raw item ids by index.
    pub fn items(&self) -> &[String] {
        self.records.items.ids()
    }

    /// What became of the rows.
    pub fn row_counts(&self, options: &TableOptions) -> RowCounts {
        let gathered = Gathered {
            splits: self.splits.clone(),
            counts: self.records.counts(options),
            ..Gathered::default()
        };
        gathered.row_counts()
    }

    /// Train, validation and test; `None` where a table could not be read.
    pub fn splits(&self) -> [Option<&GatheredSplit>; 3] {
        self.splits.each_ref().map(Option::as_ref)
    }
}

/// Reads the rows of the tables at `path` and divides them where they are not divided. The result is `None` if it is
/// not clear which tables are meant.
///
/// # Errors
/// The first fault, when loading.
pub fn read_table(
    path: &Path,
    options: &TableOptions,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Option<TableRows>, DataError> {
    let (files, dir) = (TableLayout::files(path), directory(path));
    let mut records = Records::default();
    let lists = [
        id_list::read(&dir.join("user_list.txt"), faults)?,
        id_list::read(&dir.join("item_list.txt"), faults)?,
    ];
    let [users, items] = lists.map(|list| list.map_or_else(Vec::new, |(_, ids)| ids));
    let listed = items.len();
    (records.users, records.items) = (Interner::of(users), Interner::of(items));
    let origin = match ambiguous(path, &files) {
        Ok(origin) => origin,
        Err(fault) => return faults.add(fault).map(|()| None),
    };
    for (file, split) in &files {
        records.incomplete |= faults.keep(read_one(file, options, *split, &mut records, notes))?.is_none();
    }
    records.refuse_empty(&origin, options, faults)?;
    let splits = records.finish(&origin, options, faults, notes)?;
    let splits = if records.incomplete { [None, None, None] } else { splits };
    Ok(Some(TableRows { records, splits, listed, origin }))
}

/// Reads a file, or the parts of a folder one after the other.
fn read_one(
    table: &Path,
    options: &TableOptions,
    split: Option<u8>,
    records: &mut Records,
    notes: &mut Vec<String>,
) -> Result<(), DataError> {
    let read = |file: &Path, records: &mut Records| match kind(file) {
        Some((FileKind::Parquet, _)) => read_parquet(file, options, split, records),
        Some((FileKind::Objects, _)) => object_table::read(file, options, split, records),
        Some((FileKind::Text, _)) | None => delimited::read(file, options, split, records),
    };
    if table.is_file() {
        return read(table, records);
    }
    let parts = table_parts::list(table)?;
    notes.push(format!(
        "{}: {} parts read as one table, in the order of their names.",
        table.display(),
        parts.len()
    ));
    check_columns(&parts)?;
    parts.iter().try_for_each(|part| read(part, records))
}

/// What the interactions are from: the one table, or the directory of one table per split.
fn ambiguous(path: &Path, files: &[(PathBuf, Option<u8>)]) -> Result<PathBuf, DataError> {
    let layout = |found: String| DataError::Layout {
        path: path.to_owned(),
        found,
        expected: "one table of all interactions, or one of each split".into(),
    };
    match files {
        [] if path.is_file() => Err(no_table(path)),
        [] => Err(layout("no table".into())),
        [(file, None)] => Ok(file.clone()),
        parts => {
            let mut splits: Vec<_> = parts.iter().map(|p| p.1).collect();
            splits.dedup();
            let distinct = splits.len() == parts.len() && !splits.contains(&None);
            let names = parts.iter().filter_map(|p| p.0.file_name()).map(|n| n.to_string_lossy());
            let found = || short(&names.collect::<Vec<_>>().join(", "));
            if distinct { Ok(path.to_owned()) } else { Err(layout(found())) }
        }
    }
}

/// The directory's name, or the file's without its ending.
fn name(path: &Path) -> String {
    let packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let path_without = if packed { path.with_extension("") } else { path.to_owned() };
    match path_without.file_stem() {
        Some(stem) if TableLayout::is_one(path) => stem.to_string_lossy().into_owned(),
        _ => directory_name(path),
    }
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(
    file: &Path,
    _options: &TableOptions,
    _split: Option<u8>,
    _records: &mut Records,
) -> Result<(), DataError> {
    Err(refused(file))
}

#[cfg(not(feature = "parquet"))]
fn check_columns(_parts: &[PathBuf]) -> Result<(), DataError> {
    Ok(())
}
