//! What a table says of each item of a data set: its text, or the path of its picture.

use std::collections::HashMap;
use std::path::Path;

use equipoise_data::formats::{Cells, other_numbering, plain_number, read_cells};
use equipoise_data::quoted;

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
    /// What was guessed, passed over or understood leniently, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Joins the rows of the table to the items by raw id; of several rows about one item the first is kept.
///
/// # Errors
/// If the table cannot be read, a row has no id, no row is about an item of the data set, or one is but for how a number
/// is written.
pub(crate) fn read(ids: &[String], file: &Path, cells: &Cells) -> Result<ItemTexts, EncodeError> {
    let items = ItemNames::of(ids);
    let mut near = None;
    let mut found = ItemTexts { texts: vec![None; ids.len()], ..ItemTexts::default() };
    let (mut seen, mut example) = (vec![false; ids.len()], None);
    let notes = read_cells(file, cells, &mut |raw, text| {
        match items.find(raw) {
            _ if raw.is_empty() => return Err("the item id is empty; fill it in or remove the row".into()),
            None => {
                found.unknown += 1;
                near = near.take().or_else(|| Some((raw.to_owned(), items.near(raw)?)));
                example.get_or_insert_with(|| raw.to_owned());
            }
            Some(item) if seen[item] => found.repeated += 1,
            Some(item) => {
                seen[item] = true;
                found.texts[item] = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
            }
        }
        Ok(())
    })?;
    if let Some((raw, item)) = near.filter(|(_, item)| !seen[*item]) {
        return Err(two_ways(file, &raw, &ids[item]));
    }
    if found.unknown == 1 {
        items.refuse_one_off(file, example.as_deref(), |item| seen[item])?;
    }
    found.notes = notes;
    if seen.contains(&true) {
        return Ok(found);
    }
    let theirs = example
        .map_or("no row at all".into(), |raw| format!("its items are called {} and so on", quoted(&raw)));
    Err(nothing(file, "no row is about an item of the data set", &theirs, ids))
}

/// The place of each item by its raw id, and by the number that it is.
pub(crate) struct ItemNames<'a> {
    ids: HashMap<&'a str, usize>,
    numbers: HashMap<&'a str, usize>,
    /// The item that has no partner where the other side is numbered from 1 instead of 0, or from 0 instead of 1, what it
    /// is called, and what is left over there.
    shifted: Option<(usize, &'a str, String)>,
}

impl<'a> ItemNames<'a> {
    /// Those of these raw ids.
    pub(crate) fn of(ids: &'a [String]) -> ItemNames<'a> {
        let number = |(id, n): (&'a String, usize)| Some((plain_number(id)?, n));
        ItemNames {
            ids: ids.iter().map(String::as_str).zip(0..).collect(),
            numbers: ids.iter().zip(0..).filter_map(number).collect(),
            shifted: other_numbering(ids).map(|(item, over)| (item, ids[item].as_str(), over)),
        }
    }

    /// Refuses contents of which one alone, called `unknown`, is of no item, if that and the item that has none look like
    /// numbers from 0 on one side and from 1 on the other.
    pub(crate) fn refuse_one_off(
        &self,
        place: &Path,
        unknown: Option<&str>,
        has: impl Fn(usize) -> bool,
    ) -> Result<(), EncodeError> {
        match &self.shifted {
            Some((item, name, over)) if unknown == Some(over) && !has(*item) => {
                let problem = format!(
                    "nothing there is called {name:?} as an item is, and something is called {over:?} as no item is: \
                     numbered from 0 on one side and from 1 on the other? Give both the same ids"
                );
                Err(EncodeError::file(place, problem))
            }
            _ => Ok(()),
        }
    }

    /// The item that is called so.
    pub(crate) fn find(&self, raw: &str) -> Option<usize> {
        self.ids.get(raw).copied()
    }

    /// The item that is called so but for how a number is written, which [`find`](Self::find) does not find.
    pub(crate) fn near(&self, raw: &str) -> Option<usize> {
        self.numbers.get(plain_number(raw)?).copied()
    }
}

/// Something at `place` and an item are called by one number written in two ways.
pub(crate) fn two_ways(place: &Path, theirs: &str, ours: &str) -> EncodeError {
    let problem = format!(
        "{} there and the item {} are one number written in two ways; write ids as texts, the same on \
         both sides",
        quoted(theirs),
        quoted(ours)
    );
    EncodeError::file(place, problem)
}

/// Nothing at `place` is of an item: how things are called on either side.
pub(crate) fn nothing(place: &Path, what: &str, theirs: &str, ids: &[String]) -> EncodeError {
    let ours = ids.first().map(String::as_str).unwrap_or_default();
    EncodeError::file(place, format!("{what}: {theirs}, there {}; use the same ids", quoted(ours)))
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

    #[test]
    fn texts_from_1_of_items_from_0_are_not_joined_one_off() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("texts.csv");
        let read = |numbers: &[usize]| {
            let rows: String = numbers.iter().map(|n| format!("{n},text\n")).collect();
            std::fs::write(&file, format!("id,text\n{rows}")).expect("written");
            let ids = ["2", "0", "1"].map(String::from);
            read(&ids, &file, &Cells::default()).map(|found| found.unknown).map_err(|e| e.to_string())
        };
        assert!(read(&[1, 2, 3]).expect_err("one off").contains("from 0 on one side and from 1"));
        assert_eq!((read(&[0, 1, 3]), read(&[1, 2, 4]), read(&[1, 2, 3, 4])), (Ok(1), Ok(1), Ok(2)));
    }

    #[test]
    fn one_number_written_in_two_ways_is_a_slip() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("texts.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("written");
            let ids = ["007", "12", "a"].map(String::from);
            read(&ids, &file, &Cells::default()).map(|found| found.unknown).map_err(|e| e.to_string())
        };
        for text in ["id,text\n7,one\n12,two\n", "id,text\n007,one\n12.0,two\n"] {
            assert!(read(text).expect_err("a slip").contains("one number written in two ways"));
        }
        assert_eq!(read("id,text\n007,one\n7,another\n12,two\n"), Ok(1));
    }
}
