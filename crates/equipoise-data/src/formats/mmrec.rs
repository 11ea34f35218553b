//! The layout of the MMRec toolbox.
//!
//! ```text
//! <dir>/<name>.inter            tab separated, header with userID, itemID, x_label
//! <dir>/<modality>_feat.npy     one row per item
//! <dir>/<modality>_missing.json    optional: [items that lack it]
//! <dir>/u_id_mapping.csv, i_id_mapping.csv    optional: raw id <tab> index
//! ```
//!
//! `x_label` is 0 for train, 1 for validation, 2 for test. A column `timestamp` is kept where every row has a
//! moment in it; further columns are left aside.

use std::path::{Path, PathBuf};

use super::entry::{Format, NoOptions, ReadRequest};
use super::files::{directory_name, inter_files};
use super::gathered::{Gathered, GatheredSplit, SPLITS};
use super::moments::{Clock, Moment};
use super::{category_file, id_list, modality_files, recbole};
use crate::error::DataError;
use crate::faults::Faults;

/// One `<name>.inter` with the columns `userID`, `itemID`, `x_label` (0 train, 1 validation, 2 test)
/// and `<modality>_feat.npy`; raw ids from `u_id_mapping.csv` and `i_id_mapping.csv` if there.
#[derive(Debug)]
pub struct Mmrec;

/// Columns that are read: users, items, split.
const COLUMNS: [&str; 3] = ["userID", "itemID", "x_label"];

impl Format for Mmrec {
    type Options = NoOptions;

    fn name(&self) -> &'static str {
        "mmrec"
    }

    fn describe(&self) -> &'static str {
        "<name>.inter (tab-separated userID, itemID, x_label) and <modality>_feat.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        inter_files(path).is_ok_and(|files| !files.is_empty() && !files.iter().any(|f| recbole::is_typed(f)))
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        _: &NoOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let mut notes = Vec::new();
        let splits = match faults.keep(the_inter_file(path))? {
            Some(file) => read_inter(&file, faults, &mut notes)?,
            None => [None, None, None],
        };
        let users = id_list::read(&path.join("u_id_mapping.csv"), faults)?;
        let items = id_list::read(&path.join("i_id_mapping.csv"), faults)?;
        let listed = items.as_ref().map(|(_, ids)| &ids[..]);
        Ok(Gathered {
            name: directory_name(path),
            format: Format::name(self).into(),
            splits,
            modalities: modality_files::read(path, request, listed, faults, &mut notes)?,
            users,
            items,
            categories: category_file::read(path, faults)?,
            notes,
            ..Gathered::default()
        })
    }
}

fn the_inter_file(path: &Path) -> Result<PathBuf, DataError> {
    let files = inter_files(path)?;
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(DataError::Layout {
            path: path.to_owned(),
            found: format!("{} files end in .inter", files.len()),
            expected: "exactly one <name>.inter".into(),
        }),
    }
}

/// Reads all three splits from the one file.
fn read_inter(
    file: &Path,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<[Option<GatheredSplit>; 3], DataError> {
    let Some(text) = faults.keep(std::fs::read_to_string(file).map_err(DataError::io(file)))? else {
        return Ok([None, None, None]);
    };
    let mut lines = text.lines();
    let header = lines.next().unwrap_or("");
    let Some(columns) = faults.keep(columns(file, header))? else {
        return Ok([None, None, None]);
    };
    let mut label = 0;
    let mut splits = SPLITS.map(|name| {
        let origin = format!("{} ({name}, x_label {label})", file.display());
        label += 1;
        GatheredSplit { origin, ..GatheredSplit::default() }
    });
    let (mut wrong, mut clock) = (Vec::new(), Clock::default());
    for (number, line) in lines.enumerate() {
        let taken = row(line, &columns).and_then(|row| push(&mut splits, &mut clock, row));
        if let Err(problem) = taken {
            wrong.push((number + 2, problem));
        }
    }
    let [rows, times] = [|s: &GatheredSplit| s.pairs.len(), |s: &GatheredSplit| s.times.len()]
        .map(|count| splits.iter().map(count).sum::<usize>());
    let (dated, file_name) = (times == rows, file.display());
    if times > 0 && !dated {
        let undated = rows - times;
        notes.push(format!(
            "{file_name}: {undated} of {rows} rows have no timestamp, so that none is kept with the data."
        ));
    }
    notes.extend(clock.note().map(|note| format!("{file_name}: {note}.")));
    for split in &mut splits {
        if !dated {
            split.times.clear();
        }
        split.users = split.pairs.iter().map(|p| p.0).collect();
        split.users.sort_unstable();
        split.users.dedup();
    }
    let wrong = wrong.into_iter().map(|(line, problem)| DataError::Entry {
        file: file.to_owned(),
        place: format!("line {line}"),
        problem,
    });
    faults.add_all(wrong, &file.display().to_string(), "malformed line")?;
    Ok(splits.map(Some))
}

/// Takes a line into its split.
fn push(splits: &mut [GatheredSplit; 3], clock: &mut Clock, (split, pair, time): Line) -> Result<(), String> {
    let earlier = splits.iter_mut().flat_map(|split| &mut split.times);
    let finer = |factor| earlier.for_each(|time| *time *= factor);
    let time = time.map(|moment| clock.read(moment, finer)).transpose()?;
    splits[split].pairs.push(pair);
    splits[split].times.extend(time);
    Ok(())
}

/// Where the columns stand, and how many there are.
struct Columns {
    places: [usize; 3],
    time: Option<usize>,
    count: usize,
}

fn columns(file: &Path, header: &str) -> Result<Columns, DataError> {
    let names: Vec<&str> = header.split('\t').collect();
    let mut places = [0; 3];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = names.iter().position(|&n| n == column).ok_or_else(|| DataError::Entry {
            file: file.to_owned(),
            place: "line 1".into(),
            problem: format!(
                "no column {column}, expected tab-separated {}, found {header:?}; name the columns so",
                COLUMNS.join(", ")
            ),
        })?;
    }
    let count = names.len();
    let time = names.iter().position(|&n| n == "timestamp");
    Ok(Columns { places, time, count })
}

/// GatheredSplit, pair and moment of one line.
type Line = (usize, (u32, u32), Option<Moment>);

fn row(line: &str, columns: &Columns) -> Result<Line, String> {
    let mut fields = [""; 3];
    let mut time = None;
    let mut count = 0;
    for (n, field) in line.split('\t').enumerate() {
        count = n + 1;
        if let Some(c) = columns.places.iter().position(|&p| p == n) {
            fields[c] = field;
        }
        if columns.time == Some(n) {
            time = Moment::cell(field)?;
        }
    }
    if count != columns.count {
        return Err(format!(
            "expected {} tab-separated fields, found {count} in {line:?}; repair the line",
            columns.count
        ));
    }
    let [user, item, label] = fields;
    let split = match label {
        "0" => 0,
        "1" => 1,
        "2" => 2,
        other => {
            return Err(format!(
                "x_label {other:?}, expected 0 (train), 1 (validation) or 2 (test); correct it"
            ));
        }
    };
    Ok((split, (id("userID", user)?, id("itemID", item)?), time))
}

fn id(column: &str, field: &str) -> Result<u32, String> {
    let digits = !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
    let id = field.parse().ok().filter(|_| digits);
    id.ok_or_else(|| format!("{column} {field:?}, expected a whole number from 0; number the ids from 0"))
}
