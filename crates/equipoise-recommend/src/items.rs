//! What is known of items beside their ids: title, picture, attributes.
//!
//! `items.jsonl` of a served model has one object a line: `id`, and where known `title`, `picture` and any other attributes.
//! Items without a line have no attributes.

use crate::error::RecommendError;
use equipoise_data::{Lines, Vocabulary, quoted, write_atomic};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;

/// What is known of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemInfo {
    /// Its title.
    pub title: Option<String>,
    /// A path or an address of its picture.
    pub picture: Option<String>,
    /// Everything else, by name; title and picture are among them, so that a filter can ask for them.
    pub attributes: Map<String, Value>,
}

/// What is known of the items of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemInfos {
    rows: HashMap<u32, ItemInfo>,
    names: Vec<String>,
}

impl ItemInfos {
    /// Collects what is known, by the rows of items.
    pub fn new(rows: impl IntoIterator<Item = (u32, Map<String, Value>)>) -> ItemInfos {
        let rows: HashMap<u32, ItemInfo> = rows.into_iter().map(|(row, all)| (row, info(all))).collect();
        let names: BTreeSet<&String> = rows.values().flat_map(|info| info.attributes.keys()).collect();
        let names = names.into_iter().cloned().collect();
        ItemInfos { rows, names }
    }

    /// The same and what is known of further items.
    #[must_use]
    pub(crate) fn with(&self, more: impl IntoIterator<Item = (u32, Map<String, Value>)>) -> ItemInfos {
        let before = self.rows.iter().map(|(&row, info)| (row, info.attributes.clone()));
        ItemInfos::new(before.chain(more))
    }

    /// Reads `items.jsonl`. Items that the model does not know are passed over.
    ///
    /// # Errors
    /// A file that cannot be read, a line that is no object with an `id`, an item that occurs twice.
    pub fn read(path: &Path, vocabulary: &Vocabulary) -> Result<ItemInfos, RecommendError> {
        let mut lines = Lines::open(path)?;
        let mut rows = HashMap::new();
        while lines.advance()? {
            if lines.is_blank() {
                continue;
            }
            let wrong = |what: String| RecommendError::file(path, format!("line {}: {what}", lines.number()));
            let mut object: Map<String, Value> = serde_json::from_slice(lines.text())
                .map_err(|e| wrong(format!("{e}; expected one JSON object per line")))?;
            let id = match object.remove("id") {
                Some(Value::String(id)) => id,
                Some(Value::Number(id)) => id.to_string(),
                _ => return Err(wrong("expected an `id`, the raw id of an item".into())),
            };
            let Some(row) = vocabulary.item(&id) else { continue };
            if rows.insert(row, object).is_some() {
                return Err(wrong(format!("item {} occurs twice; keep one line of it", quoted(&id))));
            }
        }
        Ok(ItemInfos::new(rows))
    }

    /// Writes `items.jsonl`, whole or not at all, in the order of the rows.
    ///
    /// # Errors
    /// File system faults.
    pub fn write(&self, path: &Path, vocabulary: &Vocabulary) -> Result<(), RecommendError> {
        let mut rows: Vec<&u32> = self.rows.keys().collect();
        rows.sort_unstable();
        let result = write_atomic(path, |file| {
            for &row in rows {
                let id = Value::from(&vocabulary.items()[row as usize]);
                let attributes = self.rows[&row].attributes.clone().into_iter();
                let object: Map<String, Value> =
                    [("id".to_owned(), id)].into_iter().chain(attributes).collect();
                serde_json::to_writer(&mut *file, &object)?;
                file.write_all(b"\n")?;
            }
            Ok(())
        });
        result.map_err(RecommendError::io(path))
    }

    /// What is known of the item of a row.
    pub fn of(&self, row: u32) -> Option<&ItemInfo> {
        self.rows.get(&row)
    }

    /// The title of the item of a row.
    pub fn title(&self, row: u32) -> Option<String> {
        self.of(row)?.title.clone()
    }

    /// Names of all attributes, sorted.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of items of which something is known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn info(attributes: Map<String, Value>) -> ItemInfo {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).map(str::to_owned);
    ItemInfo { title: text("title"), picture: text("picture"), attributes }
}
