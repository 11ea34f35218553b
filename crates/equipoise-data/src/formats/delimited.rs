//! Tables as text.

use std::path::Path;

use super::columns::{Columns, Places};
use super::day_order::Dates;
use super::records::{Records, Row, rating, split_of};
use super::table_options::TableOptions;
use crate::error::DataError;
use crate::quoted::quoted;
use crate::text::TextRows;

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
    let columns = &options.columns;
    let mut rows = open(file, columns)?;
    let header = if columns.header { rows.header()? } else { None };
    let mut more = header.is_some() || rows.advance()?;
    if !more {
        let problem = "the file is empty, expected a header and one row per interaction; give the table";
        return Err(rows.line_error(1, problem.into()));
    }
    let places = places(&rows, header.as_deref(), columns, records)?;
    options.check(&places).map_err(|problem| rows.line_error(rows.line(), problem))?;
    if columns.header {
        more = rows.advance()?;
    }
    let times = |look: &mut dyn FnMut(&str)| column_of(file, columns, places.timestamp, look);
    let dates = Dates::new(&times);
    while more {
        let taken = row(&rows, &places, split, &dates).and_then(|row| records.push(row, options));
        if let Err(problem) = taken {
            records.wrong(file, format!("line {}", rows.line()), problem);
        }
        more = rows.advance()?;
    }
    records.said(file, dates.said().as_slice());
    records.finish_text(&rows);
    Ok(())
}

fn open(file: &Path, columns: &Columns) -> Result<TextRows, DataError> {
    TextRows::open(file, &columns.text(), &|names| columns.header && columns.find(names).is_ok())
}

/// Shows every cell of a column.
fn column_of(
    file: &Path,
    columns: &Columns,
    place: Option<usize>,
    look: &mut dyn FnMut(&str),
) -> Result<(), DataError> {
    let Some(place) = place else { return Ok(()) };
    let mut rows = open(file, columns)?;
    if columns.header {
        rows.header()?;
    }
    while rows.advance()? {
        if rows.complete().is_ok() {
            look(rows.cell(place));
        }
    }
    Ok(())
}

/// Where the columns stand; what of it is guessed is noted.
fn places(
    rows: &TextRows,
    header: Option<&[String]>,
    columns: &Columns,
    records: &mut Records,
) -> Result<Places, DataError> {
    if rows.cell(0).starts_with(['{', '[']) {
        let problem = "JSON, expected a table with columns of users and items; let its name end in .jsonl (reviews of Amazon are \
                       read by equipoise data import amazon)";
        return Err(rows.line_error(rows.line(), problem.into()));
    }
    if rows.len() < 2 {
        let (first, separator) = (quoted(rows.cell(0)), rows.separator());
        let problem = match columns.separator {
            Some(_) => {
                format!("one column, {first}: it is not separated by {separator}; correct --separator")
            }
            None => format!(
                "one column, {first}: none of the separators , ; | :: tab and blank is in it; name the separator with \
                 --separator"
            ),
        };
        return Err(rows.line_error(rows.line(), problem));
    }
    let (sought, names) = match header {
        Some(names) => (columns.clone(), names.to_vec()),
        None => columns.numbered(rows.len()),
    };
    let places = sought
        .find_or(&names, ", or say --no-header if the first line is data")
        .map_err(|problem| rows.line_error(rows.line(), problem))?;
    let said: Vec<String> = columns.said(&names, &places).into_iter().chain(rows.said(None)).collect();
    records.said(rows.file(), &said);
    Ok(places)
}

fn row<'a>(
    cells: &'a TextRows,
    places: &Places,
    split: Option<u8>,
    dates: &Dates<'_>,
) -> Result<Row<'a>, String> {
    cells.complete()?;
    let optional =
        |place: Option<usize>| place.map(|place| cells.cell(place).trim()).filter(|cell| !cell.is_empty());
    let label = optional(places.split);
    let empty = places.split.is_some() && label.is_none() && split.is_none();
    if empty {
        return Err("the split is empty, expected train, validation or test; fill it in".into());
    }
    Ok(Row {
        user: cells.id_as_it_stands(places.user)?,
        item: cells.id_as_it_stands(places.item)?,
        rating: optional(places.rating).map(rating).transpose()?.flatten(),
        time: optional(places.timestamp).map(|cell| dates.moment(cell)).transpose()?.flatten(),
        split: match split {
            Some(split) => Some(split),
            None => label.map(split_of).transpose()?,
        },
    })
}
