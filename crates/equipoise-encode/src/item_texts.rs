//! What a table says of each item of a data set: its text, or the path of its picture.

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
    let items = by_id(ids);
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
    Err(nothing(file, "no row is about an item of the data set", &theirs, ids))
}

/// The place of each item by its raw id.
pub(crate) fn by_id(ids: &[String]) -> HashMap<&str, usize> {
    ids.iter().map(String::as_str).zip(0..).collect()
}

/// Nothing at `place` is of an item: how things are called on either side.
pub(crate) fn nothing(place: &Path, what: &str, theirs: &str, ids: &[String]) -> EncodeError {
    let ours = ids.first().map(String::as_str).unwrap_or_default();
    EncodeError::file(place, format!("{what}: {theirs}, there {ours:.60?}; use the same ids"))
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
