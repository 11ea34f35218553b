//! Items that are called by all numbers from 0 on here and from 1 on there, or the other way round.

use std::collections::HashSet;

/// The number that is written so; "07" is not the decimal of 7.
pub(crate) fn number(id: &str) -> Option<usize> {
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    id.parse().ok().filter(|_| digits && (id.len() == 1 || !id.starts_with('0')))
}

/// The first of the numbers where the ids are all numbers of a range, each once.
pub(crate) fn range_from(ids: &[String]) -> Option<usize> {
    let numbers: HashSet<usize> = ids.iter().map(|id| number(id)).collect::<Option<_>>()?;
    let (first, last) = (numbers.iter().min()?, numbers.iter().max()?);
    (numbers.len() == ids.len() && last - first + 1 == ids.len()).then_some(*first)
}

/// Where items are called by all numbers from 0 or from 1 on: which item would find no partner on a side that is numbered
/// from the other, and what would be left over there. `None` for any other names.
///
/// ```
/// use equipoise_data::formats::other_numbering;
/// assert_eq!(other_numbering(&["1", "0", "2"].map(String::from)), Some((1, "3".to_owned())));
/// assert_eq!(other_numbering(&["3", "1", "2"].map(String::from)), Some((0, "0".to_owned())));
/// assert_eq!(other_numbering(&["4", "2", "3"].map(String::from)), None);
/// ```
pub fn other_numbering(ids: &[String]) -> Option<(usize, String)> {
    let (lacking, over) = match range_from(ids)? {
        0 => (0, ids.len()),
        1 => (ids.len(), 0),
        _ => return None,
    };
    let place = ids.iter().position(|id| number(id) == Some(lacking))?;
    (ids.len() > 1).then(|| (place, over.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_each_number_once() {
        let from = |ids: &[&str]| range_from(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!((from(&["5", "3", "4"]), from(&["0"]), from(&["1", "2"])), (Some(3), Some(0), Some(1)));
        for ids in [&["1", "3"][..], &["1", "1", "2"], &["01", "2"], &["a", "1"], &["-1", "0"], &[]] {
            assert_eq!(from(ids), None, "{ids:?}");
        }
    }
}
