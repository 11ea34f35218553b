//! Columns of Parquet files, of whatever type they were written.

use std::error::Error;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::records::whole;
use crate::error::DataError;

/// Rows decoded at a time.
const BATCH: usize = 8192;

/// Rows that a byte of a file can stand for. Distinct pairs need some bits each: a file that claims more rows is
/// made to exhaust memory.
const MOST_ROWS_PER_BYTE: u64 = 64;

/// A Parquet file that is open for reading.
pub(crate) struct ParquetFile<'a> {
    file: &'a Path,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl<'a> ParquetFile<'a> {
    /// Reads the metadata.
    ///
    /// # Errors
    /// [`DataError::Parquet`] if it is no Parquet file.
    pub(crate) fn open(file: &'a Path) -> Result<ParquetFile<'a>, DataError> {
        let input = File::open(file).map_err(DataError::io(file))?;
        let length = input.metadata().map_err(DataError::io(file))?.len();
        let builder = guarded(file, || ParquetRecordBatchReaderBuilder::try_new(input))?;
        let rows = builder.metadata().file_metadata().num_rows();
        if u64::try_from(rows).is_ok_and(|rows| rows <= length.saturating_mul(MOST_ROWS_PER_BYTE)) {
            return Ok(ParquetFile { file, builder });
        }
        Err(broken(file, format!("{rows} rows claimed by a file of {length} bytes")))
    }

    /// Names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.builder.schema().fields().iter().map(|f| f.name().clone()).collect()
    }

    /// Number of rows claimed.
    pub(crate) fn rows(&self) -> usize {
        self.builder.metadata().file_metadata().num_rows() as usize
    }

    /// Hands the columns at `places`, in ascending order, to `each`: some rows at a time with the number of the
    /// first.
    ///
    /// # Errors
    /// [`DataError::Parquet`] for damage, and what `each` returns.
    pub(crate) fn read(
        self,
        places: &[usize],
        mut each: impl FnMut(usize, &RecordBatch) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (file, rows) = (self.file, self.rows());
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), places.iter().copied());
        let builder = self.builder.with_projection(mask).with_batch_size(BATCH);
        let mut reader = guarded(file, || builder.build())?;
        let mut first = 0;
        while let Some(batch) = guarded(file, || reader.next().transpose())? {
            each(first, &batch)?;
            first += batch.num_rows();
        }
        if first == rows { Ok(()) } else { Err(broken(file, format!("{first} rows, expected {rows}"))) }
    }
}

/// Runs the decoder on bytes that may be hostile: what it says, or that it gave up, becomes an error.
fn guarded<T, E: Error + 'static>(file: &Path, work: impl FnOnce() -> Result<T, E>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| fault(file, &error)),
        Err(_) => Err(broken(file, "the decoder gave up on it".into())),
    }
}

/// What the decoder says; a file that the system refused to read is not called broken.
fn fault(file: &Path, error: &(dyn Error + 'static)) -> DataError {
    match system_code(error) {
        Some(code) => DataError::Io { file: file.to_owned(), source: io::Error::from_raw_os_error(code) },
        None => broken(file, error.to_string()),
    }
}

/// The code of the system's error behind `error`, if there is one.
fn system_code(error: &(dyn Error + 'static)) -> Option<i32> {
    let code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    code.or_else(|| error.source().and_then(system_code))
}

pub(crate) fn broken(file: &Path, problem: String) -> DataError {
    DataError::Parquet { file: file.to_owned(), problem }
}

/// The cells of a column as text: texts as they are, whole numbers in decimals.
pub(crate) enum Texts<'a> {
    Small(&'a arrow_array::StringArray),
    Large(&'a arrow_array::LargeStringArray),
    Whole(Vec<Option<i128>>),
    Keyed(&'a dyn arrow_array::array::AnyDictionaryArray, Vec<usize>, Box<Texts<'a>>),
}

impl<'a> Texts<'a> {
    /// `None` if the column holds anything else.
    pub(crate) fn of(column: &'a ArrayRef) -> Option<Texts<'a>> {
        match column.data_type() {
            DataType::Utf8 => Some(Texts::Small(column.as_string())),
            DataType::LargeUtf8 => Some(Texts::Large(column.as_string())),
            DataType::Dictionary(..) => {
                let keyed = column.as_any_dictionary();
                Some(Texts::Keyed(keyed, keyed.normalized_keys(), Box::new(Texts::of(keyed.values())?)))
            }
            _ => wholes(column).map(Texts::Whole),
        }
    }

    /// Gives the text of a row to `take`; `None` for an empty cell.
    pub(crate) fn with<T>(&self, row: usize, take: impl FnOnce(Option<&str>) -> T) -> T {
        match self {
            Texts::Small(a) => take(a.is_valid(row).then(|| a.value(row))),
            Texts::Large(a) => take(a.is_valid(row).then(|| a.value(row))),
            Texts::Whole(cells) => match cells[row] {
                Some(value) => take(Some(&value.to_string())),
                None => take(None),
            },
            Texts::Keyed(a, keys, values) => {
                if a.keys().is_valid(row) {
                    values.with(keys[row], take)
                } else {
                    take(None)
                }
            }
        }
    }
}

/// Every whole-number type, wide enough for all of them.
fn wholes(column: &ArrayRef) -> Option<Vec<Option<i128>>> {
    macro_rules! cells {
        ($type:ty) => {
            column.as_primitive::<$type>().iter().map(|v| v.map(i128::from)).collect()
        };
    }
    Some(match column.data_type() {
        DataType::Int8 => cells!(Int8Type),
        DataType::Int16 => cells!(Int16Type),
        DataType::Int32 => cells!(Int32Type),
        DataType::Int64 => cells!(Int64Type),
        DataType::UInt8 => cells!(UInt8Type),
        DataType::UInt16 => cells!(UInt16Type),
        DataType::UInt32 => cells!(UInt32Type),
        DataType::UInt64 => cells!(UInt64Type),
        _ => return None,
    })
}

/// The cells as floats; `None` if they are no numbers.
pub(crate) fn floats(column: &ArrayRef) -> Option<Vec<Option<f64>>> {
    Some(match column.data_type() {
        DataType::Float16 => {
            column.as_primitive::<Float16Type>().iter().map(|v| v.map(|v| v.to_f64())).collect()
        }
        DataType::Float32 => column.as_primitive::<Float32Type>().iter().map(|v| v.map(f64::from)).collect(),
        DataType::Float64 => column.as_primitive::<Float64Type>().iter().collect(),
        _ => wholes(column)?.into_iter().map(|v| v.map(|v| v as f64)).collect(),
    })
}

/// The cells as moments: whole numbers, timestamps and dates as they are stored, floats cut off.
pub(crate) fn moments(column: &ArrayRef) -> Option<Vec<Option<i64>>> {
    use arrow_array::types::{
        Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    };
    use arrow_schema::TimeUnit;
    let cut = |v: Option<i128>| v.and_then(|v| i64::try_from(v).ok());
    Some(match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<TimestampSecondType>().iter().collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().iter().collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            column.as_primitive::<TimestampMicrosecondType>().iter().collect()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            column.as_primitive::<TimestampNanosecondType>().iter().collect()
        }
        DataType::Date32 => column.as_primitive::<Date32Type>().iter().map(|v| v.map(i64::from)).collect(),
        DataType::Date64 => column.as_primitive::<Date64Type>().iter().collect(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            floats(column)?.into_iter().map(|v| v.and_then(whole)).collect()
        }
        _ => wholes(column)?.into_iter().map(cut).collect(),
    })
}

/// The rows of a column of lists of floats: where each ends, and all values; `None` for other columns. A row
/// that is empty or null ends where it begins.
pub(crate) fn lists(column: &ArrayRef) -> Option<(Vec<usize>, Vec<f32>)> {
    let (mut ends, mut values) = (Vec::with_capacity(column.len()), Vec::new());
    let item = |row: usize| -> Option<ArrayRef> {
        match column.data_type() {
            DataType::List(_) => Some(column.as_list::<i32>().value(row)),
            DataType::LargeList(_) => Some(column.as_list::<i64>().value(row)),
            DataType::FixedSizeList(..) => Some(column.as_fixed_size_list().value(row)),
            _ => None,
        }
    };
    for row in 0..column.len() {
        let cells = item(row)?;
        if column.is_valid(row) {
            // An empty cell within a row is no number, and is found as one.
            values.extend(floats(&cells)?.into_iter().map(|v| v.map_or(f32::NAN, |v| v as f32)));
        }
        ends.push(values.len());
    }
    Some((ends, values))
}
