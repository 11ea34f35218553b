//! The text of each item of a data set.

use std::collections::HashMap;
use std::path::Path;

use equipoise_data::formats::{Cells, read_cells};

use crate::error::EncodeError;

/// Texts by item, and what did not match.
#[derive(Debug, Default)]
pub(crate) struct ItemTexts {
    /// By item; `None` where there is no text, or a blank one.
    pub(crate) texts: Vec<Option<String>>,
    /// Rows about items that are not in the data set.
    pub(crate) unknown: usize,
    /// Further rows about an item.
    pub(crate) repeated: usize,
}

/// Joins the rows of the table to the items by raw id; of several rows about one item the first is kept.
///
/// # Errors
/// If the table cannot be read, a row has no id, or no row is about an item of the data set.
pub(crate) fn read(ids: &[String], file: &Path, cells: &Cells) -> Result<ItemTexts, EncodeError> {
    let items: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
    let mut found = ItemTexts { texts: vec![None; ids.len()], ..ItemTexts::default() };
    let (mut seen, mut example) = (vec![false; ids.len()], None);
    read_cells(file, cells, &mut |raw, text| {
        match items.get(raw) {
            _ if raw.is_empty() => return Err("the item id is empty; fill it in or remove the row".into()),
            None => {
                found.unknown += 1;
                example.get_or_insert_with(|| raw.to_owned());
            }
            Some(&item) if seen[item] => found.repeated += 1,
            Some(&item) => {
                seen[item] = true;
                found.texts[item] = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
            }
        }
        Ok(())
    })?;
    if seen.contains(&true) {
        return Ok(found);
    }
    let theirs =
        example.map_or("no row at all".into(), |raw| format!("its items are called {raw:.60?} and so on"));
    let ours = ids.first().map(String::as_str).unwrap_or_default();
    let problem =
        format!("no row is about an item of the data set: {theirs}, there {ours:.60?}; use the same ids");
    Err(EncodeError::file(file, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_find_their_items_and_the_rest_is_counted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("texts.jsonl");
        let line = |id: &str, text: &str| format!("{{\"id\": \"{id}\", \"text\": \"{text}\"}}\n");
        let text = [line("b", "one"), line("z", "two"), line("b", "three"), line("c", "  ")].concat();
        std::fs::write(&file, text).expect("written");
        let ids = ["a", "b", "c"].map(String::from);
        let found = read(&ids, &file, &Cells::default()).expect("matches");
        assert_eq!(found.texts, [None, Some("one".into()), None]);
        assert_eq!((found.unknown, found.repeated), (1, 1));
        let message = read(&["q".into()], &file, &Cells::default()).expect_err("none matches").to_string();
        assert!(message.contains("\"b\"") && message.contains("\"q\""), "{message}");
    }
}
