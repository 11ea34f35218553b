//! Features joined to items by raw id: which row is whose, and which items have none.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use super::feature_rows::FeatureRows;
use super::numbering::{number, other_numbering, range_from};
use super::placing::{Placing, one_off, ways_to_place_rows};
use super::row_ids::made_without;
use crate::error::DataError;
use crate::features::Features;
use crate::quoted::quoted;

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
    /// How rows came to their items.
    pub(crate) placing: Placing,
}

impl ItemRows {
    /// The item of each row; `None` for a row of no item.
    pub(crate) fn item_of(&self) -> Vec<Option<u32>> {
        let Some(row_of) = &self.row_of else {
            return (0..self.features.rows() as u32).map(Some).collect();
        };
        let mut items = vec![None; self.features.rows()];
        for (row, item) in row_of.iter().zip(0..) {
            if let Some(row) = row {
                items[*row] = Some(item);
            }
        }
        items
    }
}

/// Finds the row of every item; the notes say what did not match on either side.
///
/// # Errors
/// [`DataError::Entry`] if the rows cannot be told apart, none of them matches an item, or ids of both sides differ in
/// how a number is written alone.
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
    let FeatureRows { ids, features, dtype, notes: said } = rows;
    notes.extend(said);
    let placing = match (&ids, items) {
        (None, _) => Placing::ByPosition,
        (Some(keys), Catalogue::Numbered) if range_from(keys) == Some(1) => Placing::ByNumberFrom1,
        (Some(_), _) => Placing::ById,
    };
    let found = match ids {
        Some(keys) => Some(by_id(items, keys).map_err(fault)?),
        None => by_order(file, items, features.rows()).map_err(fault)?,
    };
    let Some(Pairing { wanted, keys, assumed }) = found.filter(|found| *found.wanted != found.keys) else {
        return Ok(ItemRows { features, dtype, row_of: None, placing });
    };
    notes.extend(assumed.map(|said| format!("{name}: {said}")));
    let row_of = match_up(&wanted, &keys);
    if wanted.is_empty() {
        return Err(fault("there is no item that a row could be of; see to the interactions first".into()));
    }
    if row_of.iter().all(Option::is_none) {
        let (theirs, ours) = (shown(keys.iter()), shown(wanted.iter()));
        return Err(fault(format!(
            "no row matches an item: rows are called {theirs}, items {ours}; use the same ids"
        )));
    }
    if let Some((key, id)) = same_number(&wanted, &keys, &row_of) {
        return Err(fault(format!(
            "a row is called {} and an item {}, one number written in two ways; write ids as texts, the \
             same on both sides",
            quoted(key),
            quoted(id)
        )));
    }
    if let (Some((item, over)), Placing::ById) = (other_numbering(&wanted), placing)
        && row_of[item].is_none()
        && left_over(&keys, &row_of).eq([&over])
    {
        return Err(fault(format!(
            "no row is called {:?} as an item is, and one is called {over:?} as no item is: numbered from 0 on one side \
             and from 1 on the other? Give both the same ids",
            wanted[item]
        )));
    }
    report(name, &wanted, &keys, &row_of, notes);
    Ok(ItemRows { features, dtype, row_of: Some(row_of), placing })
}

/// Names of items, by index.
type Names<'a> = Cow<'a, [String]>;

/// What items and rows are called.
struct Pairing<'a> {
    /// The items, by index.
    wanted: Names<'a>,
    /// The rows.
    keys: Vec<String>,
    /// What was taken for granted.
    assumed: Option<String>,
}

fn decimals(n: usize) -> Vec<String> {
    (0..n).map(|row| row.to_string()).collect()
}

/// Rows that have ids.
fn by_id(items: Catalogue<'_>, keys: Vec<String>) -> Result<Pairing<'_>, String> {
    let wanted = match items {
        Catalogue::Numbered => decimals(highest(&keys)? + 1).into(),
        Catalogue::Named { ids, .. } => ids.into(),
    };
    Ok(Pairing { wanted, keys, assumed: None })
}

/// Rows that have none; `None` if they are in the order of the items.
///
/// A position is proven by a list of the items that is stored with the data, or by a layout whose items are row numbers.
/// Where there is no list and items are called 0 to `n - 1`, `n` rows are taken for theirs, which is said.
fn by_order<'a>(file: &Path, items: Catalogue<'a>, rows: usize) -> Result<Option<Pairing<'a>>, String> {
    let ways = || ways_to_place_rows(file);
    match items {
        Catalogue::Numbered => Ok(None),
        Catalogue::Named { ids, listed: 0 } => {
            let why = match numbered_from(ids) {
                _ if made_without(file) => {
                    "made in an order that was not written down (by an earlier version), or whose file of ids was \
                     removed; make them again with equipoise features --overwrite"
                        .to_owned()
                }
                Some((0, last)) if rows == last + 1 => {
                    let said = format!(
                        "{rows} rows without ids, taken for items 0 to {last} in the order of these numbers; if they are \
                         in another order, {}.",
                        ways()
                    );
                    return Ok(Some(Pairing {
                        wanted: ids.into(),
                        keys: decimals(rows),
                        assumed: Some(said),
                    }));
                }
                Some((1, last)) if rows == last || rows == last + 1 => one_off(last, &ways()),
                Some((first, last)) => format!(
                    "while items go by numbers from {first} to {last}: which row is whose? A row 0 may be padding; {}",
                    ways()
                ),
                None => format!("while items go by raw ids: which row is whose? {}", ways()),
            };
            Err(format!("{rows} rows without ids, {why}"))
        }
        Catalogue::Named { ids, listed } if listed != rows => {
            let padding = if rows == listed + 1 || rows == ids.len() + 1 {
                "; is the first row padding? Remove it"
            } else {
                "; give every listed item a row"
            };
            Err(format!(
                "{rows} rows without ids, expected {listed}, as many as items are listed{padding}, or {}",
                ways()
            ))
        }
        Catalogue::Named { ids, listed } if listed == ids.len() => Ok(None),
        Catalogue::Named { ids, listed } => {
            Ok(Some(Pairing { wanted: ids.into(), keys: ids[..listed].to_vec(), assumed: None }))
        }
    }
}

/// The smallest and the largest number where all items are called by numbers.
fn numbered_from(ids: &[String]) -> Option<(usize, usize)> {
    let numbers: Option<Vec<usize>> = ids.iter().map(|id| number(id)).collect();
    let numbers = numbers?;
    numbers.iter().min().copied().zip(numbers.iter().max().copied())
}

fn highest(keys: &[String]) -> Result<usize, String> {
    let limit = 16 * keys.len() + 1_000_000;
    let within = |key: &&String| number(key).is_some_and(|n| n < limit);
    match keys.iter().find(|key| !within(key)) {
        Some(key) => {
            Err(format!("id {}, expected item numbers from 0; add item_list.txt for raw ids", quoted(key)))
        }
        None => Ok(keys.iter().filter_map(|key| number(key)).max().unwrap_or(0)),
    }
}

/// The names of the rows that no item has.
fn left_over<'a>(keys: &'a [String], row_of: &[Option<usize>]) -> impl Iterator<Item = &'a String> {
    let mut used = vec![false; keys.len()];
    row_of.iter().flatten().for_each(|&row| used[row] = true);
    keys.iter().zip(used).filter(|(_, used)| !used).map(|(key, _)| key)
}

/// A row and an item, neither matched, that are called by one number written in two ways: `007` and `7`, `12.0` and `12`.
fn same_number<'a>(
    items: &'a [String],
    keys: &'a [String],
    row_of: &[Option<usize>],
) -> Option<(&'a String, &'a String)> {
    let free = left_over(keys, row_of);
    let free: HashMap<&str, &String> = free.filter_map(|key| Some((plain_number(key)?, key))).collect();
    let without = items.iter().zip(row_of).filter(|(_, row)| row.is_none());
    without.filter_map(|(id, _)| Some((*free.get(plain_number(id)?)?, id))).find(|(key, id)| key != id)
}

/// A whole number without blanks, leading zeros and a fraction of zeros: `007`, `7` and `7.0` are one number written in
/// three ways. `None` for an id that is no whole number.
pub fn plain_number(id: &str) -> Option<&str> {
    let id = id.trim();
    let whole = match id.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => id,
    };
    let digits = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
    let kept = whole.trim_start_matches('0');
    digits.then_some(if kept.is_empty() { "0" } else { kept })
}

/// The row of each item.
fn match_up(items: &[String], keys: &[String]) -> Vec<Option<usize>> {
    let rows: HashMap<&str, usize> = keys.iter().map(String::as_str).zip(0..).collect();
    items.iter().map(|id| rows.get(id.as_str()).copied()).collect()
}

fn shown<'a>(ids: impl Iterator<Item = &'a String>) -> String {
    let ids: Vec<String> = ids.take(SHOWN + 1).map(|id| quoted(id)).collect();
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
    let left: Vec<&String> = left_over(keys, row_of).collect();
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
        FeatureRows { ids: keys.map(ids), features, dtype: "float32", notes: Vec::new() }
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
        assert_eq!(joined(&["p", "q", "r"], 3, None).0, Ok(vec![Some(0), Some(1), Some(2)]));
        // The fourth item was never listed: it has no row.
        let (rows, notes) = joined(&["p", "q", "r", "s"], 3, None);
        assert_eq!(rows.expect("three rows for three")[3], None);
        assert!(notes[0].contains("\"s\""), "{notes:?}");
        for (items, listed, says) in [
            (&["p", "q"][..], 0, "which row is whose"),
            (&["0", "3"], 0, "numbers from 0 to 3"),
            (&["0", "1"], 0, "padding"),
            (&["01", "0", "2"], 0, "which row is whose"),
            (&["p", "q"], 2, "is the first row padding"),
            (&["p", "q", "r", "s"], 4, "expected 4"),
        ] {
            let message = joined(items, listed, None).0.expect_err("no order");
            assert!(message.contains(says), "{says}: {message}");
            assert!(message.contains("f_ids.json") && message.contains("item_list.txt"), "{message}");
        }
        let message = joined(&["x"], 0, Some(&["a", "b", "c"])).0.expect_err("nothing in common");
        assert!(message.contains("\"a\"") && message.contains("\"x\""), "{message}");
    }

    #[test]
    fn numbers_from_0_are_rows_if_there_are_as_many_and_numbers_from_1_are_not() {
        let (rows, notes) = joined(&["2", "0"], 0, None);
        assert_eq!(rows, Ok(vec![Some(2), Some(0)]));
        assert!(notes[0].contains("taken for items 0 to 2"), "{notes:?}");
        for items in [&["1", "3", "2"][..], &["2", "1"]] {
            let message = joined(items, 0, None).0.expect_err("one row off, or not");
            assert!(message.contains("numbered from 1"), "{message}");
        }
    }

    #[test]
    fn items_from_0_and_rows_from_1_are_not_joined_one_off() {
        for (items, keys) in [(["0", "1", "2"], ["1", "2", "3"]), (["3", "2", "1"], ["0", "2", "1"])] {
            let message = joined(&items, 0, Some(&keys)).0.expect_err("one off");
            assert!(message.contains("numbered from 0 on one side and from 1 on the other"), "{message}");
        }
        // A row that is missing and one of something else are no shift.
        assert!(joined(&["0", "1", "2"], 0, Some(&["1", "2", "7"])).0.is_ok());
        assert!(joined(&["1", "2", "x"], 0, Some(&["2", "1", "3"])).0.is_ok());
    }

    #[test]
    fn one_number_written_in_ways_to_place_rows_is_no_other_item() {
        for (items, keys) in [
            (["007", "123", "9"], ["7", "123", "x"]),
            (["12", "13", "a"], ["12.0", "13", "b"]),
            (["5", "6", "7"], [" 5", "6", "7"]),
        ] {
            let message = joined(&items, 0, Some(&keys)).0.expect_err("a slip");
            assert!(message.contains("one number written in two ways"), "{message}");
        }
        // Where each has its own, they are different ids.
        let (rows, _) = joined(&["007", "7", "x"], 0, Some(&["7", "007", "y"]));
        assert_eq!(rows, Ok(vec![Some(1), Some(0), None]));
        assert!(joined(&["1.5", "b", "c"], 0, Some(&["1.50", "b", "c"])).0.is_ok());
    }

    #[test]
    fn rows_in_the_order_of_the_items_are_not_copied_and_each_row_knows_its_item() {
        let items = ids(&["a", "b", "c"]);
        let catalogue = Catalogue::Named { ids: &items, listed: 0 };
        let join = |keys: &[&str]| {
            join("text", Path::new("f"), rows(Some(keys)), catalogue, &mut Vec::new()).expect("matches")
        };
        assert!(join(&["a", "b", "c"]).row_of.is_none());
        assert_eq!(join(&["c", "x", "a"]).item_of(), [Some(2), None, Some(0)]);
    }
}
