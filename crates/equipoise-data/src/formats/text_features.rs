//! Features as text: a column of item ids, and a column for each value or one column of lists.
//!
//! ```text
//! item_id,0,1,2             item_id,image
//! a,0.1,0.2,0.3             a,"[0.1, 0.2, 0.3]"
//! ```
//!
//! An item whose cells are empty lacks the modality.

use std::path::Path;

use super::columns::{item_place, value_places};
use super::feature_rows::{Collector, FeatureRows};
use crate::error::DataError;
use crate::quoted::quoted;
use crate::text::{TextOptions, TextRows};

/// Reads the features of the modality called `name`.
///
/// # Errors
/// A file that cannot be read, a column that is missing, a cell that is no number, rows that are not alike.
pub(super) fn read(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    let places = |names: &[String]| {
        let id = item_place(names)?;
        value_places(names, id, name).map(|values| (id, values))
    };
    let mut text = TextRows::open(path, &TextOptions::default(), &|names| places(names).is_ok())?;
    let names = text.header()?.unwrap_or_default();
    let (id, values) = places(&names).map_err(|problem| text.line_error(text.line(), problem))?;
    let mut found = collect(&mut text, path, &names, id, &values)?;
    let ids = format!("item ids from {} (guessed by its name)", quoted(&names[id]));
    let said: Vec<String> = [ids].into_iter().chain(text.said(None)).collect();
    found.notes.push(format!("{}: {}.", path.display(), said.join("; ")));
    found.notes.extend(text.notes());
    Ok(found)
}

/// The rows that are left: `id` is the place of the item ids, `values` those of the numbers, or the one of the lists. Rows without
/// any value are left out.
///
/// # Errors
/// As [`read`].
pub(super) fn collect(
    text: &mut TextRows,
    path: &Path,
    names: &[String],
    id: usize,
    values: &[usize],
) -> Result<FeatureRows, DataError> {
    let mut rows = Collector::new(path);
    while text.advance()? {
        let fault = |problem: String| text.line_error(text.line(), problem);
        text.complete().map_err(fault)?;
        let raw = text.id(id).map_err(fault)?;
        if raw.is_empty() {
            return Err(fault("no item id; fill it in".into()));
        }
        let found = match *values {
            [one] => list(text.cell(one)).map_err(|problem| in_column(&names[one], &problem)),
            _ => values_of(text, values, names),
        };
        let found = found.map_err(fault)?;
        if !found.is_empty() {
            rows.push(raw.to_owned(), &found)?;
        }
    }
    rows.finish()
}

fn in_column(name: &str, problem: &str) -> String {
    format!("column {}: {problem}", quoted(name))
}

/// The values of a row, one in each column; none if all cells are empty.
fn values_of(text: &TextRows, places: &[usize], names: &[String]) -> Result<Vec<f32>, String> {
    if places.iter().all(|&place| text.cell(place).trim().is_empty()) {
        return Ok(Vec::new());
    }
    let value = |&place: &usize| {
        number(text.cell(place).trim()).map_err(|problem| in_column(&names[place], &problem))
    };
    places.iter().map(value).collect()
}

/// The values of a cell: `[0.1, 0.2]`, `0.1 0.2` or `0.1`.
fn list(cell: &str) -> Result<Vec<f32>, String> {
    let cell = cell.trim();
    let inner = [('[', ']'), ('(', ')')]
        .iter()
        .find_map(|(open, close)| cell.strip_prefix(*open).and_then(|cell| cell.strip_suffix(*close)));
    let parts = inner.unwrap_or(cell).split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    let parts = parts.filter(|part| !part.is_empty());
    let value = |part: &str| {
        if part == "..." || part == "\u{2026}" {
            return Err("a list that was shortened when it was printed; write all of its values".to_owned());
        }
        number(part)
    };
    parts.map(value).collect()
}

fn number(cell: &str) -> Result<f32, String> {
    let value = cell.parse().ok().filter(|value: &f32| value.is_finite());
    value.ok_or_else(|| {
        format!("{}, expected a finite number; the table has item ids and numbers alone", quoted(cell))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_python_and_people_write_them() {
        for cell in ["[0.5, -1, 2e-1]", "(0.5, -1.0, 0.2)", "[ 0.5 -1.   0.2]", "0.5 -1 .2", "0.5;-1;0.2"] {
            assert_eq!(list(cell), Ok(vec![0.5, -1.0, 0.2]), "{cell}");
        }
        assert_eq!((list(""), list("[]"), list("7")), (Ok(vec![]), Ok(vec![]), Ok(vec![7.0])));
        for (cell, says) in [
            ("[0.1 ... 0.3]", "shortened"),
            ("[0.1, nan]", "\"nan\", expected a finite number"),
            ("[0.1", "\"[0.1\""),
            ("a shoe", "\"a\""),
        ] {
            let problem = list(cell).expect_err("no numbers");
            assert!(problem.contains(says), "{cell}: {problem}");
        }
    }
}
