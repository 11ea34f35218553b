//! Tables as text: comma, semicolon or tab between the columns.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::columns::{Columns, Places};
use super::csv_rows::CsvRows;
use super::moments::Moment;
use super::records::{Records, Row, rating, split_named};
use super::table_options::TableOptions;
use crate::error::DataError;

/// A header line longer than this is no header.
const LONGEST_HEADER: u64 = 1 << 20;

/// Reads a table into `records`; every row of it belongs to `split` if given.
///
/// # Errors
/// [`DataError`] if the file or its header cannot be read; faulty rows go to `records`.
pub(crate) fn read(
    file: &Path,
    options: &TableOptions,
    split: Option<u8>,
    records: &mut Records,
) -> Result<(), DataError> {
    let mut rows = open(file)?;
    let mut more = rows.advance().map_err(DataError::io(file))?;
    let places = places(file, &rows, &options.columns)?;
    if options.min_rating.is_some() && places.rating.is_none() {
        let problem = "no column of ratings for --min-rating; name it with --rating-column".into();
        return Err(line_error(file, 1, problem));
    }
    let count = rows.len();
    if options.columns.header {
        more = rows.advance().map_err(DataError::io(file))?;
    }
    while more {
        let taken = row(&rows, count, &places, split).and_then(|row| records.push(row, options));
        if let Err(problem) = taken {
            records.wrong(file, format!("line {}", rows.line()), problem);
        }
        more = rows.advance().map_err(DataError::io(file))?;
    }
    Ok(())
}

/// The rows of the file, separated as its first line is.
///
/// # Errors
/// If the file cannot be read, or its first line is no header.
pub(crate) fn open(file: &Path) -> Result<CsvRows<BufReader<File>>, DataError> {
    let delimiter = delimiter(file)?;
    let input = File::open(file).map_err(DataError::io(file))?;
    // Between tabs, a quotation mark is part of the cell.
    Ok(CsvRows::new(BufReader::new(input), delimiter, delimiter != b'\t'))
}

/// The tab in `.tsv` files, else whichever of tab, semicolon and comma the first line has.
fn delimiter(file: &Path) -> Result<u8, DataError> {
    let input = File::open(file).map_err(DataError::io(file))?;
    let mut first = Vec::new();
    let mut start = std::io::Read::take(BufReader::new(input), LONGEST_HEADER);
    start.read_until(b'\n', &mut first).map_err(DataError::io(file))?;
    if first.len() as u64 == LONGEST_HEADER {
        let problem = format!("longer than {LONGEST_HEADER} bytes; give a table of text");
        return Err(line_error(file, 1, problem));
    }
    let tsv = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let found = if tsv { None } else { [b'\t', b';'].into_iter().find(|d| first.contains(d)) };
    Ok(found.unwrap_or(if tsv { b'\t' } else { b',' }))
}

fn places(file: &Path, first: &CsvRows<BufReader<File>>, columns: &Columns) -> Result<Places, DataError> {
    let found = if columns.header {
        let name = |place| {
            let name = String::from_utf8_lossy(first.cell(place));
            name.trim_start_matches('\u{feff}').trim().to_owned()
        };
        columns.find(&(0..first.len()).map(name).collect::<Vec<_>>())
    } else {
        let (columns, names) = columns.numbered(first.len());
        columns.find(&names)
    };
    found.map_err(|problem| line_error(file, 1, problem))
}

fn row<'a>(
    cells: &'a CsvRows<BufReader<File>>,
    count: usize,
    places: &Places,
    split: Option<u8>,
) -> Result<Row<'a>, String> {
    if cells.len() != count {
        return Err(format!("expected {count} columns, found {}; repair the line", cells.len()));
    }
    let text = |place: usize, what: &str| {
        let cell = std::str::from_utf8(cells.cell(place)).map(str::trim);
        cell.map_err(|_| format!("the {what} is no UTF-8; convert the file"))
    };
    let optional = |place: Option<usize>, what: &str| match place {
        Some(place) => text(place, what).map(|cell| Some(cell).filter(|cell| !cell.is_empty())),
        None => Ok(None),
    };
    let rated = optional(places.rating, "rating")?;
    let time = optional(places.timestamp, "timestamp")?;
    let label = optional(places.split, "split")?;
    let named = |cell: &str| {
        let expected = "expected train, validation, test, or 0, 1, 2; correct it";
        split_named(cell).ok_or_else(|| format!("split {cell:.60?}, {expected}"))
    };
    let empty = places.split.is_some() && label.is_none() && split.is_none();
    if empty {
        return Err("the split is empty, expected train, validation or test; fill it in".into());
    }
    Ok(Row {
        user: text(places.user, "user id")?,
        item: text(places.item, "item id")?,
        rating: rated.map(rating).transpose()?.flatten(),
        time: time.map(Moment::cell).transpose()?.flatten(),
        split: match split {
            Some(split) => Some(split),
            None => label.map(named).transpose()?,
        },
    })
}

fn line_error(file: &Path, line: u64, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place: format!("line {line}"), problem }
}
