//! Text cells of a table about items: what an encoder reads.
//!
//! | ending | rows |
//! |---|---|
//! | `.csv`, `.tsv` | text with a header line |
//! | `.parquet` | columns of texts or whole numbers |
//! | `.jsonl`, `.json`, each also with `.gz` | one JSON object per line |

use std::path::Path;

use serde_json::Value;

use super::columns::{item_place, list};
use super::delimited;
#[cfg(feature = "parquet")]
use super::parquet_cells::Texts;
#[cfg(feature = "parquet")]
use super::parquet_file::{ParquetFile, broken};
#[cfg(not(feature = "parquet"))]
use super::without_parquet::refused;
use crate::error::DataError;
use crate::lines::Lines;

/// Which cells to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Column of raw item ids; guessed from its name if `None` (`id`, `item_id`, `asin`, ...).
    pub id: Option<String>,
    /// Columns of texts, in this order; `text` if there is none.
    pub columns: Vec<String>,
}

/// Gives each row's raw item id and the cells of its columns, those that are not empty joined by blanks, to `each`,
/// in the order of the file.
///
/// # Errors
/// A file that cannot be read, a column that is not there, a cell that is no text; what `each` says of a row, with
/// its place.
pub fn read_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), DataError> {
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_lowercase();
    match name.trim_end_matches(".gz").rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv" | "tsv") if !name.ends_with(".gz") => delimited_cells(file, cells, each),
        Some("parquet") => parquet_cells(file, cells, each),
        Some("jsonl" | "json" | "ndjson") => json_cells(file, cells, each),
        _ => Err(entry(
            file,
            "its name".into(),
            "expected .csv, .tsv, .parquet, .jsonl or .jsonl.gz; convert it".into(),
        )),
    }
}

fn entry(file: &Path, place: String, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place, problem }
}

impl Cells {
    fn wanted(&self) -> Vec<&str> {
        if self.columns.is_empty() { vec!["text"] } else { self.columns.iter().map(String::as_str).collect() }
    }

    /// Where the id and the texts stand among named columns.
    fn places(&self, names: &[String]) -> Result<(usize, Vec<usize>), String> {
        let find = |name: &str| {
            let place = names.iter().position(|n| n == name);
            place.ok_or_else(|| format!("no column {name:?} among {}; name another", list(names)))
        };
        let id = match &self.id {
            Some(name) => find(name)?,
            None => find("id").or_else(|_| item_place(names))?,
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
) -> Result<(), DataError> {
    let mut rows = delimited::open(file)?;
    rows.advance().map_err(DataError::io(file))?;
    let name =
        |place| String::from_utf8_lossy(rows.cell(place)).trim_start_matches('\u{feff}').trim().to_owned();
    let names: Vec<String> = (0..rows.len()).map(name).collect();
    let (id, texts) = cells.places(&names).map_err(|problem| entry(file, "line 1".into(), problem))?;
    while rows.advance().map_err(DataError::io(file))? {
        let fault = |problem: String| entry(file, format!("line {}", rows.line()), problem);
        if rows.len() != names.len() {
            return Err(fault(format!(
                "expected {} columns, found {}; repair the line",
                names.len(),
                rows.len()
            )));
        }
        let cell = |place: usize| {
            std::str::from_utf8(rows.cell(place))
                .map_err(|_| fault(format!("column {:?} is no UTF-8; convert the file", names[place])))
        };
        let mut text = String::new();
        for &place in &texts {
            join(&mut text, cell(place)?);
        }
        each(cell(id)?.trim(), &text).map_err(fault)?;
    }
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn parquet_cells(
    file: &Path,
    _cells: &Cells,
    _each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), DataError> {
    Err(refused(file))
}

#[cfg(feature = "parquet")]
fn parquet_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), DataError> {
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
    })
}

fn json_cells(
    file: &Path,
    cells: &Cells,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), DataError> {
    let mut lines = Lines::open(file)?;
    let mut seen = vec![false; cells.wanted().len()];
    while lines.advance()? {
        if lines.is_blank() {
            continue;
        }
        let fault = |problem: String| entry(file, format!("line {}", lines.number()), problem);
        let object: serde_json::Map<String, Value> = serde_json::from_slice(lines.text())
            .map_err(|error| fault(format!("{error}, expected one JSON object per line; repair the line")))?;
        let names: Vec<String> = object.keys().cloned().collect();
        let id = match &cells.id {
            Some(name) => name,
            None if object.contains_key("id") => "id",
            None => &names[item_place(&names).map_err(fault)?],
        };
        let raw = object.get(id).and_then(plain);
        let raw = raw.ok_or_else(|| fault(format!("{id:?} is no text and no number; give the item's id")))?;
        let mut text = String::new();
        for (name, seen) in cells.wanted().into_iter().zip(&mut seen) {
            let member = object.get(name);
            *seen |= member.is_some();
            let member = member.map(|value| plain(value).ok_or(name)).transpose();
            let cell =
                member.map_err(|name| fault(format!("{name:?} is no text, number or list of texts")))?;
            join(&mut text, &cell.unwrap_or_default());
        }
        each(raw.trim(), &text).map_err(fault)?;
    }
    // A member may be left out of some objects, but one that none of them has is a slip.
    match seen.iter().position(|seen| !seen) {
        Some(place) => {
            let problem = format!("no object has a member {:?}; name another", cells.wanted()[place]);
            Err(entry(file, "the whole file".into(), problem))
        }
        None => Ok(()),
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
        let cells = Cells { id: None, columns: vec!["title".into(), "brand".into()] };
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
        let cells = Cells { id: None, columns: vec!["title".into()] };
        for (name, text, says) in [
            ("t.csv", "item,name\n1,a\n", "\"title\""),
            ("t.csv", "thing,title\n1,a\n", "item ids"),
            ("t.csv", "item,title\n1\n", "line 2"),
            ("t.jsonl", "{\"id\": 1, \"title\": \"a\"}\n{\"id\"", "line 2"),
            ("t.jsonl", "{\"id\": 1, \"title\": {}}\n", "no text"),
            ("t.jsonl", "{\"id\": 1, \"name\": \"a\"}\n", "\"title\""),
            ("t.txt", "", "expected .csv"),
        ] {
            let message = read(name, text, &cells).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
    }
}
