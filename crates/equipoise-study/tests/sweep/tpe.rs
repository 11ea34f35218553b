//! TPE finds better points than chance, and only points of the space.

use crate::support::{exhaust, hill, mixed, top};
use equipoise_study::search::strategy::{Random, Strategy, Tpe, TpeConfig};
use equipoise_study::search::{Dimension, Point, Record, Space};
use proptest::prelude::*;
use std::f64::consts::PI;

const SEEDS: u64 = 60;

/// The t statistic of the paired differences over seeds between the best of TPE and the best of random search.
fn advantage(space: &Space, trials: usize, value: fn(&Point) -> f64) -> f64 {
    let difference = |seed: u64| {
        let tpe = Tpe::new(space.clone(), seed, trials, TpeConfig::default());
        let random = Random::new(space.clone(), seed, trials);
        top(&exhaust(&tpe, value)) - top(&exhaust(&random, value))
    };
    let x: Vec<f64> = (0..SEEDS).map(difference).collect();
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean / (variance / n).sqrt()
}

/// Minus the function of Branin, of two reals, with three equal optima of -0.397887.
fn branin(point: &Point) -> f64 {
    let (x, y) = (point.number("x").unwrap(), point.number("y").unwrap());
    let bowl = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    -(bowl * bowl + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0)
}

/// With 59 degrees of freedom, 3.5 is passed by chance once in a thousand.
const SURE: f64 = 3.5;

#[test]
fn it_beats_random_search_over_reals_whole_numbers_and_words() {
    let t = advantage(&mixed(), 40, hill);
    assert!(t > SURE, "{t}");
}

#[test]
fn it_beats_random_search_on_the_function_of_branin() {
    let ends = [("x", -5.0, 10.0), ("y", 0.0, 15.0)];
    let axes = ends.map(|(name, low, high)| (name.to_owned(), Dimension::range(low, high)));
    let t = advantage(&Space::new(axes.to_vec()).unwrap(), 40, branin);
    assert!(t > SURE, "{t}");
}

#[test]
fn it_is_no_better_than_chance_where_nothing_can_be_learned() {
    // Worth a hash of the point: near points say nothing about each other. This guards the test above.
    let noise = |point: &Point| {
        let text = point.to_string();
        let hash = text
            .bytes()
            .fold(14_695_981_039_346_656_037u64, |h, b| (h ^ u64::from(b)).wrapping_mul(1_099_511_628_211));
        (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1u64 << 53) as f64
    };
    let t = advantage(&mixed(), 40, noise);
    assert!(t.abs() < SURE, "{t}");
}

#[test]
fn equal_histories_give_equal_rounds_of_fixed_width() {
    let tpe = Tpe::new(mixed(), 5, 30, TpeConfig { startup: 6, round: 4, ..TpeConfig::default() });
    let history = exhaust(&tpe, hill);
    assert_eq!(history.len(), 30);
    for done in [6, 10, 14, 26] {
        let batch = tpe.next(&history[..done]);
        let width = batch.len();
        assert_eq!(width, 4.min(30 - done));
        let again: Vec<&Point> = history[done..done + width].iter().map(|r| &r.proposal.point).collect();
        assert_eq!(batch.iter().map(|p| &p.point).collect::<Vec<_>>(), again);
    }
    let longer =
        exhaust(&Tpe::new(mixed(), 5, 37, TpeConfig { startup: 6, round: 4, ..TpeConfig::default() }), hill);
    assert_eq!(history, longer[..30], "more trials only add to the end");
}

#[test]
fn a_trial_that_failed_is_avoided() {
    let space = Space::new(vec![("x".into(), Dimension::range(0.0, 1.0))]).unwrap();
    let tpe = Tpe::new(space, 2, 60, TpeConfig::default());
    let mut history: Vec<Record> = Vec::new();
    // Above one half everything fails; below, the nearer to one quarter the better.
    while let batch @ [_, ..] = &tpe.next(&history)[..] {
        let outcome = |x: f64| if x > 0.5 { Err("diverged".to_owned()) } else { Ok(-(x - 0.25).abs()) };
        history.extend(batch.iter().cloned().map(|proposal| {
            let value = outcome(proposal.point.number("x").unwrap());
            let measured = value.map(|v| crate::support::measured(v, proposal.budget));
            Record { proposal, outcome: measured }
        }));
    }
    let failed = |records: &[Record]| records.iter().filter(|r| r.outcome.is_err()).count() as f64;
    let (first, last) = (failed(&history[..8]) / 8.0, failed(&history[30..]) / 30.0);
    assert!(first > 0.2 && last < 0.5 * first, "{first} {last}");
    assert!(top(&history) > -0.01, "{}", top(&history));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(25) })]

    #[test]
    fn proposals_stay_within_bounds_kinds_and_lists_and_never_repeat(seed: u64, startup in 2usize..8, round in 1usize..6) {
        let tpe = Tpe::new(mixed(), seed, 25, TpeConfig { startup, round, ..TpeConfig::default() });
        let history = exhaust(&tpe, hill);
        prop_assert_eq!(history.len(), 25);
        for (k, record) in history.iter().enumerate() {
            let point = &record.proposal.point;
            prop_assert!((1e-5..=1.0).contains(&point.number("rate").unwrap()));
            prop_assert!(point.get("layers").unwrap().is_integer());
            prop_assert!((1.0..=12.0).contains(&point.number("layers").unwrap()));
            prop_assert!("abcd".contains(point.get("word").unwrap().as_str().unwrap()));
            prop_assert_eq!(record.proposal.number, k);
            prop_assert!(history[..k].iter().all(|r| r.proposal.point != *point));
        }
    }
}

#[test]
fn a_small_space_is_used_up_and_the_best_point_found() {
    let space = Space::new(vec![("n".into(), Dimension::range(1.0, 15.0).whole())]).unwrap();
    let tpe = Tpe::new(space, 1, 100, TpeConfig::default());
    assert_eq!(tpe.total(), 15);
    let history = exhaust(&tpe, |p| -(p.number("n").unwrap() - 4.0).abs());
    assert_eq!((history.len(), top(&history)), (15, 0.0));
}
