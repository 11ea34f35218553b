//! The table of new items: ids, and what is known of them.

use crate::error::RecommendError;
use equipoise_data::TextOptions;
use equipoise_data::formats::read_item_rows;
use serde_json::{Map, Value};
use std::path::Path;

/// A new item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewItem {
    /// Its raw id.
    pub id: String,
    /// What is known of it: `title`, `picture`, `category` or `categories`, and any other attributes.
    pub attributes: Map<String, Value>,
}

impl NewItem {
    /// The path of its category, widest label first: `category` or `categories`, a label or a list of labels. Empty where there is
    /// none.
    pub(super) fn category(&self) -> Vec<String> {
        let found = ["category", "categories"].into_iter().find_map(|name| self.attributes.get(name));
        match found {
            Some(Value::String(label)) => vec![label.clone()],
            Some(Value::Array(labels)) => {
                labels.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Reads new items from a table (`.csv`, `.tsv`, `.parquet`) or a file of objects (`.jsonl`). The notes say what was guessed.
///
/// # Errors
/// If the file cannot be read, or a row has no id.
pub fn read_new_items(path: &Path, notes: &mut Vec<String>) -> Result<Vec<NewItem>, RecommendError> {
    let rows = read_item_rows(path, None, &TextOptions::default(), notes)?;
    Ok(rows.into_iter().map(|(id, attributes)| NewItem { id, attributes }).collect())
}
