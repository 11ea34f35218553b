//! Features joined to items by raw id: which row is whose, and which items have none.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use super::sources::FeatureRows;
use crate::error::DataError;
use crate::features::Features;

/// The items that features are joined to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Catalogue<'a> {
    /// Items are row numbers: as many as there are rows.
    Numbered,
    /// Items by raw id; the order of the first `listed` is known to whoever made the features.
    Named { ids: &'a [String], listed: usize },
}

/// Ids shown of those that do not match.
const SHOWN: usize = 3;

/// Features with the row of each item.
#[derive(Debug)]
pub(crate) struct ItemRows {
    pub(crate) features: Features,
    /// Type in the file.
    pub(crate) dtype: &'static str,
    /// The row of each item, `None` for an item without one; absent if row `i` is item `i`'s.
    pub(crate) row_of: Option<Vec<Option<usize>>>,
}

/// Finds the row of every item; the notes say what did not match on either side.
///
/// # Errors
/// [`DataError::Entry`] if the rows cannot be told apart, or none of them matches an item.
pub(crate) fn join(
    name: &str,
    file: &Path,
    rows: FeatureRows,
    items: Catalogue<'_>,
    notes: &mut Vec<String>,
) -> Result<ItemRows, DataError> {
    let fault = |problem: String| DataError::Entry {
        file: file.to_owned(),
        place: format!("features of {name:?}"),
        problem,
    };
    let FeatureRows { ids, features, dtype } = rows;
    let Some((wanted, keys)) = names(items, ids, features.rows()).map_err(fault)? else {
        return Ok(ItemRows { features, dtype, row_of: None });
    };
    let row_of = match_up(&wanted, &keys);
    if row_of.iter().all(Option::is_none) {
        let (theirs, ours) = (shown(keys.iter()), shown(wanted.iter()));
        return Err(fault(format!(
            "no row matches an item: rows are called {theirs}, items {ours}; use the same ids"
        )));
    }
    report(name, &wanted, &keys, &row_of, notes);
    Ok(ItemRows { features, dtype, row_of: Some(row_of) })
}

/// Names of items, by index.
type Names<'a> = Cow<'a, [String]>;

/// The names of the items and those of the rows; `None` if the rows are in the order of the items.
fn names(
    items: Catalogue<'_>,
    keys: Option<Vec<String>>,
    rows: usize,
) -> Result<Option<(Names<'_>, Vec<String>)>, String> {
    let decimals = |n: usize| (0..n).map(|row| row.to_string()).collect::<Vec<_>>();
    Ok(match (items, keys) {
        (Catalogue::Numbered, None) => None,
        (Catalogue::Numbered, Some(keys)) => Some((decimals(highest(&keys)? + 1).into(), keys)),
        (Catalogue::Named { ids, .. }, Some(keys)) => Some((ids.into(), keys)),
        (Catalogue::Named { ids, listed }, None) if listed == ids.len() => None,
        (Catalogue::Named { ids, listed }, None) if listed > 0 && listed == rows => {
            Some((ids.into(), ids[..listed].to_vec()))
        }
        (Catalogue::Named { ids, listed: 0 }, None) if ids.iter().all(|id| within(id, rows)) => {
            Some((ids.into(), decimals(rows)))
        }
        (Catalogue::Named { listed: 0, .. }, None) => {
            return Err(format!(
                "{rows} rows without ids, while items go by raw ids: which row is whose? Add item_list.txt (raw id, \
                 tab, row), or give features with ids"
            ));
        }
        (Catalogue::Named { listed, .. }, None) => {
            return Err(format!(
                "{rows} rows, expected {listed} as the item list has; give every listed item a row"
            ));
        }
    })
}

fn within(id: &str, rows: usize) -> bool {
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    // "07" is not the decimal of 7.
    digits && (id.len() == 1 || !id.starts_with('0')) && id.parse::<usize>().is_ok_and(|n| n < rows)
}

fn highest(keys: &[String]) -> Result<usize, String> {
    let limit = 16 * keys.len() + 1_000_000;
    let wrong = keys.iter().find(|key| !within(key, limit));
    match wrong {
        Some(key) => Err(format!("id {key:?}, expected item numbers from 0; add item_list.txt for raw ids")),
        None => Ok(keys.iter().filter_map(|key| key.parse().ok()).max().unwrap_or(0)),
    }
}

/// The row of each item.
fn match_up(items: &[String], keys: &[String]) -> Vec<Option<usize>> {
    let rows: HashMap<&str, usize> = keys.iter().map(String::as_str).zip(0..).collect();
    items.iter().map(|id| rows.get(id.as_str()).copied()).collect()
}

fn shown<'a>(ids: impl Iterator<Item = &'a String>) -> String {
    let ids: Vec<String> = ids.take(SHOWN + 1).map(|id| format!("{id:.60?}")).collect();
    match ids.get(..SHOWN) {
        Some(first) if ids.len() > SHOWN => format!("{}, ...", first.join(", ")),
        _ => ids.join(", "),
    }
}

fn report(name: &str, items: &[String], keys: &[String], row_of: &[Option<usize>], notes: &mut Vec<String>) {
    let without: Vec<&String> =
        items.iter().zip(row_of).filter(|(_, row)| row.is_none()).map(|(id, _)| id).collect();
    if !without.is_empty() {
        let ids = shown(without.iter().copied());
        notes.push(format!(
            "{name}: {} of {} items have no row and were given the mean row: {ids}.",
            without.len(),
            items.len()
        ));
    }
    let mut used = vec![false; keys.len()];
    row_of.iter().flatten().for_each(|&row| used[row] = true);
    let left: Vec<&String> = keys.iter().zip(&used).filter(|(_, used)| !**used).map(|(key, _)| key).collect();
    if !left.is_empty() {
        let ids = shown(left.iter().copied());
        notes.push(format!(
            "{name}: {} of {} rows match no item and were left out: {ids}.",
            left.len(),
            keys.len()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn rows(keys: Option<&[&str]>) -> FeatureRows {
        let features = Features::new(3, 2, vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0]).expect("finite");
        FeatureRows { ids: keys.map(ids), features, dtype: "float32" }
    }

    fn joined(
        items: &[&str],
        listed: usize,
        keys: Option<&[&str]>,
    ) -> (Result<Vec<Option<usize>>, String>, Vec<String>) {
        let (items, mut notes) = (ids(items), Vec::new());
        let catalogue = Catalogue::Named { ids: &items, listed };
        let result = join("text", Path::new("f"), rows(keys), catalogue, &mut notes);
        let rows = result.map(|found| found.row_of.unwrap_or_else(|| (0..3).map(Some).collect()));
        (rows.map_err(|e| e.to_string()), notes)
    }

    #[test]
    fn rows_find_their_items_whatever_the_order_and_the_rest_is_said() {
        let (rows, notes) = joined(&["b", "x", "c"], 0, Some(&["c", "a", "b"]));
        assert_eq!(rows, Ok(vec![Some(2), None, Some(0)]));
        assert_eq!(notes.len(), 2);
        assert!(notes[0].contains("1 of 3 items have no row") && notes[0].contains("\"x\""), "{notes:?}");
        assert!(notes[1].contains("1 of 3 rows match no item") && notes[1].contains("\"a\""), "{notes:?}");
    }

    #[test]
    fn rows_without_ids_need_an_order() {
        assert_eq!(joined(&["2", "0"], 0, None).0, Ok(vec![Some(2), Some(0)]));
        assert_eq!(joined(&["p", "q", "r"], 3, None).0, Ok(vec![Some(0), Some(1), Some(2)]));
        // The fourth item was never listed: it has no row.
        let (rows, notes) = joined(&["p", "q", "r", "s"], 3, None);
        assert_eq!(rows.expect("three rows for three")[3], None);
        assert!(notes[0].contains("\"s\""), "{notes:?}");
        for (items, says) in
            [(&["p", "q"][..], "item_list.txt"), (&["0", "3"], "item_list.txt"), (&["01"], "which row")]
        {
            let message = joined(items, 0, None).0.expect_err("no order");
            assert!(message.contains(says), "{message}");
        }
        let message = joined(&["x"], 0, Some(&["a", "b", "c"])).0.expect_err("nothing in common");
        assert!(message.contains("\"a\"") && message.contains("\"x\""), "{message}");
    }
}
