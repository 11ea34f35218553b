//! `npy`: tables for NumPy.
//!
//! | file | what |
//! |---|---|
//! | `users.npy`, `items.npy` | float32, `[users, width]` and `[items, width]`: `score(u, i) = users[u] @ items[i]` |
//! | `users.<part>.npy`, `items.<part>.npy` | float32: each part apart, users without their coefficient |
//! | `user_ids.json`, `item_ids.json` | raw ids in the order of the rows |
//! | `seen.train.npy`, `seen.validation.npy` | uint32, `[interactions, 2]`: rows of users and of the items that they have met |
//! | `export.json` | parts, coefficients, weights, model |

use super::layout::{EXPORT, Layout};
use super::options::ExportOptions;
use super::report::ExportReport;
use super::seen::splits;
use super::target::ExportTarget;
use crate::error::RecommendError;
use crate::served::ServedModel;
use equipoise_data::write_atomic;
use npyz::WriterBuilder;
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// The target.
pub(super) const TARGET: ExportTarget = ExportTarget {
    name: "npy",
    summary: "arrays for NumPy: vectors of users and items, each part of the score apart, raw ids, what users have met",
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
    let (users, items) = (model.tables().n_users(), model.tables().n_items());
    table(dir, "users", users, layout.width, |user, row| layout.user(user, row))?;
    table(dir, "items", items, layout.width, |item, row| layout.item(item, row))?;
    for part in &layout.parts {
        let name = file_name(&part.name);
        let user = |user: usize, row: &mut Vec<f32>| row.extend(layout.user_part(part, user));
        table(dir, &format!("users.{name}"), users, part.width, user)?;
        let item = |item: usize, row: &mut Vec<f32>| row.extend(layout.item_part(part, item));
        table(dir, &format!("items.{name}"), items, part.width, item)?;
    }
    for (name, ids) in [("user_ids", model.vocabulary().users()), ("item_ids", model.vocabulary().items())] {
        let path = dir.join(format!("{name}.json"));
        let text = serde_json::to_string(ids).expect("texts are JSON");
        write_atomic(&path, |file| writeln!(file, "{text}")).map_err(RecommendError::io(&path))?;
    }
    for (name, pairs) in splits(model) {
        let values = pairs.pairs().flat_map(|(user, item)| [user, item]);
        array(&dir.join(format!("seen.{name}.npy")), [pairs.len(), 2], values)?;
    }
    let parts: Vec<String> = layout.parts.iter().map(|part| file_name(&part.name)).collect();
    layout.describe(TARGET.name, dir, json!({ "part_files": parts }))
}

/// Writes a table row by row.
fn table(
    dir: &Path,
    name: &str,
    rows: usize,
    width: usize,
    row: impl Fn(usize, &mut Vec<f32>),
) -> Result<(), RecommendError> {
    let values = (0..rows).flat_map(|r| {
        let mut values = Vec::with_capacity(width);
        row(r, &mut values);
        values
    });
    array(&dir.join(format!("{name}.npy")), [rows, width], values)
}

fn array<T: npyz::AutoSerialize>(
    path: &Path,
    shape: [usize; 2],
    values: impl Iterator<Item = T>,
) -> Result<(), RecommendError> {
    let shape = shape.map(|length| length as u64);
    let written = write_atomic(path, |file| {
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file).begin_nd()?;
        writer.extend(values)?;
        writer.finish()
    });
    written.map_err(RecommendError::io(path))
}

/// The name of a part as a file's.
pub(super) fn file_name(part: &str) -> String {
    part.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}
