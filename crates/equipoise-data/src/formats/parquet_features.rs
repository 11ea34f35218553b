//! Features in Parquet: a column of item ids, and a column of lists or a column for each value.

use std::path::Path;

use arrow_array::{ArrayRef, RecordBatch};

use super::columns::{item_place, value_places};
use super::feature_rows::{Collector, FeatureRows};
use super::parquet_cells::{Texts, Unfit, floats, lists};
use super::parquet_file::{ParquetFile, broken};
use super::parquet_table::check_columns;
use super::table_parts;
use crate::error::DataError;
use crate::quoted::quoted;

/// Reads the features of the modality called `name`.
///
/// # Errors
/// A file that is damaged, a column that is missing or of a type that cannot serve, rows that are not alike.
pub(super) fn read(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    let files = if path.is_dir() { table_parts::list(path)? } else { vec![path.to_owned()] };
    check_columns(&files)?;
    let mut rows = Collector::new(path);
    let mut ids = String::new();
    for file in &files {
        ids = append(name, file, &mut rows)?;
    }
    let mut found = rows.finish()?;
    found.notes.push(format!("{}: item ids from {} (guessed by its name).", path.display(), quoted(&ids)));
    Ok(found)
}

/// Appends the rows of a file; the result is the name of the column of ids.
fn append(name: &str, path: &Path, rows: &mut Collector<'_>) -> Result<String, DataError> {
    let table = ParquetFile::open(path)?;
    let names = table.names();
    let id = item_place(&names).map_err(|problem| broken(path, problem))?;
    let values = value_places(&names, id, name).map_err(|problem| broken(path, problem))?;
    let mut order: Vec<usize> = values.iter().copied().chain([id]).collect();
    order.sort_unstable();
    let at = |place: usize| order.iter().position(|&other| other == place).expect("all places are read");
    table.read(&order, |first, batch| {
        let wrong = |place: usize, unfit: &Unfit, expected: &str| {
            broken(path, unfit.words(&names[place], batch.column(at(place)), first, expected))
        };
        let ids =
            Texts::of(batch.column(at(id))).map_err(|unfit| wrong(id, &unfit, "texts or whole numbers"))?;
        let (ends, cells) = match values[..] {
            [one] => match lists(batch.column(at(one))) {
                Some(found) => found,
                None => table_of(&values, &at, batch).map_err(|place| wrong(place, &Unfit::Type, LISTS))?,
            },
            _ => table_of(&values, &at, batch).map_err(|place| wrong(place, &Unfit::Type, NUMBERS))?,
        };
        let mut start = 0;
        for (row, &end) in ends.iter().enumerate() {
            let id = ids.with(row, |id| id.map(|id| id.trim().to_owned()));
            let id = id.ok_or_else(|| broken(path, format!("row {} has no id; fill it in", first + row)))?;
            // An item without values is an item without this modality.
            if end > start {
                rows.push(id, &cells[start..end])?;
            }
            start = end;
        }
        Ok(())
    })?;
    Ok(names[id].clone())
}

const LISTS: &str = "lists of numbers, or numbers";
const NUMBERS: &str = "numbers, as the other columns have, or lists in one column called as the modality";

/// Where each row ends, and the values of all; a row that is empty has none. The place of a column that holds no numbers is the
/// error.
fn table_of(
    values: &[usize],
    at: &impl Fn(usize) -> usize,
    batch: &RecordBatch,
) -> Result<(Vec<usize>, Vec<f32>), usize> {
    let column = |&place: &usize| -> Result<Vec<Option<f64>>, usize> {
        let column: &ArrayRef = batch.column(at(place));
        floats(column).ok_or(place)
    };
    let columns = values.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let (mut ends, mut cells) = (Vec::with_capacity(batch.num_rows()), Vec::new());
    for row in 0..batch.num_rows() {
        if columns.iter().any(|column| column[row].is_some()) {
            // An empty cell beside numbers is no number, and is found as one.
            cells.extend(columns.iter().map(|column| column[row].map_or(f32::NAN, |value| value as f32)));
        }
        ends.push(cells.len());
    }
    Ok((ends, cells))
}
