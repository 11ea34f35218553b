use proptest::prelude::*;

use super::*;

const RANDOM: [SplitRule; 3] = [SplitRule::Lattice, SplitRule::Mmrec, SplitRule::Ratio];

fn under(rule: SplitRule, shares: [f64; 3], rows: &[Dated]) -> Vec<u8> {
    Splitting { rule, shares: Shares(shares), seed: 5 }.divide(rows).expect("every row is dated")
}

/// One user's rows at these times.
fn user(times: &[i64]) -> Vec<Dated> {
    times.iter().map(|&time| (0, Some(time))).collect()
}

fn sizes(labels: &[u8]) -> [usize; 3] {
    [0, 1, 2].map(|part| labels.iter().filter(|&&label| label == part).count())
}

const SHARES: [f64; 3] = [0.8, 0.1, 0.1];

#[test]
fn sizes_of_random_rules_follow_their_definitions() {
    // n, then train, validation and test under lattice, mmrec and ratio.
    let cases = [
        (1, [1, 0, 0], [1, 0, 0], [1, 0, 0]),
        (3, [1, 1, 1], [1, 1, 1], [1, 1, 1]),
        (5, [3, 1, 1], [3, 1, 1], [3, 1, 1]),
        (9, [7, 1, 1], [7, 1, 1], [7, 1, 1]),
        (10, [8, 1, 1], [8, 1, 1], [8, 1, 1]),
        (15, [12, 2, 1], [12, 1, 2], [13, 1, 1]),
        (25, [20, 3, 2], [20, 2, 3], [21, 2, 2]),
        (30, [24, 3, 3], [24, 3, 3], [24, 3, 3]),
    ];
    for (n, lattice, mmrec, ratio) in cases {
        let of = |rule| sizes(&under(rule, SHARES, &vec![(0, None); n]));
        assert_eq!(RANDOM.map(of), [lattice, mmrec, ratio], "{n}");
    }
    let ratio = |shares, n| sizes(&under(SplitRule::Ratio, shares, &vec![(0, None); n]));
    assert_eq!(ratio([0.7, 0.3, 0.0], 5), [4, 1, 0]);
    assert_eq!(ratio([0.7, 0.3, 0.0], 10), [7, 3, 0]);
    // 0.29 * 100 is a little less than 29 in binary.
    assert_eq!(ratio([0.42, 0.29, 0.29], 100), [42, 29, 29]);
}

#[test]
fn the_last_two_in_time_are_left_out_and_ties_go_by_the_rows() {
    let one_out = |rows: &[Dated]| under(SplitRule::LeaveOneOut, SHARES, rows);
    assert_eq!(one_out(&user(&[5, 9, 1, 7])), [0, 2, 0, 1]);
    assert_eq!(one_out(&user(&[3, 3, 3])), [0, 1, 2]);
    assert_eq!(one_out(&user(&[2, 1])), [0, 0]);
    assert_eq!(one_out(&[(0, None), (0, None), (0, None)]), [0, 1, 2]);
    let two = [(0, Some(5)), (0, Some(9)), (1, Some(1)), (0, Some(7)), (0, Some(6)), (1, Some(2))];
    assert_eq!(one_out(&two), [0, 2, 0, 1, 0, 0]);
}

#[test]
fn instants_are_the_same_for_everyone_and_equal_times_stay_together() {
    let by_time = |shares, times: &[i64]| under(SplitRule::Time, shares, &user(times));
    // Times 1 to 10: train before 9, validation before 10, test from 10 on.
    assert_eq!(by_time(SHARES, &[10, 2, 9, 1, 3, 8, 4, 5, 6, 7]), [2, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(sizes(&by_time(SHARES, &[1, 1, 1, 2, 2, 2, 2, 2, 2, 3])), [3, 6, 1]);
    assert_eq!(sizes(&by_time([1.0, 0.0, 0.0], &[1, 2, 3])), [3, 0, 0]);
    let undated = Splitting { rule: SplitRule::Time, shares: Shares::default(), seed: 0 };
    assert_eq!(undated.divide(&[(0, Some(1)), (0, None)]), None);
}

#[test]
fn shares_that_are_none_or_that_nobody_reads_are_refused() {
    for text in ["0.8,0.1", "0.8,0.1,0.2", "0,0.5,0.5", "1.1,-0.1,0", "NaN,0.1,0.1", "a,b,c"] {
        assert!(text.parse::<Shares>().is_err(), "{text}");
    }
    assert_eq!("0.7, 0.2,0.1".parse::<Shares>(), Ok(Shares([0.7, 0.2, 0.1])));
    for rule in SplitRule::ALL {
        let check = Splitting { rule, shares: Shares([0.7, 0.2, 0.1]), seed: 0 }.check();
        assert_eq!(check.is_ok(), rule.reads_shares(), "{rule:?}");
        assert_eq!(SplitRule::named(rule.name()), Some(rule));
    }
}

proptest! {
    #[test]
    fn every_rule_puts_every_row_into_a_part_and_the_seed_decides(
        users in prop::collection::vec(prop::collection::vec(0i64..50, 1..30), 1..6),
        validation in 0u32..5, test in 0u32..5, seed: u64,
    ) {
        let (validation, test) = (f64::from(validation) / 10.0, f64::from(test) / 10.0);
        let shares = Shares([1.0 - validation - test, validation, test]);
        let each = (0u32..).zip(&users);
        let rows: Vec<Dated> = each.flat_map(|(u, times)| times.iter().map(move |&t| (u, Some(t)))).collect();
        for rule in SplitRule::ALL {
            let splitting = Splitting { rule, shares, seed };
            let labels = splitting.divide(&rows).expect("dated");
            prop_assert_eq!(labels.len(), rows.len());
            prop_assert!(labels.iter().all(|&label| label < 3));
            prop_assert_eq!(&splitting.divide(&rows).expect("dated"), &labels);
            for user in 0..users.len() as u32 {
                let train = rows.iter().zip(&labels).any(|(row, &label)| row.0 == user && label == 0);
                prop_assert!(rule == SplitRule::Time || train);
            }
        }
    }

    #[test]
    fn nothing_held_out_later_is_older(times in prop::collection::vec(-50i64..50, 1..60)) {
        let labels = under(SplitRule::Time, SHARES, &user(&times));
        for (a, ta) in labels.iter().zip(&times) {
            for (b, tb) in labels.iter().zip(&times) {
                prop_assert!(a >= b || ta < tb);
            }
        }
    }

    #[test]
    fn held_out_rows_are_chosen_evenly(seed: u64) {
        // 400 users with 5 rows: each place is test for a fifth of them, give or take 6 standard deviations.
        let rows: Vec<Dated> = (0..400).flat_map(|user| vec![(user, None); 5]).collect();
        for rule in RANDOM {
            let labels = Splitting { rule, shares: Shares::default(), seed }.divide(&rows).expect("by chance");
            for part in [1, 2] {
                let mut counts = [0u32; 5];
                (0..rows.len()).filter(|&row| labels[row] == part).for_each(|row| counts[row % 5] += 1);
                prop_assert!(counts.iter().all(|&c| (32..=128).contains(&c)), "{:?} {:?}", rule, counts);
            }
        }
    }
}
