//! The Parquet files of the layout: interactions and raw ids.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::atomic::write_atomic;
use crate::error::DataError;
use crate::formats::gathered::{GatheredSplit, SPLITS};
use crate::formats::parquet_file::{ParquetFile, broken};
use crate::ids::Ids;
use crate::quoted::quoted;

const ID: &str = "id";
const COLUMNS: [(&str, DataType); 4] = [
    ("user", DataType::UInt32),
    ("item", DataType::UInt32),
    ("split", DataType::Utf8),
    ("timestamp", DataType::Int64),
];

/// Writes the splits, one after the other; with times where all have them.
pub(crate) fn write_interactions(file: &Path, splits: [&GatheredSplit; 3]) -> Result<(), DataError> {
    let pairs = || splits.iter().flat_map(|s| &s.pairs);
    let names = splits.iter().zip(SPLITS).flat_map(|(s, name)| std::iter::repeat_n(name, s.pairs.len()));
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(pairs().map(|p| p.0).collect::<UInt32Array>()),
        Arc::new(pairs().map(|p| p.1).collect::<UInt32Array>()),
        Arc::new(StringArray::from_iter_values(names)),
    ];
    if splits.iter().all(|s| s.times.len() == s.pairs.len()) {
        let times = splits.iter().flat_map(|s| s.times.iter().copied());
        arrays.push(Arc::new(Int64Array::from_iter_values(times)));
    }
    write(file, COLUMNS.into_iter().take(arrays.len()).collect(), arrays)
}

/// Writes raw ids by index.
pub(crate) fn write_ids(file: &Path, ids: &Ids) -> Result<(), DataError> {
    write(file, vec![(ID, DataType::Utf8)], vec![Arc::new(StringArray::from_iter_values(ids.iter()))])
}

fn write(file: &Path, columns: Vec<(&str, DataType)>, arrays: Vec<ArrayRef>) -> Result<(), DataError> {
    let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, false)).collect();
    let schema = Arc::new(Schema::new(fields));
    let encode = || {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let batch = RecordBatch::try_new(schema.clone(), arrays)?;
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    let bytes = encode().map_err(|error| broken(file, error.to_string()))?;
    write_atomic(file, |out| out.write_all(&bytes)).map_err(DataError::io(file))
}

/// Reads raw ids by index.
pub(crate) fn read_ids(file: &Path) -> Result<Vec<String>, DataError> {
    let table = ParquetFile::open(file)?;
    expect(file, &table.names(), &[ID])?;
    let mut ids = Vec::new();
    table.read(&[0], |_, batch| {
        typed(file, batch, 0, &DataType::Utf8)?;
        ids.extend(batch.column(0).as_string_view().iter().flatten().map(str::to_owned));
        Ok(())
    })?;
    Ok(ids)
}

/// Reads the splits, in the order train, validation, test.
pub(crate) fn read_interactions(file: &Path) -> Result<[GatheredSplit; 3], DataError> {
    let table = ParquetFile::open(file)?;
    let names = table.names();
    let columns = COLUMNS.map(|c| c.0);
    let count = if names.len() == columns.len() { 4 } else { 3 };
    expect(file, &names, &columns[..count])?;
    let mut parts: [GatheredSplit; 3] = Default::default();
    let places: Vec<usize> = (0..count).collect();
    table.read(&places, |first, batch| {
        for (place, (_, kind)) in COLUMNS.iter().enumerate().take(count) {
            typed(file, batch, place, kind)?;
        }
        let [users, items] = [0, 1].map(|place| batch.column(place).as_primitive::<UInt32Type>().values());
        let labels = batch.column(2).as_string_view();
        let times = (count == 4).then(|| batch.column(3).as_primitive::<Int64Type>().values());
        for row in 0..batch.num_rows() {
            let label = labels.value(row);
            let Some(split) = SPLITS.iter().position(|name| *name == label) else {
                return Err(broken(
                    file,
                    format!("row {}: split {}, expected {SPLITS:?}", first + row, quoted(label)),
                ));
            };
            parts[split].pairs.push((users[row], items[row]));
            parts[split].times.extend(times.map(|t| t[row]));
        }
        Ok(())
    })?;
    let mut names = SPLITS.iter();
    Ok(parts.map(|GatheredSplit { pairs, times, .. }| {
        let name = names.next().expect("three splits, three names");
        GatheredSplit::new(format!("{} ({name})", file.display()), pairs, times)
    }))
}

fn expect(file: &Path, found: &[String], expected: &[&str]) -> Result<(), DataError> {
    if found == expected {
        Ok(())
    } else {
        Err(broken(file, format!("columns {found:?}, expected {expected:?}")))
    }
}

fn typed(file: &Path, batch: &RecordBatch, place: usize, expected: &DataType) -> Result<(), DataError> {
    // Texts are read as views.
    let expected = if *expected == DataType::Utf8 { &DataType::Utf8View } else { expected };
    let column = batch.column(place);
    let (found, empty) = (column.data_type(), column.null_count());
    if found == expected && empty == 0 {
        Ok(())
    } else {
        Err(broken(file, format!("column {place} is {found} with {empty} empty cells, expected {expected}")))
    }
}
