//! What must hold of the rivals' weights and factors for any input.

use crate::common;

use common::*;
use equipoise_balance::gb::{Config, Estimate, GradientBlending, Schedule, blend};
use equipoise_balance::none::NoBalance;
use equipoise_balance::ogm::{self, GradientModulation, factors, noise, spread};
use equipoise_balance::{
    Balancer, BalancerSettings, G2d, HeadLosses, Heads, Losses, agm, arl, cohesion, g2d, mmpareto,
};
use equipoise_data::Seed;
use equipoise_models::Ablation;
use proptest::prelude::*;

fn losses() -> impl Strategy<Value = Losses> {
    let any = prop_oneof![4 => 0.0f64..2.0, 1 => Just(0.7), 1 => Just(1e300), 1 => Just(f64::NAN)];
    (any.clone(), any).prop_map(|(train, validation)| Losses { train, validation })
}

fn head() -> impl Strategy<Value = HeadLosses> {
    (losses(), losses()).prop_map(|(before, after)| HeadLosses { before, after })
}

proptest! {
    #[test]
    fn blending_weights_are_shares(heads in proptest::collection::vec(head(), 1..6)) {
        let found = blend(&heads);
        prop_assert!(found.iter().all(|w| w.is_finite() && *w >= 0.0), "{found:?}");
        prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn heads_alike_or_without_gain_have_equal_weights(one in head(), n in 1usize..6, more in 0.0f64..1.0) {
        let equal = |found: Vec<f64>| found.iter().all(|w| (w - 1.0 / n as f64).abs() < 1e-12);
        prop_assert!(equal(blend(&vec![one; n])));
        let worse = |k: usize| {
            let before = Losses { train: 0.7, validation: 0.6 };
            HeadLosses { before, after: Losses { train: 0.1 * k as f64, validation: 0.6 + more } }
        };
        prop_assert!(equal(blend(&(0..n).map(worse).collect::<Vec<_>>())));
    }

    #[test]
    fn more_gain_or_less_overfitting_never_lowers_a_weight(gain in 0.01f64..0.5, more in 0.0f64..0.2, gap in 0.01f64..0.5) {
        let of = |gain: f64, gap: f64| HeadLosses {
            before: Losses { train: 0.7, validation: 0.7 },
            after: Losses { train: 0.7 - gain - gap, validation: 0.7 - gain },
        };
        let other = of(0.2, 0.2);
        let first = |head| blend(&[head, other])[0];
        prop_assert!(first(of(gain + more, gap)) >= first(of(gain, gap)) - 1e-12);
        prop_assert!(first(of(gain, gap + more)) <= first(of(gain, gap)) + 1e-12);
    }

    #[test]
    fn factors_slow_only_who_leads(scores in proptest::collection::vec(0.0f64..=1.0, 1..6), alpha in 0.0f64..3.0) {
        let found = factors(&scores, alpha);
        for &(rho, k) in &found {
            let least = 1.0 - (alpha * rho).tanh();
            prop_assert!(rho >= 0.0 && k <= 1.0 && k >= least.min(1.0) - 1e-12, "{found:?}");
            prop_assert!(rho > 1.0 || k == 1.0, "{found:?}");
        }
        if let [(a, k), (b, l)] = found[..] && scores.iter().all(|s| *s > 0.0) {
            prop_assert!((a - scores[0] / scores[1]).abs() < 1e-9 * (1.0 + a), "the two-modality form");
            prop_assert!((a * b - 1.0).abs() < 1e-9 && (k == 1.0 || l == 1.0));
        }
        prop_assert!(scores.len() > 1 || found == [(1.0, 1.0)]);
    }

    #[test]
    fn noise_is_where_a_gradient_is(rows in proptest::collection::vec(any::<bool>(), 1..9), seed: u64) {
        let gradient: Vec<f32> =
            rows.iter().enumerate().flat_map(|(r, &on)| [if on { 1.0 + r as f32 } else { 0.0 }, 0.0]).collect();
        let draw = || noise(&gradient, 2, &mut Seed(seed).stream("ogm/noise"));
        for (row, on) in draw().chunks(2).zip(&rows) {
            prop_assert!(row.iter().all(|v| (*v != 0.0) == *on), "{row:?}");
        }
        prop_assert_eq!(draw(), draw());
    }

    #[test]
    fn part_weights_are_complements_of_shares(parts in proptest::collection::vec(proptest::collection::vec(-1e4f32..1e4, 3), 2..5)) {
        let found = cohesion::weights(&parts);
        for b in 0..3 {
            let column: Vec<f64> = found.iter().map(|a| f64::from(a[b])).collect();
            prop_assert!(column.iter().all(|a| (0.0..=1.0).contains(a)), "{column:?}");
            prop_assert!((column.iter().sum::<f64>() - (column.len() - 1) as f64).abs() < 1e-5, "{column:?}");
        }
    }

    #[test]
    fn leads_are_bounded_and_opposite_for_two(scores in proptest::collection::vec(-1e5f64..0.0, 1..5)) {
        let found = agm::ratios(&scores);
        prop_assert!(found.iter().all(|(r, _)| (0.1..=10.0).contains(r)), "{found:?}");
        if let [(a, _), (b, _)] = found[..] {
            prop_assert!((a * b - 1.0).abs() < 1e-9, "{found:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_loss_rises_along_the_point_nearest_to_zero(
        rows in proptest::collection::vec(proptest::collection::vec(-2.0f64..2.0, 4), 2..6)
    ) {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let gram: Vec<Vec<f64>> = rows.iter().map(|a| rows.iter().map(|b| product(a, b)).collect()).collect();
        let a = mmpareto::weights(&gram);
        prop_assert!(a.iter().all(|w| (0.0..=1.0).contains(w)) && (a.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{a:?}");
        let along: Vec<f64> = gram.iter().map(|row| product(row, &a)).collect();
        let square = product(&along, &a);
        let most = gram.iter().flatten().fold(0.0f64, |most, v| most.max(v.abs()));
        prop_assert!(along.iter().all(|v| *v > -1e-6 * most), "{along:?}");
        if gram.iter().flatten().all(|v| *v >= 0.0) {
            prop_assert!(a.iter().all(|w| *w == 1.0 / a.len() as f64) && mmpareto::size(&gram, &a) == a.len() as f64);
        } else {
            // The nearest point: every gradient reaches at least as far along it as it does itself.
            prop_assert!(along.iter().all(|v| *v >= square - 1e-6 * most), "{along:?} {square}");
            let sum = gram.iter().flatten().sum::<f64>().max(0.0).sqrt();
            let found = mmpareto::size(&gram, &a) * square.max(0.0).sqrt();
            prop_assert!(found <= sum * (1.0 + 1e-6) + 1e-9, "{found} {sum}");
        }
    }

    #[test]
    fn one_modality_more_learns_at_a_time_and_all_in_the_end(n in 1usize..6, hold in 0usize..20) {
        let course: Vec<usize> = (1..=hold + 1).map(|epoch| g2d::learners(epoch, n, hold)).collect();
        prop_assert_eq!(course[hold], n);
        prop_assert!(hold == 0 || course[0] == 1);
        prop_assert!(course.is_sorted());
    }

    #[test]
    fn who_learns_is_less_sure_than_who_is_held(sure in proptest::collection::vec(0.0f64..1.0, 1..6), learners in 1usize..6) {
        let found = g2d::learn(&sure, learners);
        prop_assert!(found.iter().filter(|k| **k).count() >= learners.min(sure.len()), "{found:?}");
        for (a, of_a) in sure.iter().zip(&found) {
            prop_assert!(sure.iter().zip(&found).all(|(b, of_b)| a > b || *of_a || !of_b), "{found:?}");
        }
    }

    #[test]
    fn steps_are_in_the_inverse_ratio_of_variances(
        v in proptest::collection::vec(1e-6f64..0.25, 1..6), alpha in 0.0f64..3.0
    ) {
        let found = arl::factors(&v, alpha);
        prop_assert!((found.iter().sum::<f64>() - v.len() as f64).abs() < 1e-9, "{found:?}");
        for (k, v_k) in found.iter().zip(&v) {
            let ratio = (v[0] / v_k).powf(alpha);
            prop_assert!((k - found[0] * ratio).abs() <= 1e-9 * k.max(found[0] * ratio), "{found:?}");
        }
    }
}

#[test]
fn variances_have_a_floor_however_sure_a_modality_is() {
    assert_eq!(arl::variance(&[1e4, -1e4]), arl::LEAST);
    assert_eq!(arl::variance(&[0.0]), 0.25);
}

#[test]
fn a_group_that_is_held_back_has_no_gradient_at_all() {
    let golden = golden("ckd");
    let f = Fixture::named(&golden, "m2_open");
    let at = |epoch| {
        let mut balancer = G2d::default().build(f.setup());
        balancer.begin_epoch(epoch, &mut Given::default());
        step(&f, Ablation::FULL, balancer.as_mut(), 0.01)
    };
    let (early, late) = (at(1), at(11));
    let sure: Vec<f64> = early.modalities.iter().map(|m| m.rho.unwrap()).collect();
    let strong = f.model.inputs.names()[usize::from(sure[1] > sure[0])];
    for ((name, early), (_, late)) in early.gradients.iter().zip(&late.gradients) {
        let held = name.ends_with(&format!(".{strong}"));
        assert!(late.iter().any(|v| *v != 0.0), "{name}: it learns in the end");
        assert_eq!(early == late, !held, "{name}");
        assert!(!held || early.iter().all(|v| *v == 0.0), "{name}");
    }
}

#[test]
fn noise_has_the_gradients_own_spread() {
    let gradient: Vec<f32> =
        (0..40_000).map(|k| if k < 20_000 { (k % 7) as f32 - 2.0 } else { 0.0 }).collect();
    let drawn = noise(&gradient, 10, &mut Seed(1).stream("ogm/noise"));
    let (found, wanted) = (spread(&drawn, 10), spread(&gradient, 10));
    assert!((found / wanted - 1.0).abs() < 0.03, "{found} {wanted}");
    let mean = drawn.iter().map(|v| f64::from(*v)).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.05 * wanted, "{mean}");
}

/// Answers with losses that were set, and counts what it is asked.
#[derive(Default)]
struct Given {
    now: Vec<Losses>,
    alone: Vec<Losses>,
    asked: (usize, Vec<usize>),
}

impl Heads for Given {
    fn now(&mut self) -> Vec<Losses> {
        self.asked.0 += 1;
        self.now.clone()
    }

    fn alone(&mut self, epochs: usize) -> Vec<Losses> {
        self.asked.1.push(epochs);
        self.alone.clone()
    }
}

fn of(validation: f64) -> Losses {
    Losses { train: validation - 0.1, validation }
}

#[test]
fn online_weights_come_from_copies_trained_alone_every_so_many_epochs() {
    let config = Config { schedule: Schedule::Online, every: 3, ..Config::default() };
    let mut blending = GradientBlending::new(config, 2, &[]);
    let mut heads = Given { now: vec![of(0.7); 3], alone: vec![of(0.5); 3], ..Given::default() };
    blending.begin_epoch(1, &mut heads);
    assert_eq!(blending.weights(), [1.0 / 3.0; 3], "heads alike");
    heads.alone[1] = of(0.7);
    (2..=3).for_each(|epoch| blending.begin_epoch(epoch, &mut heads));
    assert_eq!((heads.asked.0, &heads.asked.1[..]), (1, &[3][..]), "not due yet");
    blending.begin_epoch(4, &mut heads);
    let w = blending.weights();
    assert!(w[1] < 1e-6 && (w[0] - 0.5).abs() < 1e-6 && (w[2] - 0.5).abs() < 1e-6, "{w:?}");
    assert_eq!(heads.asked.1, [3, 3]);
}

#[test]
fn the_running_estimate_trains_nothing_and_compares_with_the_last_time() {
    let (schedule, estimate) = (Schedule::Online, Estimate::Running);
    let mut blending =
        GradientBlending::new(Config { schedule, estimate, every: 2, ..Config::default() }, 1, &[]);
    let mut heads = Given { now: vec![of(0.7); 2], ..Given::default() };
    blending.begin_epoch(1, &mut heads);
    assert_eq!(blending.weights(), [0.5, 0.5], "nothing to compare with");
    heads.now = vec![of(0.7), of(0.6)];
    blending.begin_epoch(2, &mut heads);
    assert_eq!(blending.weights(), [0.5, 0.5], "not due yet");
    blending.begin_epoch(3, &mut heads);
    assert!(blending.weights()[1] > 0.999, "{:?}", blending.weights());
    heads.now = vec![of(0.5), of(0.6)];
    blending.begin_epoch(5, &mut heads);
    assert!(blending.weights()[0] > 0.999, "against the last time, not the first: {:?}", blending.weights());
    assert!(heads.asked.1.is_empty());
}

#[test]
fn an_offline_balancer_asks_for_no_loss() {
    let mut heads = Given::default();
    let measured = vec![HeadLosses { before: of(0.7), after: of(0.5) }; 2];
    GradientBlending::new(Config::default(), 1, &measured).begin_epoch(1, &mut heads);
    assert!(heads.asked.0 == 0 && heads.asked.1.is_empty());
}

#[test]
fn modulation_is_the_identity_with_one_modality_and_outside_its_epochs() {
    let golden = golden("ckd");
    let plain = |f: &Fixture| step(f, Ablation::FULL, &mut NoBalance, 0.01).gradients;
    let ge = ogm::Config { ge: true, end_epoch: 2, ..ogm::Config::default() };
    let one = Fixture::named(&golden, "m1_open");
    assert_eq!(
        step(&one, Ablation::FULL, &mut GradientModulation::new(ge, &one.setup()), 0.01).gradients,
        plain(&one)
    );
    let two = Fixture::named(&golden, "m2_open");
    let mut balancer = GradientModulation::new(ge, &two.setup());
    let mut at = |epoch| {
        balancer.begin_epoch(epoch, &mut Given::default());
        step(&two, Ablation::FULL, &mut balancer, 0.01)
    };
    assert_ne!(at(2).gradients, plain(&two));
    let after = at(3);
    assert_eq!(after.gradients, plain(&two));
    assert!(after.modalities.iter().all(|m| m.weight == 1.0 && m.rho.unwrap() > 0.0), "it still measures");
}

#[test]
fn noise_reaches_groups_of_modalities_alone_and_rows_of_the_batch() {
    let golden = golden("ckd");
    let f = Fixture::named(&golden, "m2_open");
    let run = |ge| {
        let config = ogm::Config { ge, ..ogm::Config::default() };
        step(&f, Ablation::FULL, &mut GradientModulation::new(config, &f.setup()), 0.0).gradients
    };
    for ((name, with), (_, without)) in run(true).iter().zip(&run(false)) {
        assert_eq!(with == without, name.ends_with(".id"), "{name}");
        let outside = |user: usize| with[user * 4..][..4].iter().all(|v| *v == 0.0);
        assert!(!name.starts_with("user.") || (outside(3) && outside(5)), "{name}: users outside the batch");
    }
    assert_eq!(run(true), run(true), "the same seed, the same noise");
}
