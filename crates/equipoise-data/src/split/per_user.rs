//! Rules that look at one user after another.

use super::dated::Dated;
use super::lattice::{self as rule, split_per_user};
use crate::random::Stream;

/// The larger half of what is held out is validation.
pub(super) fn lattice(rows: &[Dated], rng: &mut Stream) -> Vec<u8> {
    let mut labels = vec![0; rows.len()];
    for places in by_user(rows) {
        // Fewer than 2^32: each user's rows are of distinct items.
        let own: Vec<u32> = (0..places.len() as u32).collect();
        let parts = split_per_user(&own, rng);
        parts.validation.iter().for_each(|&n| labels[places[n as usize]] = 1);
        parts.test.iter().for_each(|&n| labels[places[n as usize]] = 2);
    }
    labels
}

/// Validation and test of a user with `n` interactions under the rule of MMRec: as `lattice`, the halves exchanged.
pub(super) fn mmrec_sizes(n: usize) -> (usize, usize) {
    let (larger, smaller) = rule::sizes(n);
    (smaller, larger)
}

/// Test and validation at random, in numbers by `sizes`: the last of a shuffled list are test, those before validation.
pub(super) fn shuffled(rows: &[Dated], rng: &mut Stream, sizes: impl Fn(usize) -> (usize, usize)) -> Vec<u8> {
    per_user(rows, |places| {
        let (validation, test) = sizes(places.len());
        // Fisher and Yates, as far as somebody looks.
        for end in (places.len() - validation - test..places.len()).rev() {
            let partner = rng.below(end as u32 + 1) as usize;
            places.swap(end, partner);
        }
        (validation, test)
    })
}

/// The last in time is test, the one before it validation.
pub(super) fn leave_one_out(rows: &[Dated]) -> Vec<u8> {
    per_user(rows, |places| {
        // Stable: of equal times the order of the rows decides.
        places.sort_by_key(|&row| rows[row].1);
        if places.len() < 3 { (0, 0) } else { (1, 1) }
    })
}

fn by_user(rows: &[Dated]) -> Vec<Vec<usize>> {
    let users = rows.iter().map(|row| row.0 as usize + 1).max().unwrap_or(0);
    let mut of_users = vec![Vec::new(); users];
    for (row, &(user, _)) in rows.iter().enumerate() {
        of_users[user as usize].push(row);
    }
    of_users
}

/// Lets `arrange` order each user's rows and say how many are validation and test: test the last ones, validation
/// those before.
fn per_user(rows: &[Dated], mut arrange: impl FnMut(&mut Vec<usize>) -> (usize, usize)) -> Vec<u8> {
    let mut labels = vec![0; rows.len()];
    for mut places in by_user(rows) {
        let (validation, test) = arrange(&mut places);
        for (back, &row) in places.iter().rev().enumerate().take(validation + test) {
            labels[row] = if back < test { 2 } else { 1 };
        }
    }
    labels
}
