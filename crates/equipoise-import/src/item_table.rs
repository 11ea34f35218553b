//! What a table says of the items of a data set: titles, pictures and attributes, for `items.jsonl`.
//!
//! Entities of HTML are decoded in every text. Of a text file, a column whose cells are all numbers holds numbers; in other files values
//! have the types that they were written with. What is guessed is said in the notes.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use equipoise_data::formats::read_item_rows;
use equipoise_data::{DataError, TextOptions, quoted, write_atomic};
use html_escape::decode_html_entities;
use serde_json::{Map, Value};

/// Names of the columns of a table of items; those not given are guessed by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemColumns {
    /// Raw item ids.
    pub id: Option<String>,
    /// Titles.
    pub title: Option<String>,
    /// Paths or addresses of pictures.
    pub picture: Option<String>,
    /// How a text file is read.
    pub text: TextOptions,
}

/// What a table says of items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemKnowledge {
    /// By item; `None` where there is no row.
    rows: Vec<Option<Map<String, Value>>>,
    /// Rows about items that are not in the data set.
    pub unknown: usize,
    /// Further rows about an item: the first is kept.
    pub repeated: usize,
    /// Texts in which entities of HTML were decoded.
    pub decoded: usize,
    /// What was guessed, left out or understood leniently, a sentence each.
    pub notes: Vec<String>,
}

const TITLES: [&str; 9] = [
    "title",
    "name",
    "itemtitle",
    "itemname",
    "producttitle",
    "productname",
    "movietitle",
    "trackname",
    "videotitle",
];
const PICTURES: [&str; 11] = [
    "picture",
    "pictureurl",
    "image",
    "imageurl",
    "imurl",
    "img",
    "imgurl",
    "poster",
    "posterurl",
    "cover",
    "thumbnail",
];

impl ItemKnowledge {
    /// Reads the rows about the items with these raw ids.
    ///
    /// # Errors
    /// If the table cannot be read, a column that was named is not there, or no row is about one of the items.
    pub fn read(file: &Path, ids: &[String], columns: &ItemColumns) -> Result<ItemKnowledge, DataError> {
        let index: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
        let mut table = ItemKnowledge { rows: vec![None; ids.len()], ..ItemKnowledge::default() };
        let mut stranger = None;
        for (raw, row) in read_item_rows(file, columns.id.as_deref(), &columns.text, &mut table.notes)? {
            match index.get(raw.as_str()) {
                None => {
                    table.unknown += 1;
                    stranger.get_or_insert(raw);
                }
                Some(&item) if table.rows[item].is_some() => table.repeated += 1,
                Some(&item) => table.rows[item] = Some(row),
            }
        }
        if table.is_empty() {
            let theirs = stranger.map_or_else(String::new, |raw| quoted(&raw).to_string());
            let ours = ids.first().map_or_else(String::new, |raw| quoted(raw).to_string());
            let problem = format!(
                "no row is about an item of the data set: items are called {theirs} here, {ours} there; use the same ids"
            );
            return Err(DataError::Entry { file: file.to_owned(), place: "the whole table".into(), problem });
        }
        table.decode();
        table.rename(file, "title", columns.title.as_deref(), &TITLES)?;
        table.rename(file, "picture", columns.picture.as_deref(), &PICTURES)?;
        table.count(file);
        Ok(table)
    }

    /// Nothing of so many items yet.
    pub fn nothing(items: usize) -> ItemKnowledge {
        ItemKnowledge { rows: vec![None; items], ..ItemKnowledge::default() }
    }

    /// Says where the pictures of items are, by their places, unless a table has said so; how many are new.
    pub fn add_pictures(&mut self, pictures: impl IntoIterator<Item = (usize, String)>) -> usize {
        let mut added = 0;
        for (item, picture) in pictures {
            let row = self.rows[item].get_or_insert_default();
            if !row.contains_key("picture") {
                row.insert("picture".into(), picture.into());
                added += 1;
            }
        }
        added
    }

    /// Whether there is no row about an item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of items of which something is said.
    pub fn len(&self) -> usize {
        self.rows.iter().flatten().count()
    }

    /// What is said of items, by their places.
    pub fn rows(&self) -> impl Iterator<Item = (u32, &Map<String, Value>)> {
        (0..).zip(&self.rows).filter_map(|(item, row)| Some((item, row.as_ref()?)))
    }

    /// Writes one JSON object a line, with the `id`, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub fn write(&self, path: &Path, ids: &[String]) -> Result<(), DataError> {
        let written = write_atomic(path, |file| {
            for (item, row) in self.rows() {
                file.write_all(line(&ids[item as usize], row.clone()).as_bytes())?;
            }
            Ok(())
        });
        written.map_err(DataError::io(path))
    }

    fn decode(&mut self) {
        for row in self.rows.iter_mut().flatten() {
            row.values_mut().for_each(|value| self.decoded += decode(value));
            row.retain(|_, value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        }
    }

    /// Calls a column `to`: the one that was named, or the first of these guesses.
    fn rename(
        &mut self,
        file: &Path,
        to: &str,
        named: Option<&str>,
        guesses: &[&str],
    ) -> Result<(), DataError> {
        let names = self.names();
        let from = match named {
            Some(name) if names.contains_key(name) => name.to_owned(),
            Some(name) => {
                let found: Vec<String> = names.keys().map(|name| quoted(name).to_string()).collect();
                let problem = format!(
                    "no column {} with a value among {}; name another",
                    quoted(name),
                    found.join(", ")
                );
                let place = "the whole table".into();
                return Err(DataError::Entry { file: file.to_owned(), place, problem });
            }
            None => {
                let plain = |name: &str| name.replace(['_', '-', ' '], "").to_lowercase();
                let guess = guesses.iter().find_map(|guess| names.keys().find(|name| plain(name) == *guess));
                let Some(name) = guess else { return Ok(()) };
                name.clone()
            }
        };
        if from == to {
            return Ok(());
        }
        for row in self.rows.iter_mut().flatten() {
            if let Some(value) = row.shift_remove(&from) {
                row.insert(to.to_owned(), value);
            }
        }
        if named.is_none() {
            self.notes.push(format!(
                "{}: {to}s from {} (guessed by its name).",
                file.display(),
                quoted(&from)
            ));
        }
        Ok(())
    }

    /// Names of all columns with a value, and the number of their values.
    fn names(&self) -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        for name in self.rows.iter().flatten().flat_map(Map::keys) {
            *names.entry(name.clone()).or_default() += 1;
        }
        names
    }

    /// Says what did not match.
    fn count(&mut self, file: &Path) {
        let (unknown, repeated) = (self.unknown, self.repeated);
        let without = self.rows.len() - self.len();
        for (count, what) in [
            (unknown, "rows are about items that are not in the data set, and were left out"),
            (repeated, "rows are about an item that had one; the first of each is kept"),
            (without, "items of the data set have no row"),
        ] {
            if count > 0 {
                self.notes.push(format!("{}: {count} {what}.", file.display()));
            }
        }
    }
}

/// A line of `items.jsonl`: the id, title and picture first, whatever the order of the columns.
pub(crate) fn line(id: &str, mut row: Map<String, Value>) -> String {
    let mut object = Map::new();
    object.insert("id".into(), Value::from(id));
    for name in ["title", "picture"] {
        object.extend(row.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    object.extend(row.into_iter().filter(|(name, _)| name != "id"));
    format!("{}\n", Value::Object(object))
}

/// Decodes the entities of every text in a value, once; the number of texts that had some.
pub(crate) fn decode(value: &mut Value) -> usize {
    match value {
        Value::String(text) if text.contains('&') => {
            let plain = decode_html_entities(text.as_str()).into_owned();
            let changed = plain != *text;
            *text = plain;
            usize::from(changed)
        }
        Value::Array(values) => values.iter_mut().map(decode).sum(),
        Value::Object(members) => members.values_mut().map(decode).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str, columns: &ItemColumns) -> Result<ItemKnowledge, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("written");
        let ids = ["a", "b", "c"].map(String::from);
        ItemKnowledge::read(&file, &ids, columns).map_err(|error| error.to_string())
    }

    fn lines(table: &ItemKnowledge) -> String {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("items.jsonl");
        table.write(&path, &["a", "b", "c"].map(String::from)).expect("written");
        std::fs::read_to_string(path).expect("read")
    }

    #[test]
    fn titles_numbers_and_entities_are_recognised_and_said() {
        let text = "item_id,Product Name,price,code,image\nb,Salt &amp; Pepper,3.5,007,p/1.png\na,Cup,12,8,\nz,Pot,1,9,\n\
                    a,Mug,1,1,\n";
        let table = read("t.csv", text, &ItemColumns::default()).unwrap();
        assert_eq!(
            lines(&table),
            "{\"id\":\"a\",\"title\":\"Cup\",\"price\":12,\"code\":\"8\"}\n\
             {\"id\":\"b\",\"title\":\"Salt & Pepper\",\"picture\":\"p/1.png\",\"price\":3.5,\"code\":\"007\"}\n"
        );
        assert_eq!((table.unknown, table.repeated, table.decoded, table.len()), (1, 1, 1, 2));
        let notes = table.notes.join("\n");
        for said in ["titles from \"Product Name\"", "pictures from \"image\"", "numbers in \"price\""] {
            assert!(notes.contains(said), "{said}: {notes}");
        }
        assert!(notes.contains("1 items of the data set have no row"), "{notes}");
    }

    #[test]
    fn columns_can_be_named_and_values_of_json_keep_their_types() {
        let text = "{\"sku\": \"c\", \"label\": \"Cup\", \"title\": \"x\", \"tags\": [\"A&amp;B\"], \"price\": \"3\"}\n";
        let columns =
            ItemColumns { id: Some("sku".into()), title: Some("label".into()), ..ItemColumns::default() };
        let table = read("t.jsonl", text, &columns).unwrap();
        assert_eq!(lines(&table), "{\"id\":\"c\",\"title\":\"Cup\",\"tags\":[\"A&B\"],\"price\":\"3\"}\n");
        let none = ItemColumns { picture: Some("photo".into()), ..columns };
        assert!(read("t.jsonl", text, &none).unwrap_err().contains("no column \"photo\""));
    }

    #[test]
    fn a_table_of_other_items_is_refused() {
        let error = read("t.csv", "id,title\n1,Cup\n", &ItemColumns::default()).unwrap_err();
        assert!(
            error.contains("no row is about an item") && error.contains("\"1\"") && error.contains("\"a\""),
            "{error}"
        );
        let error = read("t.csv", "id,title\n,Cup\n", &ItemColumns::default()).unwrap_err();
        assert!(error.contains("line 2") && error.contains("the item id is empty"), "{error}");
    }
}
