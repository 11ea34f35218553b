//! Rows of a table about items with everything that they say, as JSON values.
//!
//! | ending | values |
//! |---|---|
//! | `.csv`, `.tsv`, `.txt`, `.dat`, each also with `.gz` | texts; empty cells are left out; a column whose cells are all numbers becomes numbers, which is said |
//! | `.parquet` | texts, whole numbers, numbers, truth values and lists of texts; empty cells are left out |
//! | `.jsonl`, `.json`, each also with `.gz` | whatever the objects hold; `null` is left out |

use std::path::Path;

use serde_json::{Map, Value};

use super::columns::{item_column, untyped};
use super::files::{FileKind, item_table};
use crate::error::DataError;
use crate::quoted::{quoted, quoted_names, short};
use crate::text::{LineFault, Lines, TextOptions, TextRows, without_nan};

/// A row: the raw id of its item, and everything else by the name of its column.
pub type ItemRow = (String, Map<String, Value>);

/// Reads every row in the order of the file. The column of ids is `id`, or is guessed by its name. The notes say what was guessed, passed over or understood leniently.
///
/// # Errors
/// A file that cannot be read, a row without an id, a cell of a kind that is not listed above.
pub fn read_item_rows(
    file: &Path,
    id: Option<&str>,
    text: &TextOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<ItemRow>, DataError> {
    let rows = match item_table(file, text)? {
        FileKind::Text => delimited(file, id, text, notes),
        FileKind::Parquet => parquet(file, id, notes),
        FileKind::Objects => objects(file, id, text, notes),
    }?;
    if rows.is_empty() {
        Err(entry(file, "the whole file", "no row: it is empty; fill it".into()))
    } else {
        Ok(rows)
    }
}

fn entry(file: &Path, place: &str, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place: place.to_owned(), problem }
}

/// Where the id stands: in the column that was named, in `id`, or in what its name says.
fn id_place(names: &[String], id: Option<&str>) -> Result<usize, String> {
    let find = |name: &str| names.iter().position(|n| n == name);
    match id {
        Some(id) => find(id).ok_or_else(|| {
            let names = quoted_names(names.iter().map(String::as_str));
            format!("no column {} among {names}; name another", quoted(id))
        }),
        None => item_column(names),
    }
}

/// Says which column the ids are from, if that was guessed.
fn said(file: &Path, id: Option<&str>, name: &str, notes: &mut Vec<String>) {
    if id.is_none() && name != "id" {
        notes.push(format!("{}: item ids from {} (guessed by its name).", file.display(), quoted(name)));
    }
}

fn delimited(
    file: &Path,
    id: Option<&str>,
    text: &TextOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<ItemRow>, DataError> {
    let mut rows = TextRows::open(file, text, &|names| id_place(names, id).is_ok())?;
    let Some(names) = rows.header()? else { return Ok(Vec::new()) };
    let names: Vec<String> = names.iter().map(|name| untyped(name).to_owned()).collect();
    let place_of_id = id_place(&names, id).map_err(|problem| rows.line_error(rows.line(), problem))?;
    said(file, id, &names[place_of_id], notes);
    let id = place_of_id;
    let mut found: Vec<ItemRow> = Vec::new();
    while rows.advance()? {
        let fault = |problem: String| rows.line_error(rows.line(), problem);
        rows.complete().map_err(fault)?;
        let raw = rows.id(id).map_err(fault)?;
        if raw.is_empty() {
            return Err(fault("the item id is empty; fill it in or remove the row".into()));
        }
        let cells = names.iter().enumerate().filter(|(place, _)| *place != id);
        let cells =
            cells.map(|(place, name)| (name, rows.cell(place).trim())).filter(|(_, cell)| !cell.is_empty());
        let row = cells.map(|(name, cell)| (name.clone(), Value::from(cell))).collect();
        found.push((raw.to_owned(), row));
    }
    notes.extend(rows.said(None).into_iter().map(|what| format!("{}: {what}.", file.display())));
    notes.extend(rows.notes());
    numbers(file, &names, &mut found, notes);
    Ok(found)
}

/// Turns columns whose cells are all numbers into numbers.
fn numbers(file: &Path, names: &[String], rows: &mut [ItemRow], notes: &mut Vec<String>) {
    let number = |cell: &Value| -> Option<Value> {
        let text = cell.as_str()?;
        // What JSON does not take as a number, such as 007 or 1e999, stays a text.
        serde_json::from_str::<serde_json::Number>(text).ok().map(Value::Number)
    };
    let whole = |name: &&String| {
        let mut cells = rows.iter().filter_map(|(_, row)| row.get(*name)).peekable();
        cells.peek().is_some() && cells.all(|cell| number(cell).is_some())
    };
    let numeric: Vec<String> = names.iter().filter(whole).cloned().collect();
    for (_, row) in rows {
        for name in &numeric {
            if let Some(cell) = row.get_mut(name) {
                *cell = number(cell).expect("every cell of the column is one");
            }
        }
    }
    if !numeric.is_empty() {
        notes.push(format!(
            "{}: numbers in {} (every cell is one).",
            file.display(),
            quoted_names(numeric.iter().map(String::as_str))
        ));
    }
}

fn objects(
    file: &Path,
    id: Option<&str>,
    text: &TextOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<ItemRow>, DataError> {
    let mut lines = Lines::open_objects(file, text.encoding)?;
    let (mut found, mut not_numbers, mut id_name) = (Vec::new(), 0, None);
    while lines.advance()? {
        if lines.is_blank() {
            continue;
        }
        let row = object(lines.utf8().map_err(|fault| lines.fault(fault))?.as_bytes(), &mut not_numbers);
        let row = row.and_then(|mut row| {
            let names: Vec<String> = row.keys().cloned().collect();
            let name = names[id_place(&names, id).map_err(LineFault::whole)?].clone();
            let raw = match row.shift_remove(&name) {
                Some(Value::String(raw)) if !raw.trim().is_empty() => raw.trim().to_owned(),
                Some(Value::Number(raw)) => raw.to_string(),
                _ => return Err(LineFault::whole(format!("{} is no text and no number", quoted(&name)))),
            };
            id_name.get_or_insert(name);
            Ok((raw, row.into_iter().filter(|(_, value)| !value.is_null()).collect()))
        });
        found.push(row.map_err(|fault| lines.fault(fault))?);
    }
    id_name.iter().for_each(|name| said(file, id, name, notes));
    if not_numbers > 0 {
        notes.push(format!("{}: {not_numbers} values NaN or Infinity count as missing.", file.display()));
    }
    Ok(found)
}

fn object(line: &[u8], not_numbers: &mut u64) -> Result<Map<String, Value>, LineFault> {
    let wrong = |error: serde_json::Error| {
        let text = short(&error.to_string());
        LineFault::whole(format!("{text}, expected one JSON object per line; repair the line"))
    };
    serde_json::from_slice(line).or_else(|error| {
        let (text, count) = without_nan(line).ok_or_else(|| wrong(error))?;
        *not_numbers += count;
        serde_json::from_slice(&text).map_err(wrong)
    })
}

#[cfg(not(feature = "parquet"))]
fn parquet(file: &Path, _id: Option<&str>, _notes: &mut Vec<String>) -> Result<Vec<ItemRow>, DataError> {
    Err(super::without_parquet::refused(file))
}

#[cfg(feature = "parquet")]
fn parquet(file: &Path, id: Option<&str>, notes: &mut Vec<String>) -> Result<Vec<ItemRow>, DataError> {
    use super::parquet_cells::{Texts, values};
    use super::parquet_file::{ParquetFile, broken};
    let table = ParquetFile::open(file)?;
    let names = table.names();
    let place_of_id = id_place(&names, id).map_err(|problem| broken(file, problem))?;
    said(file, id, &names[place_of_id], notes);
    let id = place_of_id;
    let mut found: Vec<ItemRow> = Vec::new();
    let all: Vec<usize> = (0..names.len()).collect();
    table.read(&all, |first, batch| {
        let unfit = |place: usize, unfit: super::parquet_cells::Unfit, expected: &str| {
            broken(file, unfit.words(&names[place], batch.column(place), first, expected))
        };
        let ids = Texts::of(batch.column(id)).map_err(|u| unfit(id, u, "texts or whole numbers"))?;
        let start = found.len();
        for row in 0..batch.num_rows() {
            let raw = ids.with(row, |raw| raw.map(|raw| raw.trim().to_owned())).filter(|raw| !raw.is_empty());
            let raw =
                raw.ok_or_else(|| broken(file, format!("row {} has no id; fill it in", first + row)))?;
            found.push((raw, Map::new()));
        }
        for place in all.iter().copied().filter(|&place| place != id) {
            let cells = values(batch.column(place))
                .map_err(|u| unfit(place, u, "texts, numbers, truth values or lists of texts"))?;
            for ((_, row), cell) in found[start..].iter_mut().zip(cells).filter(|(_, cell)| !cell.is_null()) {
                row.insert(names[place].clone(), cell);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(name: &str, text: &str) -> Result<(Vec<ItemRow>, Vec<String>), String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("written");
        let mut notes = Vec::new();
        let rows =
            read_item_rows(&file, None, &TextOptions::default(), &mut notes).map_err(|e| e.to_string())?;
        Ok((rows, notes))
    }

    #[test]
    fn a_table_and_objects_say_the_same() {
        let expected = json!({"title": "A, b", "price": 3.5});
        let csv = read("t.csv", "item_id,title,price\n7,\"A, b\",3.5\nx,,12\n").expect("sound");
        assert_eq!(csv.0[0], ("7".into(), expected.as_object().expect("an object").clone()));
        assert_eq!((csv.0[1].0.as_str(), Value::from(csv.0[1].1.clone())), ("x", json!({"price": 12})));
        assert!(csv.1.iter().any(|note| note.contains("\"item_id\"")), "{:?}", csv.1);
        assert!(csv.1.iter().any(|note| note.contains("\"price\"")), "{:?}", csv.1);
        let lines = "{\"id\": 7, \"title\": \"A, b\", \"price\": 3.5, \"brand\": null}\n";
        assert_eq!(read("t.jsonl", lines).expect("sound").0, csv.0[..1]);
    }

    #[test]
    fn numbers_that_are_names_stay_texts() {
        let (rows, _) = read("t.csv", "id,code,size\na,007,1\nb,8,large\n").expect("sound");
        assert_eq!(Value::from(rows[0].1.clone()), json!({"code": "007", "size": "1"}));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        for (name, text, says) in [
            ("t.csv", "title\nA\n", "item ids"),
            ("t.csv", "id,title\n,A\n", "line 2"),
            ("t.csv", "id,title\n", "empty"),
            ("t.jsonl", "{\"title\": \"A\"}\n", "line 1"),
            ("t.jsonl", "{\"id\": [1]}\n", "no text"),
            ("t.jsonl", "[1, 2", "line 1"),
            ("t.xlsx", "", "expected .csv"),
        ] {
            let message = read(name, text).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
    }
}
