//! Parquet files as tables: names of columns, and rows some at a time.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use super::parquet_footer;
use super::parquet_pages::{self, Promised};
use crate::caught::caught;
use crate::error::DataError;

/// Rows decoded at a time.
const BATCH: usize = 8192;

/// Rows that any file may have, and that each of its bytes can stand for. Distinct pairs need some bits each: a file that
/// claims more rows is made to exhaust memory.
const ROWS: u64 = 1 << 20;
const MOST_ROWS_PER_BYTE: u64 = 8;

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
        guarded(file, || parquet_footer::check(&input, length))?;
        let metadata = guarded(file, || ArrowReaderMetadata::load(&input, ArrowReaderOptions::new()))?;
        let metadata = with_views(metadata);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata);
        let rows = builder.metadata().file_metadata().num_rows();
        if u64::try_from(rows)
            .is_ok_and(|rows| rows <= length.saturating_mul(MOST_ROWS_PER_BYTE).saturating_add(ROWS))
        {
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

    /// Checks what the pages of the columns at `places` promise.
    fn check_pages(&self, places: &[usize]) -> Result<(), DataError> {
        let file = self.file;
        let input = File::open(file).map_err(DataError::io(file))?;
        let mut promised = Promised::new(input.metadata().map_err(DataError::io(file))?.len());
        let schema = self.builder.parquet_schema();
        let roots = 0..schema.num_columns();
        let leaves: Vec<usize> =
            roots.filter(|&leaf| places.contains(&schema.get_column_root_idx(leaf))).collect();
        for group in self.builder.metadata().row_groups() {
            for &leaf in &leaves {
                let chunk = group
                    .columns()
                    .get(leaf)
                    .ok_or_else(|| broken(file, format!("a row group lacks the column number {leaf}")))?;
                guarded(file, || parquet_pages::check(&input, chunk, &mut promised))?;
            }
        }
        Ok(())
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
        self.check_pages(places)?;
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

/// The same file with its texts and bytes read as views, of which equal ones share their memory: a file in which many rows
/// have one long text unpacks to that text, not to as many copies of it.
fn with_views(metadata: ArrowReaderMetadata) -> ArrowReaderMetadata {
    let view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        DataType::Binary | DataType::LargeBinary => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView))
        }
        _ => field.clone(),
    };
    let fields: Fields = metadata.schema().fields().iter().map(view).collect();
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
    match ArrowReaderMetadata::try_new(metadata.metadata().clone(), options) {
        Ok(viewed) => viewed,
        // Columns of some nested type cannot be asked for in another form; they are read as they come.
        Err(_) => metadata,
    }
}

/// Runs the decoder on bytes that may be hostile: what it says, or that it gave up, becomes an error.
fn guarded<T, E: Error + 'static>(file: &Path, work: impl FnOnce() -> Result<T, E>) -> Result<T, DataError> {
    match caught(work) {
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
