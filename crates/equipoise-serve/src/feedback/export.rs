//! Feedback as a table for the next training.

use crate::feedback::event::FeedbackEvent;
use crate::feedback::fault::FeedbackError;
use crate::feedback::file::FeedbackFile;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use equipoise_data::write_atomic;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use std::io::{Error, Write};
use std::path::Path;
use std::sync::Arc;

/// Rows of a group of a Parquet file.
const ROWS: usize = 65_536;
/// Columns of the table, by the names that `equipoise train`, `run` and `data convert` know.
const COLUMNS: [&str; 5] = ["user_id", "item_id", "rating", "timestamp", "kind"];

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows of the table.
    pub rows: usize,
    /// Events of weight 0 that were left out.
    pub left_out: usize,
}

/// Writes the events of a file of feedback as a table, `.csv` or `.parquet` by its name, in the order of arrival: user, item, weight,
/// time in seconds since 1970, and what happened. Every row of a table is a positive to a training, so events of weight 0, which say
/// that an item was seen and not liked, are left out unless `all` are asked for. A server may write the file meanwhile.
///
/// # Errors
/// A file that is none of feedback, another ending of the table's name, file system faults.
pub fn export(file: &Path, table: &Path, all: bool) -> Result<Exported, FeedbackError> {
    let ending = table.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let write: fn(&mut dyn Write, &FeedbackFile, bool) -> Result<Exported, Failed> = match ending.as_deref() {
        Some("csv") => write_csv,
        Some("parquet") => write_parquet,
        _ => {
            let reason = "expected a name that ends in .csv or .parquet".to_owned();
            return Err(FeedbackError::File { path: table.to_owned(), reason });
        }
    };
    let events = FeedbackFile::read_only(file)?;
    let (mut fault, mut exported) = (None, Exported::default());
    let written = write_atomic(table, |out| match write(out, &events, all) {
        Ok(found) => {
            exported = found;
            Ok(())
        }
        Err(Failed::Reading(error)) => {
            fault = Some(error);
            Err(Error::other("reading failed"))
        }
        Err(Failed::Writing(error)) => Err(error),
    });
    match (fault, written) {
        (Some(fault), _) => Err(fault),
        (None, written) => {
            written.map_err(|source| FeedbackError::Io { path: table.to_owned(), source }).map(|()| exported)
        }
    }
}

/// Which side failed.
enum Failed {
    Reading(FeedbackError),
    Writing(Error),
}

impl From<FeedbackError> for Failed {
    fn from(error: FeedbackError) -> Failed {
        Failed::Reading(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Writing(error)
    }
}

/// Hands over the events that belong to the table.
fn each(
    events: &FeedbackFile,
    all: bool,
    mut row: impl FnMut(FeedbackEvent) -> Result<(), Failed>,
) -> Result<Exported, Failed> {
    let mut exported = Exported::default();
    events.each(|event| {
        if event.weight == 0.0 && !all {
            exported.left_out += 1;
            return Ok(());
        }
        exported.rows += 1;
        row(event)
    })?;
    Ok(exported)
}

fn write_csv(out: &mut dyn Write, events: &FeedbackFile, all: bool) -> Result<Exported, Failed> {
    let mut table = csv::Writer::from_writer(out);
    let failed = |error: csv::Error| Failed::Writing(error.into());
    table.write_record(COLUMNS).map_err(failed)?;
    let exported = each(events, all, |event| {
        let (weight, time) = (event.weight.to_string(), event.time.unwrap_or(0.0).to_string());
        table.write_record([&event.user, &event.item, &weight, &time, &event.kind]).map_err(failed)
    })?;
    table.flush()?;
    Ok(exported)
}

fn write_parquet(out: &mut dyn Write, events: &FeedbackFile, all: bool) -> Result<Exported, Failed> {
    let failed = |error: parquet::errors::ParquetError| Failed::Writing(Error::other(error));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    // A parquet writer must own what it writes to.
    let mut bytes = Vec::new();
    let mut table =
        ArrowWriter::try_new(&mut bytes, record(&[]).schema(), Some(properties)).map_err(failed)?;
    let mut rows = Vec::with_capacity(ROWS);
    let exported = each(events, all, |event| {
        rows.push(event);
        if rows.len() == ROWS {
            table.write(&record(&rows)).map_err(failed)?;
            rows.clear();
        }
        Ok(())
    })?;
    table.write(&record(&rows)).map_err(failed)?;
    table.close().map_err(failed)?;
    out.write_all(&bytes)?;
    Ok(exported)
}

fn record(rows: &[FeedbackEvent]) -> RecordBatch {
    let texts = |of: fn(&FeedbackEvent) -> &str| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of))) as ArrayRef
    };
    let numbers = |of: fn(&FeedbackEvent) -> f64| {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(of))) as ArrayRef
    };
    let columns = [
        texts(|event| &event.user),
        texts(|event| &event.item),
        numbers(|event| event.weight),
        numbers(|event| event.time.unwrap_or(0.0)),
        texts(|event| &event.kind),
    ];
    RecordBatch::try_from_iter(COLUMNS.into_iter().zip(columns)).expect("columns of one length")
}
