//! The k-core of users and items.

use super::pool::Row;

/// Which reviews lie in the k-core: the largest part in which every user and every item has at least `k` reviews.
///
/// Users and items with fewer are left out with their reviews, then those that have too few without them, until
/// nothing changes. That part is the same in whichever order one takes them out. `rows` has no repeats; `k` of 0 or 1
/// keeps everything. Time and memory are proportional to the reviews.
pub(crate) fn core(rows: &[Row], users: usize, items: usize, k: u32) -> Vec<bool> {
    let mut kept = vec![true; rows.len()];
    let node = |row: &Row| [row.user as usize, users + row.item as usize];
    let mut degrees = vec![0u32; users + items];
    for row in rows {
        node(row).into_iter().for_each(|n| degrees[n] += 1);
    }
    let (starts, incident) = incidence(rows, &degrees, node);
    let mut poor: Vec<usize> = (0..degrees.len()).filter(|&n| degrees[n] < k).collect();
    while let Some(left_out) = poor.pop() {
        for &place in &incident[starts[left_out]..starts[left_out + 1]] {
            if !std::mem::replace(&mut kept[place as usize], false) {
                continue;
            }
            for other in node(&rows[place as usize]) {
                // Noted when it first falls below k; what it falls to afterwards is of no interest.
                if degrees[other] == k && other != left_out {
                    poor.push(other);
                }
                degrees[other] -= 1;
            }
        }
    }
    kept
}

/// Rows of each node, in compressed form.
fn incidence(rows: &[Row], degrees: &[u32], node: impl Fn(&Row) -> [usize; 2]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0usize; degrees.len() + 1];
    for (n, &degree) in degrees.iter().enumerate() {
        starts[n + 1] = starts[n] + degree as usize;
    }
    let mut next = starts.clone();
    let mut incident = vec![0u32; 2 * rows.len()];
    for (place, row) in rows.iter().enumerate() {
        for n in node(row) {
            incident[next[n]] = place as u32;
            next[n] += 1;
        }
    }
    (starts, incident)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// As one would write it down: rounds of counting everything anew.
    fn by_rounds(rows: &[Row], k: u32) -> Vec<bool> {
        let mut kept = vec![true; rows.len()];
        loop {
            let count = |same: &dyn Fn(&Row) -> bool| {
                rows.iter().zip(&kept).filter(|(row, kept)| **kept && same(row)).count() as u32
            };
            let poor = |row: &Row| count(&|r| r.user == row.user) < k || count(&|r| r.item == row.item) < k;
            let next: Vec<bool> = rows.iter().zip(&kept).map(|(row, kept)| *kept && !poor(row)).collect();
            if next == kept {
                return kept;
            }
            kept = next;
        }
    }

    proptest! {
        #[test]
        fn peeling_gives_what_repeated_counting_gives(
            pairs in prop::collection::vec((0u32..9, 0u32..8), 0..60), k in 0u32..5,
        ) {
            let distinct: BTreeSet<_> = pairs.into_iter().collect();
            let rows: Vec<Row> = distinct.into_iter().map(|(user, item)| Row { user, item, time: 0 }).collect();
            prop_assert_eq!(core(&rows, 9, 8, k), by_rounds(&rows, k));
        }
    }
}
