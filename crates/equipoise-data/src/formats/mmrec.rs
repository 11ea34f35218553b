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
//! moment in it; further columns are left aside, which is said.

use std::path::{Path, PathBuf};

use super::columns::not_read;
use super::entry::{Format, NoOptions, ReadRequest};
use super::files::{directory_name, inter_files};
use super::gathered::{Gathered, GatheredSplit, SPLITS};
use super::moments::{Clock, Moment};
use super::{category_file, id_list, modality_files, recbole};
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::{quoted, quoted_names};
use crate::text::{Separator, TextOptions, TextRows};

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
            Some(file) => faults.keep(read_inter(&file, &mut notes))?,
            None => None,
        };
        let splits = match splits {
            Some((splits, wrong)) => {
                faults.add_all(wrong, &path.display().to_string(), "malformed line")?;
                splits.map(Some)
            }
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

/// What separates the columns, unless the first line says otherwise.
const USUAL: Separator = Separator::Byte(b'\t');

/// Reads all three splits from the one file, and the faults of its rows.
fn read_inter(
    file: &Path,
    notes: &mut Vec<String>,
) -> Result<([GatheredSplit; 3], Vec<DataError>), DataError> {
    let fits = |names: &[String]| columns(names).is_ok();
    let mut rows = TextRows::open(file, &TextOptions::default(), &fits)?;
    let names = rows.header()?.unwrap_or_default();
    let columns = columns(&names).map_err(|problem| rows.line_error(rows.line(), problem))?;
    let said: Vec<String> = columns.not_read(&names).into_iter().chain(rows.said(Some(&USUAL))).collect();
    if !said.is_empty() {
        notes.push(format!("{}: {}.", file.display(), said.join("; ")));
    }
    let mut label = 0;
    let mut splits = SPLITS.map(|name| {
        let origin = format!("{} ({name}, x_label {label})", file.display());
        label += 1;
        GatheredSplit { origin, ..GatheredSplit::default() }
    });
    let (mut wrong, mut clock) = (Vec::new(), Clock::default());
    while rows.advance()? {
        let taken = row(&rows, &columns).and_then(|row| push(&mut splits, &mut clock, row));
        if let Err(problem) = taken {
            wrong.push(rows.line_error(rows.line(), problem));
        }
    }
    notes.extend(rows.notes());
    let [rows, times] = [|s: &GatheredSplit| s.pairs.len(), |s: &GatheredSplit| s.times.len()]
        .map(|count| splits.iter().map(count).sum::<usize>());
    let (dated, file_name) = (times == rows, file.display());
    if times > 0 && !dated {
        let undated = rows - times;
        notes.push(format!(
            "{file_name}: {undated} of {rows} rows have no timestamp, so that none is kept with the data."
        ));
    }
    notes.extend(clock.notes().into_iter().map(|note| format!("{file_name}: {note}.")));
    for split in &mut splits {
        if !dated {
            split.times.clear();
        }
        split.users = split.pairs.iter().map(|p| p.0).collect();
        split.users.sort_unstable();
        split.users.dedup();
    }
    Ok((splits, wrong))
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

/// Where the columns stand.
struct Columns {
    places: [usize; 3],
    time: Option<usize>,
}

impl Columns {
    /// Which are not read, in words.
    fn not_read(&self, names: &[String]) -> Option<String> {
        let read: Vec<usize> = self.places.into_iter().chain(self.time).collect();
        not_read(names, &read)
    }
}

fn columns(names: &[String]) -> Result<Columns, String> {
    let mut places = [0; 3];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = names.iter().position(|n| n == column).ok_or_else(|| {
            let found = quoted_names(names.iter().map(String::as_str));
            format!(
                "no column {column}, expected tab-separated {}, found {found}; name the columns so",
                COLUMNS.join(", ")
            )
        })?;
    }
    Ok(Columns { places, time: names.iter().position(|n| n == "timestamp") })
}

/// Split, pair and moment of one line.
type Line = (usize, (u32, u32), Option<Moment>);

fn row(rows: &TextRows, columns: &Columns) -> Result<Line, String> {
    rows.complete()?;
    let [user, item, label] = columns.places.map(|place| rows.cell(place).trim());
    let split = match label {
        "0" => 0,
        "1" => 1,
        "2" => 2,
        other => {
            let other = quoted(other);
            return Err(format!(
                "x_label {other}, expected 0 (train), 1 (validation) or 2 (test); correct it"
            ));
        }
    };
    let time = columns.time.map(|place| Moment::cell(rows.cell(place))).transpose()?.flatten();
    Ok((split, (id("userID", user)?, id("itemID", item)?), time))
}

fn id(column: &str, field: &str) -> Result<u32, String> {
    let digits = !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
    let id = field.parse().ok().filter(|_| digits);
    id.ok_or_else(|| {
        format!("{column} {}, expected a whole number from 0; number the ids from 0", quoted(field))
    })
}
