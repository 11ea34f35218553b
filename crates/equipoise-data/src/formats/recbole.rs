//! The atomic files of RecBole: tab-separated, with a type in each column's name.
//!
//! ```text
//! <dir>/<name>.inter                          user_id:token, item_id:token, [rating:float, timestamp:float]
//! <dir>/<name>.train.inter, .valid.inter, .test.inter     instead, where the data set is divided
//! <dir>/<name>.user, <name>.item              optional: the first column lists the ids, in order
//! <dir>/<modality>_feat.npy                   one row per item of <name>.item
//! <name>.item or <name>.<ending>              columns <modality>:float_seq beside item_id:token
//! ```

use std::path::{Path, PathBuf};

use super::atomic_features::first_line;
use super::columns::{Places, label, not_read};
use super::entry::{Format, ReadRequest};
use super::files::{directory_name, files_ending, inter_files, stem};
use super::gathered::Gathered;
use super::moments::Moment;
use super::records::{Interner, Records, Row, rating, split_named};
use super::table_options::TableOptions;
use super::{atomic_features, category_file, modality_files};
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::{quoted, quoted_names};
use crate::text::{Separator, TextOptions, TextRows};

/// `<name>.inter` with typed columns (`user_id:token`, `item_id:token`), or one such file per split, and
/// `<modality>_feat.npy`.
#[derive(Debug)]
pub struct Recbole;

/// Part of the name before `.inter` of each split.
const SPLITS: [&[&str]; 3] = [&["train"], &["valid", "val", "validation"], &["test"]];

/// What separates the columns, unless the first line says otherwise.
const USUAL: Separator = Separator::Byte(b'\t');

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
        let how = options.columns.text();
        let users = faults.keep(ids(path, "user", &how, &mut found.notes))?.unwrap_or_default();
        let items = faults.keep(ids(path, "item", &how, &mut found.notes))?.unwrap_or_default();
        let listed = items.len();
        let mut records = Records::default();
        (records.users, records.items) = (Interner::of(users), Interner::of(items));
        for (file, split) in &files {
            records.incomplete |= faults.keep(read(file, *split, options, &mut records))?.is_none();
        }
        let origin = if files.len() == 1 { files[0].0.clone() } else { path.to_owned() };
        records.refuse_empty(&origin, options, faults)?;
        let splits = records.finish(&origin, options, faults, &mut found.notes)?;
        found.splits = if records.incomplete { [None, None, None] } else { splits };
        found.counts = records.counts(options);
        let notes = &mut found.notes;
        let mut features = request.features.to_vec();
        features.extend(atomic_features::found(path, &data_set(&files), faults, notes)?);
        let request = &ReadRequest { features: &features, ..*request };
        found.modalities =
            modality_files::read_listed(path, request, records.items.ids(), listed, faults, notes)?;
        found.categories = category_file::read(path, faults)?;
        [found.users, found.items] = records.listed(&origin);
        Ok(found)
    }
}

/// Whether the first line names types.
pub(super) fn is_typed(file: &Path) -> bool {
    first_line(file).is_ok_and(|line| line.contains(':'))
}

/// The `.inter` files, each with its split if its name says one.
fn parts(path: &Path) -> Result<Vec<(PathBuf, Option<u8>)>, DataError> {
    let split = |file: &Path| {
        let stem = stem(file, "inter")?;
        let part = stem.rsplit_once('.').map_or(&*stem, |(_, part)| part);
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

/// What RecBole calls the data set: `<name>` of `<name>.inter` or `<name>.train.inter`, in small letters.
fn data_set(files: &[(PathBuf, Option<u8>)]) -> String {
    let Some((file, split)) = files.first() else { return String::new() };
    let stem = stem(file, "inter").unwrap_or_default();
    match (split, stem.rsplit_once('.')) {
        (Some(_), Some((name, _))) => name.to_owned(),
        _ => stem,
    }
}

/// The ids that `<name>.<kind>` lists, in order; none if there is no such file. Columns that nothing reads are said.
fn ids(
    path: &Path,
    kind: &str,
    how: &TextOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, DataError> {
    let Some(file) = files_ending(path, kind)?.into_iter().next() else {
        return Ok(Vec::new());
    };
    let token = format!("{kind}_id:token");
    let place = |names: &[String]| {
        let found = names.iter().position(|name| *name == token);
        found.ok_or_else(|| format!("no column {token}, found {}; name the column so", listed(names)))
    };
    let mut rows = TextRows::open(&file, how, &|names| place(names).is_ok())?;
    let names = rows.header()?.unwrap_or_default();
    let place = place(&names).map_err(|problem| rows.line_error(rows.line(), problem))?;
    let vectors = (0..names.len()).filter(|&place| names[place].ends_with(atomic_features::VECTOR));
    let read: Vec<usize> = vectors.chain([place]).collect();
    notes.extend(not_read(&names, &read).map(|what| format!("{}: {what}.", file.display())));
    let (mut ids, mut seen) = (Vec::new(), std::collections::HashSet::new());
    while rows.advance()? {
        let fault = |problem: String| rows.line_error(rows.line(), problem);
        let id = rows.id(place).map_err(fault)?;
        if id.is_empty() {
            return Err(fault(format!("no {kind} id; fill it in")));
        }
        if !seen.insert(id.to_owned()) {
            return Err(fault(format!("{kind} {} is listed twice; remove one", quoted(id))));
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}

fn listed(names: &[String]) -> String {
    quoted_names(names.iter().map(String::as_str))
}

/// Where the columns stand.
fn places(names: &[String]) -> Result<Places, String> {
    let find = |wanted: &str| names.iter().position(|n| n.split(':').next() == Some(wanted));
    let need = |wanted: &str| {
        let expected = "expected tab-separated user_id:token, item_id:token";
        find(wanted).ok_or_else(|| {
            format!("no column {wanted}:token, {expected}, found {}; name the columns so", listed(names))
        })
    };
    if let Some(list) = names.iter().find(|name| is_item_list(name)) {
        return Err(format!(
            "column {} has the items of a whole sequence in each row, which would be lost: give the file with \
             one interaction in each row, without that column",
            quoted(list)
        ));
    }
    let (user, item) = (need("user_id")?, need("item_id")?);
    let split = find("x_label").or_else(|| find("split"));
    Ok(Places { user, item, rating: find("rating"), timestamp: find("timestamp"), split })
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
    let mut rows = TextRows::open(file, &options.columns.text(), &|names| places(names).is_ok())?;
    let names = rows.header()?.unwrap_or_default();
    let fault = |rows: &TextRows, problem: String| rows.line_error(rows.line(), problem);
    let places = places(&names).map_err(|problem| fault(&rows, problem))?;
    if options.min_rating.is_some() && places.rating.is_none() {
        let problem = "no column rating:float for --min-rating; leave the threshold out";
        return Err(fault(&rows, problem.into()));
    }
    let read = places.read();
    let label = label(&names, &read, |_| "called rating:float, with --min-rating 1, it".to_owned());
    let said: Vec<String> =
        not_read(&names, &read).into_iter().chain(label).chain(rows.said(Some(&USUAL))).collect();
    records.said(file, &said);
    while rows.advance()? {
        let taken = row(&rows, &places, split).and_then(|row| records.push(row, options));
        if let Err(problem) = taken {
            records.wrong(file, format!("line {}", rows.line()), problem);
        }
    }
    records.finish_text(&rows);
    Ok(())
}

fn row<'a>(rows: &'a TextRows, places: &Places, split: Option<u8>) -> Result<Row<'a>, String> {
    rows.complete()?;
    let label = |cell: &str| {
        let wrong = || format!("split {}, expected 0, 1 or 2 (train, validation, test)", quoted(cell));
        split_named(cell).ok_or_else(wrong)
    };
    Ok(Row {
        user: rows.id_as_it_stands(places.user)?,
        item: rows.id_as_it_stands(places.item)?,
        rating: places.rating.map(|p| rating(rows.cell(p))).transpose()?.flatten(),
        time: places.timestamp.map(|p| Moment::cell(rows.cell(p))).transpose()?.flatten(),
        split: match split {
            Some(split) => Some(split),
            None => places.split.map(|p| label(rows.cell(p))).transpose()?,
        },
    })
}
