//! Dividing reviews into train, validation and test.

use super::config::{AmazonConfig, SplitRule};
use super::pool::{Pool, Row};
use crate::random::{Seed, Stream};
use crate::split::{Holdout, split_per_user};

/// Divides the reviews of every user as [`SplitRule`] says; lists by user index, items in the order of the file.
///
/// Random rules draw from one stream, user after user.
pub(crate) fn split(pool: &Pool, config: &AmazonConfig) -> Vec<Holdout> {
    let users = by_user(pool);
    let mut rng = Seed(config.seed).stream("import/split");
    let [_, validation, test] = config.shares;
    match config.split {
        SplitRule::Lattice => each(&users, |rows| split_per_user(&items(rows), &mut rng)),
        SplitRule::Mmrec => each(&users, |rows| shuffled(rows, mmrec_sizes(rows.len()), &mut rng)),
        SplitRule::Ratio => {
            each(&users, |rows| shuffled(rows, ratio_sizes(rows.len(), validation, test), &mut rng))
        }
        SplitRule::LeaveOneOut => each(&users, leave_one_out),
        SplitRule::Time => by_instants(pool, &users, config.shares),
    }
}

fn by_user(pool: &Pool) -> Vec<Vec<Row>> {
    let mut users = vec![Vec::new(); pool.users.len()];
    for row in &pool.rows {
        users[row.user as usize].push(*row);
    }
    users
}

fn each(users: &[Vec<Row>], mut divide: impl FnMut(&[Row]) -> Holdout) -> Vec<Holdout> {
    users.iter().map(|rows| divide(rows)).collect()
}

fn items(rows: &[Row]) -> Vec<u32> {
    rows.iter().map(|row| row.item).collect()
}

/// Validation and test of a user with `n` reviews under the rule of MMRec.
fn mmrec_sizes(n: usize) -> (usize, usize) {
    match n {
        0..3 => (0, 0),
        3..10 => (1, 1),
        _ => (n / 5 / 2, n / 5 - n / 5 / 2),
    }
}

/// Validation and test of a user with `n` reviews under shares.
fn ratio_sizes(n: usize, validation: f64, test: f64) -> (usize, usize) {
    if n < 3 {
        return (0, 0);
    }
    // The products of decimal shares fall short of whole numbers by a rounding: 0.1 * 30 is 3.0000000000000004,
    // 0.29 * 100 is 28.999999999999996.
    let floor = |share: f64| (share * n as f64 + 1e-9).floor() as usize;
    let least = |share: f64| usize::from(share > 0.0);
    // Three or more reviews leave one for training besides.
    (floor(validation).max(least(validation)), floor(test).max(least(test)))
}

/// The rows in random order: first train, then validation, then test.
fn shuffled(rows: &[Row], (validation, test): (usize, usize), rng: &mut Stream) -> Holdout {
    let mut places: Vec<usize> = (0..rows.len()).collect();
    for place in (1..places.len()).rev() {
        places.swap(place, rng.below(place as u32 + 1) as usize);
    }
    divide(rows, &places, rows.len().saturating_sub(validation + test).max(1).min(rows.len()), validation)
}

/// The last in time is test, the one before it validation.
fn leave_one_out(rows: &[Row]) -> Holdout {
    let mut places: Vec<usize> = (0..rows.len()).collect();
    // Stable: of equal times the order of the file decides.
    places.sort_by_key(|&place| rows[place].time);
    let train = if rows.len() < 3 { rows.len() } else { rows.len() - 2 };
    divide(rows, &places, train, 1)
}

/// The first `train` of the places, then `validation`, then the rest; each part back in the order of the file.
fn divide(rows: &[Row], places: &[usize], train: usize, validation: usize) -> Holdout {
    let part = |places: &[usize]| {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.into_iter().map(|place| rows[place].item).collect()
    };
    let held = (train + validation).min(places.len());
    Holdout {
        train: part(&places[..train]),
        validation: part(&places[train..held]),
        test: part(&places[held..]),
    }
}

/// Train before the first instant, validation from there on before the second, test from there on.
fn by_instants(pool: &Pool, users: &[Vec<Row>], [train, validation, _]: [f64; 3]) -> Vec<Holdout> {
    let mut times: Vec<i64> = pool.rows.iter().map(|row| row.time).collect();
    times.sort_unstable();
    let instant = |share: f64| times.get((share * times.len() as f64 + 1e-9).floor() as usize).copied();
    // A share of 1 leaves nothing behind it: no instant is late enough.
    let (first, second) = (instant(train), instant(train + validation));
    let before = |time: i64, instant: Option<i64>| instant.is_none_or(|instant| time < instant);
    each(users, |rows| {
        let part = |wanted: &dyn Fn(i64) -> bool| {
            rows.iter().filter(|row| wanted(row.time)).map(|row| row.item).collect()
        };
        Holdout {
            train: part(&|t| before(t, first)),
            validation: part(&|t| !before(t, first) && before(t, second)),
            test: part(&|t| !before(t, first) && !before(t, second)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::ids::Ids;
    use proptest::prelude::*;

    /// One user per list of times; items numbered through.
    fn pool(times: &[Vec<i64>]) -> Pool {
        let (mut users, mut items, mut rows) = (Ids::default(), Ids::default(), Vec::new());
        for (n, times) in times.iter().enumerate() {
            for &time in times {
                let user = users.intern(&format!("u{n}")).expect("few");
                let item = items.intern(&format!("i{}", rows.len())).expect("few");
                rows.push(Row { user, item, time });
            }
        }
        Pool { users, items, rows }
    }

    fn under(split: SplitRule, shares: [f64; 3], times: &[Vec<i64>]) -> Vec<Holdout> {
        super::split(&pool(times), &AmazonConfig { split, shares, ..AmazonConfig::default() })
    }

    fn sizes(parts: &Holdout) -> (usize, usize, usize) {
        (parts.train.len(), parts.validation.len(), parts.test.len())
    }

    const SHARES: [f64; 3] = [0.8, 0.1, 0.1];

    #[test]
    fn sizes_of_random_rules_follow_their_definitions() {
        // n, then (train, validation, test) under lattice, mmrec and ratio.
        let cases = [
            (1, (1, 0, 0), (1, 0, 0), (1, 0, 0)),
            (3, (1, 1, 1), (1, 1, 1), (1, 1, 1)),
            (5, (3, 1, 1), (3, 1, 1), (3, 1, 1)),
            (9, (7, 1, 1), (7, 1, 1), (7, 1, 1)),
            (10, (8, 1, 1), (8, 1, 1), (8, 1, 1)),
            (15, (12, 2, 1), (12, 1, 2), (13, 1, 1)),
            (25, (20, 3, 2), (20, 2, 3), (21, 2, 2)),
            (30, (24, 3, 3), (24, 3, 3), (24, 3, 3)),
        ];
        for (n, lattice, mmrec, ratio) in cases {
            let times = [vec![0; n]];
            let of = |rule| sizes(&under(rule, SHARES, &times)[0]);
            assert_eq!(of(SplitRule::Lattice), lattice, "{n} lattice");
            assert_eq!(of(SplitRule::Mmrec), mmrec, "{n} mmrec");
            assert_eq!(of(SplitRule::Ratio), ratio, "{n} ratio");
        }
        let none = under(SplitRule::Ratio, [0.7, 0.3, 0.0], &[vec![0; 5], vec![0; 10]]);
        assert_eq!(none.iter().map(sizes).collect::<Vec<_>>(), [(4, 1, 0), (7, 3, 0)]);
        // 0.29 * 100 is a little less than 29 in binary.
        assert_eq!(sizes(&under(SplitRule::Ratio, [0.42, 0.29, 0.29], &[vec![0; 100]])[0]), (42, 29, 29));
    }

    #[test]
    fn the_last_two_in_time_are_left_out_and_ties_go_by_the_file() {
        let parts = under(SplitRule::LeaveOneOut, SHARES, &[vec![5, 9, 1, 7], vec![3, 3, 3], vec![2, 1]]);
        assert_eq!(parts[0], Holdout { train: vec![0, 2], validation: vec![3], test: vec![1] });
        assert_eq!(parts[1], Holdout { train: vec![4], validation: vec![5], test: vec![6] });
        assert_eq!(parts[2], Holdout { train: vec![7, 8], validation: vec![], test: vec![] });
    }

    #[test]
    fn instants_are_the_same_for_everyone() {
        // Ten times 1 to 10: train before 9, validation before 10, test from 10 on.
        let parts = under(SplitRule::Time, SHARES, &[vec![10, 2, 9, 1, 3], vec![8, 4, 5, 6, 7]]);
        assert_eq!(parts[0], Holdout { train: vec![1, 3, 4], validation: vec![2], test: vec![0] });
        assert_eq!(sizes(&parts[1]), (5, 0, 0));
        // Reviews of one instant stay together.
        let tied = under(SplitRule::Time, SHARES, &[vec![1, 1, 1, 2, 2, 2, 2, 2, 2, 3]]);
        assert_eq!(sizes(&tied[0]), (3, 6, 1));
        let all = under(SplitRule::Time, [1.0, 0.0, 0.0], &[vec![1, 2, 3]]);
        assert_eq!(sizes(&all[0]), (3, 0, 0));
    }

    proptest! {
        #[test]
        fn every_rule_puts_every_review_into_one_part(
            times in prop::collection::vec(prop::collection::vec(0i64..50, 1..30), 1..6),
            validation in 0u32..5, test in 0u32..5,
        ) {
            let (validation, test) = (f64::from(validation) / 10.0, f64::from(test) / 10.0);
            for rule in SplitRule::ALL {
                let parts = under(rule, [1.0 - validation - test, validation, test], &times);
                let mut item = 0;
                for (parts, times) in parts.iter().zip(&times) {
                    let mut all = [&parts.train[..], &parts.validation, &parts.test].concat();
                    all.sort_unstable();
                    let end = item + times.len() as u32;
                    prop_assert_eq!(all, (item..end).collect::<Vec<_>>());
                    item = end;
                    prop_assert!(rule == SplitRule::Time || !parts.train.is_empty());
                    prop_assert!(parts.train.is_sorted());
                }
            }
        }

        #[test]
        fn held_out_reviews_are_chosen_evenly(seed: u64) {
            // 400 users with 5 reviews: each place is test for a fifth of them, give or take 6 standard deviations.
            let pool = pool(&vec![vec![0; 5]; 400]);
            for rule in [SplitRule::Lattice, SplitRule::Mmrec, SplitRule::Ratio] {
                let config = AmazonConfig { split: rule, seed, ..AmazonConfig::default() };
                let mut counts = [0u32; 5];
                super::split(&pool, &config).iter().for_each(|p| counts[p.test[0] as usize % 5] += 1);
                prop_assert!(counts.iter().all(|&c| (32..=128).contains(&c)), "{:?} {:?}", rule, counts);
            }
        }
    }
}
