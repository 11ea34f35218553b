//! The atomic files of RecBole: tab-separated, with a type in each column's name.
//!
//! ```text
//! <dir>/<name>.inter                          user_id:token, item_id:token, [rating:float, timestamp:float]
//! <dir>/<name>.train.inter, .valid.inter, .test.inter     instead, where the data set is divided
//! <dir>/<name>.user, <name>.item              optional: the first column lists the ids, in order
//! <dir>/<modality>_feat.npy                   one row per item of <name>.item
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::entry::{Format, ReadRequest};
use super::files::{directory_name, files_ending, inter_files};
use super::gathered::Gathered;
use super::moments::Moment;
use super::records::{Interner, Records, Row, rating, split_named};
use super::table_options::TableOptions;
use super::{category_file, modality_files};
use crate::error::DataError;
use crate::faults::Faults;

/// `<name>.inter` with typed columns (`user_id:token`, `item_id:token`), or one such file per split, and
/// `<modality>_feat.npy`.
#[derive(Debug)]
pub struct Recbole;

/// Part of the name before `.inter` of each split.
const SPLITS: [&[&str]; 3] = [&["train"], &["valid", "val", "validation"], &["test"]];

/// A first line longer than this is no header.
const LONGEST_HEADER: u64 = 1 << 16;

impl Format for Recbole {
    type Options = TableOptions;

    fn name(&self) -> &'static str {
        "recbole"
    }

    fn describe(&self) -> &'static str {
        "<name>.inter or <name>.{train,valid,test}.inter (tab-separated user_id:token, item_id:token) and \
         <modality>_feat.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        inter_files(path).is_ok_and(|files| files.iter().any(|file| is_typed(file)))
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        options: &TableOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let mut found =
            Gathered { name: directory_name(path), format: Format::name(self).into(), ..Gathered::default() };
        let Some(files) = faults.keep(parts(path))? else {
            return Ok(found);
        };
        let users = faults.keep(ids(path, "user"))?.unwrap_or_default();
        let items = faults.keep(ids(path, "item"))?.unwrap_or_default();
        let listed = items.len();
        let mut records = Records::default();
        (records.users, records.items) = (Interner::of(users), Interner::of(items));
        let mut whole = true;
        for (file, split) in &files {
            whole &= faults.keep(read(file, *split, options, &mut records))?.is_some();
        }
        let origin = if files.len() == 1 { files[0].0.clone() } else { path.to_owned() };
        if whole {
            records.refuse_empty(&origin, options, faults)?;
        }
        let splits = records.finish(&origin, options, faults, &mut found.notes)?;
        found.splits = if whole { splits } else { [None, None, None] };
        found.counts = records.counts(options);
        let notes = &mut found.notes;
        found.modalities =
            modality_files::read_listed(path, request, records.items.ids(), listed, faults, notes)?;
        found.categories = category_file::read(path, faults)?;
        [found.users, found.items] = records.listed(&origin);
        Ok(found)
    }
}

/// Whether the first line names types.
pub(super) fn is_typed(file: &Path) -> bool {
    first_line(file).is_ok_and(|line| line.split('\t').any(|name| name.contains(':')))
}

fn first_line(file: &Path) -> std::io::Result<String> {
    let mut line = Vec::new();
    BufReader::new(File::open(file)?.take(LONGEST_HEADER)).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The `.inter` files, each with its split if its name says one.
fn parts(path: &Path) -> Result<Vec<(PathBuf, Option<u8>)>, DataError> {
    let split = |file: &Path| {
        let stem = file.file_stem()?.to_str()?;
        let part = stem.rsplit_once('.').map_or(stem, |(_, part)| part);
        SPLITS.iter().zip(0u8..).find(|(names, _)| names.contains(&part)).map(|(_, split)| split)
    };
    let files: Vec<_> = inter_files(path)?.into_iter().map(|f| (split(&f), f)).collect();
    let whole = files.iter().filter(|f| f.0.is_none()).count();
    let sound = match whole {
        0 => (0..3).all(|s| files.iter().filter(|f| f.0 == Some(s)).count() <= 1),
        one => one == 1 && files.len() == 1,
    };
    if sound {
        let mut parts: Vec<_> = files.into_iter().map(|(split, file)| (file, split)).collect();
        // Train first: ids are numbered as they come.
        parts.sort_by_key(|part| part.1);
        Ok(parts)
    } else {
        Err(DataError::Layout {
            path: path.to_owned(),
            found: format!("{} files end in .inter", files.len()),
            expected: "one <name>.inter, or <name>.train.inter, <name>.valid.inter and <name>.test.inter"
                .into(),
        })
    }
}

/// The ids that `<name>.<kind>` lists, in order; none if there is no such file.
fn ids(path: &Path, kind: &str) -> Result<Vec<String>, DataError> {
    let Some(file) = files_ending(path, kind)?.into_iter().next() else {
        return Ok(Vec::new());
    };
    let text = std::fs::read_to_string(&file).map_err(DataError::io(&file))?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let token = format!("{kind}_id:token");
    let place = names.iter().position(|n| *n == token).ok_or_else(|| {
        line_error(&file, 1, format!("no column {token}, found {:?}; name the column so", names.join(", ")))
    })?;
    let mut seen = std::collections::HashSet::new();
    let id = |(number, line): (usize, &str)| {
        let id = line.split('\t').nth(place).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| line_error(&file, number, format!("no {kind} id; fill it in")))?;
        if seen.insert(id.to_owned()) {
            Ok(id.to_owned())
        } else {
            Err(line_error(&file, number, format!("{kind} {id:?} is listed twice; remove one")))
        }
    };
    (2..).zip(lines).filter(|(_, line)| !line.is_empty()).map(id).collect()
}

/// Where the columns stand, and how many there are.
struct Places {
    user: usize,
    item: usize,
    rating: Option<usize>,
    time: Option<usize>,
    split: Option<usize>,
    count: usize,
}

impl Places {
    fn of(header: &str) -> Result<Places, String> {
        let names: Vec<&str> = header.split('\t').collect();
        let find = |wanted: &str| names.iter().position(|n| n.split(':').next() == Some(wanted));
        let need = |wanted: &str| {
            let expected = "expected tab-separated user_id:token, item_id:token";
            find(wanted).ok_or_else(|| {
                format!("no column {wanted}:token, {expected}, found {header:.200?}; name the columns so")
            })
        };
        if let Some(list) = names.iter().find(|name| is_item_list(name)) {
            return Err(format!(
                "column {list:.60?} has the items of a whole sequence in each row, which would be lost: give the file with \
                 one interaction in each row, without that column"
            ));
        }
        let (user, item) = (need("user_id")?, need("item_id")?);
        let split = find("x_label").or_else(|| find("split"));
        Ok(Places { user, item, rating: find("rating"), time: find("timestamp"), split, count: names.len() })
    }
}

/// Whether a column has sequences of items, as files for sequential models have them: `item_id_list:token_seq`.
fn is_item_list(name: &str) -> bool {
    let (name, kind) = name.split_once(':').unwrap_or((name, ""));
    name == "item_id_list" || (name.starts_with("item_id") && kind == "token_seq")
}

fn read(
    file: &Path,
    split: Option<u8>,
    options: &TableOptions,
    records: &mut Records,
) -> Result<(), DataError> {
    let header = first_line(file).map_err(DataError::io(file))?;
    let places = Places::of(&header).map_err(|problem| line_error(file, 1, problem))?;
    if options.min_rating.is_some() && places.rating.is_none() {
        return Err(line_error(
            file,
            1,
            "no column rating:float for --min-rating; leave the threshold out".into(),
        ));
    }
    let mut input = BufReader::new(File::open(file).map_err(DataError::io(file))?);
    let (mut line, mut number) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line).map_err(DataError::io(file))? > 0 {
        number += 1;
        if number > 1 && !line.trim_ascii_end().is_empty() {
            let taken = row(&line, &places, split).and_then(|row| records.push(row, options));
            if let Err(problem) = taken {
                records.wrong(file, format!("line {number}"), problem);
            }
        }
        line.clear();
    }
    Ok(())
}

fn row<'a>(line: &'a [u8], places: &Places, split: Option<u8>) -> Result<Row<'a>, String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is no UTF-8; convert the file")?;
    let cells: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
    if cells.len() != places.count {
        let found = cells.len();
        return Err(format!(
            "expected {} tab-separated fields, found {found}; repair the line",
            places.count
        ));
    }
    let label = |cell: &str| {
        split_named(cell)
            .ok_or_else(|| format!("split {cell:.60?}, expected 0, 1 or 2 (train, validation, test)"))
    };
    Ok(Row {
        user: cells[places.user].trim(),
        item: cells[places.item].trim(),
        rating: places.rating.map(|p| rating(cells[p])).transpose()?.flatten(),
        time: places.time.map(|p| Moment::cell(cells[p])).transpose()?.flatten(),
        split: match split {
            Some(split) => Some(split),
            None => places.split.map(|p| label(cells[p])).transpose()?,
        },
    })
}

fn line_error(file: &Path, line: usize, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place: format!("line {line}"), problem }
}
