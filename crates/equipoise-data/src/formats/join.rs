//! Features joined to items by raw id.

use std::collections::HashMap;
use std::path::Path;

use super::gathered::ReadModality;
use super::missing_file::ReadMissing;
use super::npy::new_features;
use super::sources::FeatureRows;
use crate::error::DataError;

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

/// Gives every item its row. An item without one gets the mean of those that have one, and the notes say what
/// did not match on either side.
///
/// # Errors
/// [`DataError::Entry`] if the rows cannot be told apart, or none of them matches an item.
pub(crate) fn join(
    name: &str,
    file: &Path,
    rows: FeatureRows,
    items: Catalogue<'_>,
    notes: &mut Vec<String>,
) -> Result<ReadModality, DataError> {
    let fault = |problem: String| DataError::Entry {
        file: file.to_owned(),
        place: format!("features of {name:?}"),
        problem,
    };
    let done = |features, dtype| ReadModality {
        name: name.into(),
        file: file.into(),
        dtype,
        features,
        missing: None,
    };
    let FeatureRows { ids, features, dtype } = rows;
    let decimals = |n: usize| (0..n).map(|row| row.to_string()).collect::<Vec<_>>();
    let owned;
    let (wanted, keys) = match (items, ids) {
        (Catalogue::Numbered, None) => return Ok(done(features, dtype)),
        (Catalogue::Named { ids, listed }, None) if listed == ids.len() => return Ok(done(features, dtype)),
        (Catalogue::Numbered, Some(keys)) => {
            owned = decimals(highest(&keys).map_err(fault)? + 1);
            (&owned[..], keys)
        }
        (Catalogue::Named { ids, .. }, Some(keys)) => (ids, keys),
        (Catalogue::Named { ids, listed }, None) if listed > 0 && listed == features.rows() => {
            (ids, ids[..listed].to_vec())
        }
        (Catalogue::Named { ids, listed: 0 }, None) if ids.iter().all(|id| within(id, features.rows())) => {
            (ids, decimals(features.rows()))
        }
        (Catalogue::Named { listed, .. }, None) => {
            let rows = features.rows();
            return Err(fault(match listed {
                0 => format!(
                    "{rows} rows without ids, while items go by raw ids: which row is whose? Add item_list.txt (raw id, \
                     tab, row), or give features with ids"
                ),
                n => format!("{rows} rows, expected {n} as the item list has; give every listed item a row"),
            }));
        }
    };
    let of_items = match_up(wanted, &keys);
    let (values, missing) = fill(&features, &of_items).ok_or_else(|| {
        let (theirs, ours) = (shown(keys.iter()), shown(wanted.iter()));
        fault(format!("no row matches an item: rows are called {theirs}, items {ours}; use the same ids"))
    })?;
    report(name, wanted, &keys, &of_items, &missing, notes);
    let missing = (!missing.is_empty()).then(|| ReadMissing::of(file, &missing));
    let features = new_features(file, wanted.len(), features.width(), values)?;
    Ok(ReadModality { missing, ..done(features, dtype) })
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

/// The values by item and the items that got the mean; `None` if no item has a row.
fn fill(features: &crate::features::Features, of_items: &[Option<usize>]) -> Option<(Vec<f32>, Vec<usize>)> {
    let width = features.width();
    let found = of_items.iter().flatten().count();
    if found == 0 {
        return None;
    }
    let mut sums = vec![0f64; width];
    for &row in of_items.iter().flatten() {
        sums.iter_mut().zip(&*features.row(row)).for_each(|(sum, &v)| *sum += f64::from(v));
    }
    let mean: Vec<f32> = sums.iter().map(|sum| (sum / found as f64) as f32).collect();
    let mut values = Vec::with_capacity(of_items.len() * width);
    for row in of_items {
        match row {
            Some(row) => values.extend_from_slice(&features.row(*row)),
            None => values.extend_from_slice(&mean),
        }
    }
    let missing = of_items.iter().enumerate().filter(|(_, row)| row.is_none());
    Some((values, missing.map(|(item, _)| item).collect()))
}

fn shown<'a>(ids: impl Iterator<Item = &'a String>) -> String {
    let ids: Vec<String> = ids.take(SHOWN + 1).map(|id| format!("{id:.60?}")).collect();
    match ids.get(..SHOWN) {
        Some(first) if ids.len() > SHOWN => format!("{}, ...", first.join(", ")),
        _ => ids.join(", "),
    }
}

fn report(
    name: &str,
    items: &[String],
    keys: &[String],
    of_items: &[Option<usize>],
    missing: &[usize],
    notes: &mut Vec<String>,
) {
    if !missing.is_empty() {
        let ids = shown(missing.iter().map(|&item| &items[item]));
        notes.push(format!(
            "{name}: {} of {} items have no row and were given the mean row: {ids}.",
            missing.len(),
            items.len()
        ));
    }
    let mut used = vec![false; keys.len()];
    of_items.iter().flatten().for_each(|&row| used[row] = true);
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
    use crate::features::Features;

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
    ) -> (Result<Vec<f32>, String>, Vec<String>) {
        let (items, mut notes) = (ids(items), Vec::new());
        let catalogue = Catalogue::Named { ids: &items, listed };
        let result = join("text", Path::new("f"), rows(keys), catalogue, &mut notes);
        (result.map(|m| m.features.values().to_vec()).map_err(|e| e.to_string()), notes)
    }

    #[test]
    fn rows_find_their_items_whatever_the_order_and_the_rest_is_said() {
        let (values, notes) = joined(&["b", "x", "c"], 0, Some(&["c", "a", "b"]));
        // The mean of the two rows that match, not of all three.
        assert_eq!(values, Ok(vec![3.0, 30.0, 2.0, 20.0, 1.0, 10.0]));
        assert_eq!(notes.len(), 2);
        assert!(notes[0].contains("1 of 3 items have no row") && notes[0].contains("\"x\""), "{notes:?}");
        assert!(notes[1].contains("1 of 3 rows match no item") && notes[1].contains("\"a\""), "{notes:?}");
    }

    #[test]
    fn rows_without_ids_need_an_order() {
        assert_eq!(joined(&["2", "0"], 0, None).0, Ok(vec![3.0, 30.0, 1.0, 10.0]));
        assert_eq!(joined(&["p", "q", "r"], 3, None).0, Ok(vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0]));
        // The fourth item was never listed: it has no row.
        let (values, notes) = joined(&["p", "q", "r", "s"], 3, None);
        assert_eq!(values.expect("three rows for three")[6..], [2.0, 20.0]);
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
