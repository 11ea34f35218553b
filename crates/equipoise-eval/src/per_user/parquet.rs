//! Per-user tables as Parquet files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use equipoise_data::Ids;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::table::PerUser;
use crate::error::EvalError;

const USER: &str = "user";
const USER_ID: &str = "user_id";
/// Metadata key and value that name the layout.
const FORMAT: (&str, &str) = ("equipoise.per_user", "1");
/// Metadata that the Parquet writer adds by itself.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// All that a per-user Parquet file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PerUserFile {
    /// The table.
    pub per_user: PerUser,
    /// The raw id of each row's user, when the file has them.
    pub raw_user_ids: Option<Vec<String>>,
    /// The metadata given when writing.
    pub metadata: BTreeMap<String, String>,
}

impl PerUserFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`EvalError::Io`] and [`EvalError::Parquet`] when it cannot be read, [`EvalError::Layout`]
    /// when a column or the format version is not what [`PerUser::write_parquet`] writes.
    pub fn read(path: &Path) -> Result<PerUserFile, EvalError> {
        let broken =
            |e: &dyn std::fmt::Display| EvalError::Parquet { path: path.to_owned(), message: e.to_string() };
        let file = File::open(path).map_err(|source| EvalError::Io { path: path.to_owned(), source })?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
        let mut found = PerUserFile {
            metadata: read_metadata(path, builder.metadata().file_metadata().key_value_metadata())?,
            ..PerUserFile::default()
        };
        found.check_columns(path, builder.schema())?;
        for batch in builder.build().map_err(|e| broken(&e))? {
            found.append(path, &batch.map_err(|e| broken(&e))?)?;
        }
        Ok(found)
    }

    /// Checks the columns and makes room for them.
    fn check_columns(&mut self, path: &Path, schema: &Schema) -> Result<(), EvalError> {
        let named = |name: &str| schema.fields().iter().any(|f| f.name() == name);
        if !named(USER) {
            return Err(layout(path, USER, "a column of UInt32", "none"));
        }
        if named(USER_ID) {
            self.raw_user_ids = Some(Vec::new());
        }
        for field in schema.fields() {
            let expected = match field.name().as_str() {
                USER => DataType::UInt32,
                USER_ID => DataType::Utf8,
                name => {
                    self.per_user.columns.push((name.to_owned(), Vec::new()));
                    DataType::Float64
                }
            };
            if *field.data_type() != expected {
                let found = field.data_type().to_string();
                return Err(layout(path, field.name(), &expected.to_string(), &found));
            }
        }
        Ok(())
    }

    fn append(&mut self, path: &Path, batch: &RecordBatch) -> Result<(), EvalError> {
        let mut columns = self.per_user.columns.iter_mut();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            if array.null_count() > 0 {
                return Err(layout(path, field.name(), "no empty cells", "some"));
            }
            match field.name().as_str() {
                USER => self.per_user.users.extend(array.as_primitive::<UInt32Type>().values()),
                USER_ID => {
                    let ids = array.as_string::<i32>();
                    let ids = (0..ids.len()).map(|row| ids.value(row).to_owned());
                    self.raw_user_ids.get_or_insert_default().extend(ids);
                }
                _ => {
                    let (_, values) = columns.next().expect("one vector per checked column");
                    values.extend(array.as_primitive::<Float64Type>().values());
                }
            }
        }
        Ok(())
    }
}

fn layout(path: &Path, field: &str, expected: &str, found: &str) -> EvalError {
    EvalError::Layout {
        path: path.to_owned(),
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

fn read_metadata(path: &Path, pairs: Option<&Vec<KeyValue>>) -> Result<BTreeMap<String, String>, EvalError> {
    let pairs = pairs.into_iter().flatten();
    let mut metadata: BTreeMap<String, String> = pairs
        .filter(|pair| pair.key != ARROW_SCHEMA)
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect();
    match metadata.remove(FORMAT.0) {
        Some(version) if version == FORMAT.1 => Ok(metadata),
        found => {
            let found = found.unwrap_or_else(|| "none".to_owned());
            Err(layout(path, FORMAT.0, &format!("version {}", FORMAT.1), &found))
        }
    }
}

impl PerUser {
    /// Writes the table as Parquet: `user` (u32), `user_id` (text, when `raw_user_ids` is given,
    /// which is indexed by user), then the columns (f64). `metadata` goes into the file's
    /// key-value metadata. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`EvalError::Column`] when lengths differ, a name occurs twice or a user has no raw id,
    /// [`EvalError::Io`] when the file cannot be written.
    pub fn write_parquet(
        &self,
        path: &Path,
        raw_user_ids: Option<&Ids>,
        metadata: &[(&str, String)],
    ) -> Result<(), EvalError> {
        write(self, path, raw_user_ids, metadata)
    }

    /// Reads what [`PerUser::write_parquet`] wrote; see [`PerUserFile::read`] for ids and metadata.
    ///
    /// # Errors
    /// Those of [`PerUserFile::read`].
    pub fn read_parquet(path: &Path) -> Result<PerUser, EvalError> {
        Ok(PerUserFile::read(path)?.per_user)
    }
}

/// See [`PerUser::write_parquet`].
fn write(
    table: &PerUser,
    path: &Path,
    raw_user_ids: Option<&Ids>,
    metadata: &[(&str, String)],
) -> Result<(), EvalError> {
    check_table(table)?;
    let mut fields = vec![Field::new(USER, DataType::UInt32, false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(table.users.clone()))];
    if let Some(ids) = raw_user_ids {
        fields.push(Field::new(USER_ID, DataType::Utf8, false));
        arrays.push(Arc::new(StringArray::from(rows_of(ids, &table.users)?)));
    }
    for (name, values) in &table.columns {
        fields.push(Field::new(name, DataType::Float64, false));
        arrays.push(Arc::new(Float64Array::from(values.clone())));
    }
    let bytes = encode(Arc::new(Schema::new(fields)), arrays, metadata)
        .map_err(|e| EvalError::Parquet { path: path.to_owned(), message: e.to_string() })?;
    equipoise_data::write_atomic(path, |writer| writer.write_all(&bytes))
        .map_err(|source| EvalError::Io { path: path.to_owned(), source })
}

fn encode(
    schema: Arc<Schema>,
    arrays: Vec<ArrayRef>,
    metadata: &[(&str, String)],
) -> parquet::errors::Result<Vec<u8>> {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.to_string(), value.clone()));
    let format = KeyValue::new(FORMAT.0.to_owned(), FORMAT.1.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(pairs.chain([format]).collect()))
        .build();
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn check_table(table: &PerUser) -> Result<(), EvalError> {
    let fault = |name: &str, expected: &str, found: String| EvalError::Column {
        column: name.to_owned(),
        expected: expected.to_owned(),
        found,
    };
    let mut seen = BTreeSet::from([USER, USER_ID]);
    for (name, values) in &table.columns {
        if !seen.insert(name) {
            return Err(fault(name, "a name of its own", "a name already taken".to_owned()));
        }
        if values.len() != table.users.len() {
            let expected = format!("{} values, one per user", table.users.len());
            return Err(fault(name, &expected, values.len().to_string()));
        }
    }
    Ok(())
}

fn rows_of<'a>(ids: &'a Ids, users: &[u32]) -> Result<Vec<&'a str>, EvalError> {
    let id = |&user: &u32| {
        ids.get(user as usize).ok_or_else(|| EvalError::Column {
            column: USER_ID.to_owned(),
            expected: format!("a raw id for user {user}"),
            found: format!("{} raw ids", ids.len()),
        })
    };
    users.iter().map(id).collect()
}
