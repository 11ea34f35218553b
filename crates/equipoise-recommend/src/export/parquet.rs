//! `parquet`: tables for data frames and data bases.
//!
//! | file | columns |
//! |---|---|
//! | `users.parquet` | `user` (raw id), `vector`, and one list column for each part of the score, without its coefficient |
//! | `items.parquet` | `item` (raw id), `title` where one is known, `vector`, and one list column for each part |
//! | `seen.parquet` | `user`, `item`, `split` (`train` or `validation`): what a list leaves out |
//! | `export.json` | parts, coefficients, weights, model |
//!
//! Rows of users and items stand in the order of the model, by which equal scores are ranked. Lists have float32 values:
//! `score(u, i) = <users.vector, items.vector>`.

use super::layout::{EXPORT, Layout, Part};
use super::options::ExportOptions;
use super::report::ExportReport;
use super::seen::splits;
use super::target::ExportTarget;
use crate::error::RecommendError;
use crate::served::ServedModel;
use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{ArrayRef, DictionaryArray, FixedSizeListArray, RecordBatch, StringArray};
use equipoise_data::write_atomic;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::json;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Rows that are written at a time.
const ROWS: usize = 8192;

/// The target.
pub(super) const TARGET: ExportTarget = ExportTarget {
    name: "parquet",
    summary: "Parquet files: vectors of users and items, each part of the score apart, raw ids, what users have met",
    takes: &[],
    mark: EXPORT,
    write,
    upload: None,
};

fn write(
    _: &Path,
    model: &ServedModel,
    _: &ExportOptions,
    dir: &Path,
    _: &mut ExportReport,
) -> Result<(), RecommendError> {
    let layout = Layout::new(model)?;
    table(&dir.join("users.parquet"), model.tables().n_users(), |rows| users(&layout, rows))?;
    table(&dir.join("items.parquet"), model.tables().n_items(), |rows| items(&layout, rows))?;
    seen(&dir.join("seen.parquet"), model)?;
    layout.describe(TARGET.name, dir, json!({}))
}

fn users(layout: &Layout, rows: Range<usize>) -> Vec<(String, ArrayRef)> {
    let ids = StringArray::from_iter_values(layout.model.vocabulary().users().range(rows.clone()));
    let vectors = lists(rows.clone(), layout.width, |user, row| layout.user(user, row));
    let part = |part: &Part| {
        let rows = lists(rows.clone(), part.width, |user, row| row.extend(layout.user_part(part, user)));
        (column(&part.name), rows)
    };
    let own: [(String, ArrayRef); 2] = [("user".into(), Arc::new(ids)), ("vector".into(), vectors)];
    own.into_iter().chain(layout.parts.iter().map(part)).collect()
}

fn items(layout: &Layout, rows: Range<usize>) -> Vec<(String, ArrayRef)> {
    let ids = StringArray::from_iter_values(layout.model.vocabulary().items().range(rows.clone()));
    let titles: StringArray = rows.clone().map(|item| layout.model.infos().title(item as u32)).collect();
    let vectors = lists(rows.clone(), layout.width, |item, row| layout.item(item, row));
    let part = |part: &Part| {
        let rows = lists(rows.clone(), part.width, |item, row| row.extend(layout.item_part(part, item)));
        (column(&part.name), rows)
    };
    let own: [(String, ArrayRef); 3] =
        [("item".into(), Arc::new(ids)), ("title".into(), Arc::new(titles)), ("vector".into(), vectors)];
    own.into_iter().chain(layout.parts.iter().map(part)).collect()
}

/// The column of a part: `part_<name>`, so that a modality called `item` stands beside the ids.
fn column(part: &str) -> String {
    format!("part_{part}")
}

fn lists(rows: Range<usize>, width: usize, row: impl Fn(usize, &mut Vec<f32>)) -> ArrayRef {
    let lists = rows.map(|r| {
        let mut values = Vec::with_capacity(width);
        row(r, &mut values);
        Some(values.into_iter().map(Some).collect::<Vec<_>>())
    });
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(lists, width as i32))
}

fn seen(path: &Path, model: &ServedModel) -> Result<(), RecommendError> {
    let mut pairs: Vec<(u32, u32, i32)> = Vec::new();
    for (split, (_, set)) in splits(model).into_iter().enumerate() {
        pairs.extend(set.pairs().map(|(user, item)| (user, item, split as i32)));
    }
    let dictionary = |values: ArrayRef, key: fn(&(u32, u32, i32)) -> i32, rows: Range<usize>| -> ArrayRef {
        let keys: Vec<i32> = pairs[rows].iter().map(key).collect();
        Arc::new(DictionaryArray::<Int32Type>::try_new(keys.into(), values).expect("keys are rows"))
    };
    let users: ArrayRef = Arc::new(StringArray::from_iter_values(model.vocabulary().users().iter()));
    let items: ArrayRef = Arc::new(StringArray::from_iter_values(model.vocabulary().items().iter()));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(splits(model).map(|(name, _)| name)));
    table(path, pairs.len(), |rows| {
        vec![
            ("user".into(), dictionary(users.clone(), |pair| pair.0 as i32, rows.clone())),
            ("item".into(), dictionary(items.clone(), |pair| pair.1 as i32, rows.clone())),
            ("split".into(), dictionary(names.clone(), |pair| pair.2, rows)),
        ]
    })
}

/// Writes a table, some rows at a time.
fn table(
    path: &Path,
    rows: usize,
    columns: impl Fn(Range<usize>) -> Vec<(String, ArrayRef)>,
) -> Result<(), RecommendError> {
    let record = |rows: Range<usize>| {
        // Which columns may be empty must not depend on the rows at hand.
        let columns = columns(rows).into_iter().map(|(name, values)| (name, values, true));
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    };
    let written = write_atomic(path, |file| {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(file, record(0..0).schema(), Some(properties))?;
        for start in (0..rows).step_by(ROWS) {
            writer.write(&record(start..rows.min(start + ROWS)))?;
        }
        writer.close()?;
        Ok(())
    });
    written.map_err(RecommendError::io(path))
}
