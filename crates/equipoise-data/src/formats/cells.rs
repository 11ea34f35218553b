//! Text cells of a table about items: what an encoder reads.
//!
//! | ending | rows |
//! |---|---|
//! | `.csv`, `.tsv`, `.txt`, `.dat`, each also with `.gz` | text with a header line |
//! | `.parquet` | columns of texts or whole numbers |
//! | `.jsonl`, `.json`, each also with `.gz` | one JSON object per line, or one array of them |

use std::path::Path;

use serde_json::Value;

use super::columns::{item_column, list, untyped};
use super::files::{FileKind, item_table};
use super::json_object::{self, object};
#[cfg(feature = "parquet")]
use super::parquet_cells::Texts;
#[cfg(feature = "parquet")]
use super::parquet_file::{ParquetFile, broken};
#[cfg(not(feature = "parquet"))]
use super::without_parquet::refused;
use crate::error::DataError;
use crate::quoted::quoted;
use crate::text::{LineFault, Lines, TextOptions, TextRows};

/// Which cells to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Column of raw item ids; guessed from its name if `None` (`id`, `item_id`, `parent_asin`, `asin`, ...).
    pub id: Option<String>,
    /// Columns of texts, in this order; `text` if there is none.
    pub columns: Vec<String>,
    /// How a file of text is read.
    pub text: TextOptions,
}

/// Gives each row's raw item id and the cells of its columns, those that are not empty joined by blanks, to `each`,
/// in the order of the file. The result says what was guessed, passed over or understood leniently, a sentence each.
///
/// # Errors
/// A file that cannot be read, a column that is not there, a cell that is no text; what `each` says of a row, with
/// its place.
pub fn read_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, DataError> {
    match item_table(file, &cells.text)? {
        FileKind::Text => delimited_cells(file, cells, each),
        FileKind::Parquet => parquet_cells(file, cells, each),
        FileKind::Objects => json_cells(file, cells, each),
    }
}

fn entry(file: &Path, place: String, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place, problem }
}

/// A note about a file.
fn note(file: &Path, sentence: &str) -> String {
    format!("{}: {sentence}.", file.display())
}

impl Cells {
    fn wanted(&self) -> Vec<&str> {
        if self.columns.is_empty() { vec!["text"] } else { self.columns.iter().map(String::as_str).collect() }
    }

    /// The column of ids in words, if nobody named it.
    fn said(&self, name: &str) -> Option<String> {
        self.id.is_none().then(|| format!("item ids from {} (guessed by its name)", quoted(name)))
    }

    /// Where the id and the texts stand among named columns.
    fn places(&self, names: &[String]) -> Result<(usize, Vec<usize>), String> {
        let find = |name: &str| {
            let place = names.iter().position(|n| n == name || untyped(n) == name);
            place.ok_or_else(|| format!("no column {} among {}; name another", quoted(name), list(names)))
        };
        let id = match &self.id {
            Some(name) => find(name)?,
            None => item_column(names)?,
        };
        Ok((id, self.wanted().into_iter().map(find).collect::<Result<_, _>>()?))
    }
}

/// Adds a cell to those before it.
fn join(text: &mut String, cell: &str) {
    let cell = cell.trim();
    if !cell.is_empty() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(cell);
    }
}

fn delimited_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, DataError> {
    let mut rows = TextRows::open(file, &cells.text, &|names| cells.places(names).is_ok())?;
    let Some(names) = rows.header()? else {
        return Err(entry(
            file,
            "line 1".into(),
            "the file is empty, expected a header; give the table".into(),
        ));
    };
    let (id, texts) = cells.places(&names).map_err(|problem| rows.line_error(rows.line(), problem))?;
    let said: Vec<String> = cells.said(&names[id]).into_iter().chain(rows.said(None)).collect();
    let (mut notes, mut any) = (Vec::new(), false);
    if !said.is_empty() {
        notes.push(note(file, &said.join("; ")));
    }
    while rows.advance()? {
        any = true;
        let fault = |problem: String| rows.line_error(rows.line(), problem);
        rows.complete().map_err(fault)?;
        let mut text = String::new();
        texts.iter().for_each(|&place| join(&mut text, rows.cell(place)));
        rows.id(id).and_then(|raw| each(raw, &text)).map_err(fault)?;
    }
    if !any {
        return Err(entry(
            file,
            "the whole table".into(),
            "no rows, only a header: it is empty; fill it".into(),
        ));
    }
    notes.extend(rows.notes());
    Ok(notes)
}

#[cfg(not(feature = "parquet"))]
fn parquet_cells(
    file: &Path,
    _cells: &Cells,
    _each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, DataError> {
    Err(refused(file))
}

#[cfg(feature = "parquet")]
fn parquet_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, DataError> {
    let table = ParquetFile::open(file)?;
    let names = table.names();
    let (id, texts) = cells.places(&names).map_err(|problem| broken(file, problem))?;
    let mut wanted: Vec<usize> = texts.iter().copied().chain([id]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let among = |place: usize| wanted.iter().position(|&w| w == place).expect("all places are wanted");
    table.read(&wanted, |first, batch| {
        let column = |place: usize| {
            let cells = batch.column(among(place));
            let problem = |unfit: super::parquet_cells::Unfit| {
                unfit.words(&names[place], cells, first, "texts or whole numbers")
            };
            Texts::of(cells).map_err(|unfit| broken(file, problem(unfit)))
        };
        let ids = column(id)?;
        let columns = texts.iter().map(|&place| column(place)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let mut text = String::new();
            for column in &columns {
                column.with(row, |cell| join(&mut text, cell.unwrap_or_default()));
            }
            let taken = ids.with(row, |raw| each(raw.unwrap_or_default().trim(), &text));
            taken.map_err(|problem| broken(file, format!("row {}: {problem}", first + row)))?;
        }
        Ok(())
    })?;
    Ok(cells.said(&names[id]).map(|said| note(file, &said)).into_iter().collect())
}

/// What was read of a file of objects.
struct Objects<'a> {
    cells: &'a Cells,
    /// Whether an object had the member of each column.
    seen: Vec<bool>,
    /// Name of the member with the ids, of the first object.
    id: Option<String>,
    /// Values `NaN` or infinite, which count as missing.
    not_numbers: u64,
    any: bool,
}

fn json_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, DataError> {
    let mut lines = Lines::open_objects(file, cells.text.encoding)?;
    let seen = vec![false; cells.wanted().len()];
    let mut objects = Objects { cells, seen, id: None, not_numbers: 0, any: false };
    while lines.advance()? {
        if !lines.is_blank() {
            objects.row(&lines, each).map_err(|fault| lines.fault(fault))?;
        }
    }
    objects.notes(file, &lines)
}

impl Objects<'_> {
    /// Reads one object.
    fn row(
        &mut self,
        lines: &Lines,
        each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
    ) -> Result<(), LineFault> {
        let object = object(lines.utf8()?.as_bytes(), &mut self.not_numbers)?;
        let names: Vec<String> = object.keys().cloned().collect();
        let id = match &self.cells.id {
            Some(name) => name,
            None => &names[item_column(&names).map_err(LineFault::whole)?],
        };
        let raw = object.get(id).map_or(Err("is not there"), json_object::id).map_err(|problem| {
            LineFault::whole(format!("{} {problem}; write the item's id as a text", quoted(id)))
        })?;
        let mut text = String::new();
        for (name, seen) in self.cells.wanted().into_iter().zip(&mut self.seen) {
            let member = object.get(name);
            *seen |= member.is_some();
            let cell = member.map_or(Some(String::new()), plain).ok_or_else(|| {
                LineFault::whole(format!(
                    "{} is no text, number or list of texts; name another column, or write it as text",
                    quoted(name)
                ))
            })?;
            join(&mut text, &cell);
        }
        self.any = true;
        if self.id.is_none() {
            self.id = Some(id.to_owned());
        }
        each(raw.trim(), &text).map_err(LineFault::whole)
    }

    /// What was guessed and replaced.
    ///
    /// # Errors
    /// If there is no object, or none has a member that is asked for: a member may be left out of some objects, but one
    /// that none of them has is a slip.
    fn notes(self, file: &Path, lines: &Lines) -> Result<Vec<String>, DataError> {
        let whole = |problem: String| entry(file, "the whole file".into(), problem);
        if !self.any {
            return Err(whole("no object: the file is empty, expected one per line; fill it".into()));
        }
        if let Some(place) = self.seen.iter().position(|seen| !seen) {
            let name = quoted(self.cells.wanted()[place]);
            return Err(whole(format!("no object has a member {name}; name another")));
        }
        let said = self.id.and_then(|id| self.cells.said(&id)).into_iter();
        let array = lines.is_array().then(|| "one JSON array instead of an object per line".to_owned());
        let said: Vec<String> = said.chain(array).chain(lines.said_encoding()).collect();
        let mut notes = Vec::new();
        if !said.is_empty() {
            notes.push(note(file, &said.join("; ")));
        }
        if self.not_numbers > 0 {
            notes.push(note(file, &format!("{} values NaN or Infinity count as missing", self.not_numbers)));
        }
        Ok(notes)
    }
}

/// A text, a number in decimals, a list of them joined by blanks, or nothing for null.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            let mut text = String::new();
            for value in values {
                join(&mut text, &plain(value)?);
            }
            Some(text)
        }
        Value::Bool(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str, cells: &Cells) -> Result<Vec<(String, String)>, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("write");
        let mut found = Vec::new();
        let mut each = |id: &str, text: &str| {
            found.push((id.to_owned(), text.to_owned()));
            Ok(())
        };
        read_cells(&file, cells, &mut each).map_err(|error| error.to_string())?;
        Ok(found)
    }

    #[test]
    fn the_same_table_in_three_formats_gives_the_same_cells() {
        let cells = Cells { columns: vec!["title".into(), "brand".into()], ..Cells::default() };
        let expected = vec![("7".to_owned(), "A, b c".to_owned()), ("x".to_owned(), "d".to_owned())];
        let csv = "brand,item_id,title\n c,7,\"A, b\"\nd,x,\n";
        let tsv = "brand\titem_id\ttitle\nc\t7\tA, b\nd\tx\t\n";
        let json = "{\"item_id\": 7, \"title\": [\"A,\", \"b\"], \"brand\": \"c\"}\n\n{\"brand\": \"d\", \"item_id\": \"x\"}\n";
        for (name, text) in [("t.csv", csv), ("t.tsv", tsv), ("t.jsonl", json)] {
            assert_eq!(read(name, text, &cells), Ok(expected.clone()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let cells = Cells { columns: vec!["title".into()], ..Cells::default() };
        for (name, text, says) in [
            ("t.csv", "item,name\n1,a\n", "\"title\""),
            ("t.csv", "thing,title\n1,a\n", "item ids"),
            ("t.csv", "item,title\n1\n", "line 2"),
            ("t.jsonl", "{\"id\": 1, \"title\": \"a\"}\n{\"id\"", "line 2"),
            ("t.jsonl", "{\"id\": 1, \"title\": {}}\n", "no text"),
            ("t.jsonl", "{\"id\": 1, \"name\": \"a\"}\n", "\"title\""),
            ("t.doc", "", "expected .csv"),
            ("t.csv", "id,title\n", "only a header"),
            ("t.csv", "", "empty"),
            ("t.jsonl", "\n", "empty"),
            ("t.csv", "id,title\n1,\"a\n2,b\n", "line 2"),
            ("t.tsv", "id\ttitle\n\"1\ta\n2\tb\n", "line 2"),
            ("t.json", "{\n\"id\": 1}", "several lines"),
            ("t.json", "[{\"id\": 1, \"title\": 2}", "never closed"),
        ] {
            let message = read(name, text, &cells).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
    }
}
