//! Tables of interactions as Parquet files.

use std::path::{Path, PathBuf};

use arrow_array::{ArrayRef, RecordBatch};

use super::columns::{Places, list};
use super::moments::Moment;
use super::parquet_cells::{Texts, Unfit, moments, ratings};
use super::parquet_file::{ParquetFile, broken};
use super::records::{Records, Row, split_of};
use super::table_options::TableOptions;
use crate::error::DataError;

/// Reads a table into `records`; every row of it belongs to `split` if given.
///
/// # Errors
/// [`DataError`] if the file is damaged or a column is missing or of a type that cannot serve; faulty rows go
/// to `records`.
pub(crate) fn read(
    file: &Path,
    options: &TableOptions,
    split: Option<u8>,
    records: &mut Records,
) -> Result<(), DataError> {
    let table = ParquetFile::open(file)?;
    let names = table.names();
    let places = options.columns.find(&names).map_err(|problem| broken(file, problem))?;
    let said = options.columns.said(&names, &places);
    records.said(file, &said);
    options.check(&places).map_err(|problem| broken(file, problem))?;
    let mut wanted = places.read();
    wanted.sort_unstable();
    wanted.dedup();
    // Where the columns stand among those that are read.
    let among = |place: usize| wanted.iter().position(|&w| w == place).expect("all places are wanted");
    let places = Places {
        user: among(places.user),
        item: among(places.item),
        rating: places.rating.map(among),
        timestamp: places.timestamp.map(among),
        split: places.split.map(among),
    };
    table.read(&wanted, |first, batch| {
        let rows = Rows::new(file, first, batch, &places)?;
        for row in 0..batch.num_rows() {
            if let Err(problem) = rows.push(row, split, records, options) {
                records.wrong(file, format!("row {}", first + row), problem);
            }
        }
        Ok(())
    })
}

/// Checks that the parts of a table have the same columns.
///
/// # Errors
/// [`DataError::Parquet`] with a part that has others than the first.
pub(crate) fn check_columns(parts: &[PathBuf]) -> Result<(), DataError> {
    let [first, others @ ..] = parts else { return Ok(()) };
    if others.is_empty() {
        return Ok(());
    }
    let expected = ParquetFile::open(first)?.names();
    for part in others {
        let found = ParquetFile::open(part)?.names();
        if found != expected {
            let problem = format!(
                "columns {}, expected {} as {} has; give the files of one table, or name one of them",
                list(&found),
                list(&expected),
                first.display()
            );
            return Err(broken(part, problem));
        }
    }
    Ok(())
}

/// Some rows, their columns understood.
struct Rows<'a> {
    user: Texts<'a>,
    item: Texts<'a>,
    rating: Option<Vec<Option<f64>>>,
    time: Option<Vec<Option<Moment>>>,
    split: Option<Texts<'a>>,
}

impl<'a> Rows<'a> {
    fn new(
        file: &Path,
        first: usize,
        batch: &'a RecordBatch,
        places: &Places,
    ) -> Result<Rows<'a>, DataError> {
        let wrong = |place: usize, unfit: &Unfit, expected: &str| {
            let (schema, column) = (batch.schema(), batch.column(place));
            broken(file, unfit.words(schema.field(place).name(), column, first, expected))
        };
        let column = |place: usize| -> &'a ArrayRef { batch.column(place) };
        let texts = |place: usize| {
            Texts::of(column(place)).map_err(|unfit| wrong(place, &unfit, "texts or whole numbers"))
        };
        let rating = |place: usize| ratings(column(place)).map_err(|unfit| wrong(place, &unfit, "numbers"));
        let time = |place: usize| {
            moments(column(place)).map_err(|unfit| wrong(place, &unfit, "timestamps, dates or numbers"))
        };
        Ok(Rows {
            user: texts(places.user)?,
            item: texts(places.item)?,
            rating: places.rating.map(rating).transpose()?,
            time: places.timestamp.map(time).transpose()?,
            split: places.split.map(texts).transpose()?,
        })
    }

    fn push(
        &self,
        row: usize,
        split: Option<u8>,
        records: &mut Records,
        options: &TableOptions,
    ) -> Result<(), String> {
        let rating = self.rating.as_ref().and_then(|cells| cells[row]);
        let time = self.time.as_ref().and_then(|cells| cells[row]);
        let label = match (split, &self.split) {
            (Some(split), _) => Some(split),
            (None, None) => None,
            (None, Some(texts)) => Some(texts.with(row, |cell| split_of(cell.unwrap_or_default()))?),
        };
        self.user.with(row, |user| {
            self.item.with(row, |item| {
                let (user, item) = (user.unwrap_or_default(), item.unwrap_or_default());
                records.push(Row { user, item, rating, time, split: label }, options)
            })
        })
    }
}
