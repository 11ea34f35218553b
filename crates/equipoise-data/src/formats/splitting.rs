//! Splits for interactions that come without one.

use serde::{Deserialize, Serialize};

use crate::random::Seed;

/// How interactions without a split are divided.
///
/// | name | rule |
/// |---|---|
/// | `ratio` | of each user's `n` items, at random, `max(1, floor(n / 10))` test, as many validation, the rest train |
/// | `leave_one_out` | of each user's items in the order of time, the last is test, the one before validation |
/// | `time` | with `q` and `r` the 0.8 and 0.9 quantiles of all timestamps: train up to `q`, validation up to `r`, then test |
///
/// Under the first two, users of fewer than three items are train throughout. Leave-one-out takes the order of
/// the rows where there are no timestamps, or where two are equal; under `time`, equal timestamps stay together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// Each user's items at random: 80 / 10 / 10.
    Ratio,
    /// Each user's last two items.
    LeaveOneOut,
    /// One moment for all users.
    Time,
}

/// One interaction to be placed: user and time.
pub(crate) type Dated = (u32, Option<i64>);

/// The split of each row, 0 train, 1 validation, 2 test; `None` if the rule needs timestamps that are not there.
///
/// Random draws come from the stream `split` of `seed`, users in the order of their indices.
pub(crate) fn split(rows: &[Dated], rule: SplitRule, seed: u64) -> Option<Vec<u8>> {
    match rule {
        SplitRule::Time => by_time(rows),
        SplitRule::LeaveOneOut => Some(per_user(rows, |places| {
            places.sort_by_key(|&row| rows[row].1);
            1
        })),
        SplitRule::Ratio => {
            let mut rng = Seed(seed).stream("split");
            Some(per_user(rows, |places| {
                let held = (places.len() / 10).max(1);
                for end in (places.len() - 2 * held..places.len()).rev() {
                    let partner = rng.below(end as u32 + 1) as usize;
                    places.swap(end, partner);
                }
                held
            }))
        }
    }
}

/// Lets `arrange` order each user's rows and say how many each held-out part gets: test the last ones,
/// validation those before.
fn per_user(rows: &[Dated], mut arrange: impl FnMut(&mut Vec<usize>) -> usize) -> Vec<u8> {
    let users = rows.iter().map(|r| r.0 as usize + 1).max().unwrap_or(0);
    let mut of_users: Vec<Vec<usize>> = vec![Vec::new(); users];
    for (row, &(user, _)) in rows.iter().enumerate() {
        of_users[user as usize].push(row);
    }
    let mut labels = vec![0; rows.len()];
    for places in of_users.iter_mut().filter(|places| places.len() >= 3) {
        let held = arrange(places);
        for (back, &row) in places.iter().rev().enumerate().take(2 * held) {
            labels[row] = if back < held { 2 } else { 1 };
        }
    }
    labels
}

fn by_time(rows: &[Dated]) -> Option<Vec<u8>> {
    let times: Vec<i64> = rows.iter().map(|r| r.1).collect::<Option<_>>()?;
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let quantile = |tenths: usize| sorted.get((sorted.len() * tenths).div_ceil(10).saturating_sub(1));
    let (Some(&q), Some(&r)) = (quantile(8), quantile(9)) else {
        return Some(Vec::new());
    };
    Some(times.iter().map(|&t| u8::from(t > q) + u8::from(t > r)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(labels: &[u8]) -> [usize; 3] {
        [0, 1, 2].map(|split| labels.iter().filter(|&&l| l == split).count())
    }

    #[test]
    fn the_last_two_items_in_time_are_held_out() {
        let rows = [(0, Some(5)), (0, Some(9)), (1, Some(1)), (0, Some(7)), (0, Some(6)), (1, Some(2))];
        let labels = split(&rows, SplitRule::LeaveOneOut, 0).expect("needs no seed");
        assert_eq!(labels, [0, 2, 0, 1, 0, 0]);
        let undated = [(0, None), (0, None), (0, None)];
        assert_eq!(split(&undated, SplitRule::LeaveOneOut, 0).expect("row order"), [0, 1, 2]);
    }

    #[test]
    fn equal_moments_stay_together() {
        let rows: Vec<Dated> = [1, 1, 2, 2, 2, 2, 2, 2, 3, 4].map(|t| (0, Some(t))).to_vec();
        assert_eq!(split(&rows, SplitRule::Time, 0).expect("dated"), [0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(split(&[(0, Some(1)), (0, None)], SplitRule::Time, 0), None);
    }

    proptest! {
        #[test]
        fn each_user_gives_a_tenth_at_random(counts in prop::collection::vec(0usize..40, 1..8), seed: u64) {
            let rows: Vec<Dated> =
                (0u32..).zip(&counts).flat_map(|(user, &n)| vec![(user, None); n]).collect();
            let labels = split(&rows, SplitRule::Ratio, seed).expect("needs no time");
            for (user, &n) in (0u32..).zip(&counts) {
                let own: Vec<u8> = rows.iter().zip(&labels).filter(|(r, _)| r.0 == user).map(|(_, &l)| l).collect();
                let held = if n < 3 { 0 } else { (n / 10).max(1) };
                prop_assert_eq!(sizes(&own), [n - 2 * held, held, held]);
            }
            prop_assert_eq!(split(&rows, SplitRule::Ratio, seed).expect("the same"), labels);
        }

        #[test]
        fn no_test_item_is_older_than_a_train_item(times in prop::collection::vec(-50i64..50, 1..60)) {
            let rows: Vec<Dated> = times.iter().map(|&t| (0, Some(t))).collect();
            let labels = split(&rows, SplitRule::Time, 0).expect("dated");
            for (a, &ta) in labels.iter().zip(&times) {
                for (b, &tb) in labels.iter().zip(&times) {
                    prop_assert!(a >= b || ta < tb);
                }
            }
        }
    }

    #[test]
    fn every_item_is_as_likely_to_be_tested() {
        let rows = vec![(0, None); 10];
        let mut counts = [0u32; 10];
        for seed in 0..5_000 {
            let labels = split(&rows, SplitRule::Ratio, seed).expect("needs no time");
            labels.iter().zip(&mut counts).for_each(|(&l, c)| *c += u32::from(l == 2));
        }
        // Mean 500, standard deviation 21: five of them either side.
        assert!(counts.iter().all(|&c| (395..=605).contains(&c)), "{counts:?}");
    }
}
