//! What must hold of the weights for any finite margins.

use equipoise_balance::weights::{
    Denominator, Guard, Level, ModalityMargins, Shape, StepWeights, Sum, Weigher, WeightMode, WeightSwitches,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Any finite margin: ordinary, zero, or far beyond.
fn margin() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -3.0f32..3.0,
        1 => Just(0.0f32),
        1 => -1e-9f32..1e-9,
        1 => select(vec![1e30f32, -1e30, f32::MAX, f32::MIN, 1e-38]),
    ]
}

fn switches() -> impl Strategy<Value = WeightSwitches> {
    let mode = select(vec![WeightMode::Paper, WeightMode::Released, WeightMode::Uniform]);
    let parts = (
        proptest::option::of(select(vec![Sum::One, Sum::Modalities, Sum::Printed])),
        proptest::option::of(select(vec![Level::Batch, Level::Triple])),
        proptest::option::of(select(vec![Denominator::Teacher, Denominator::Student])),
        proptest::option::of(select(vec![Guard::Floored, Guard::Raw])),
        select(vec![Shape::Complement, Shape::Inverse]),
    );
    (mode, parts).prop_map(|(mode, (sum, level, denominator, guard, shape))| WeightSwitches {
        mode,
        sum,
        level,
        denominator,
        guard,
        shape,
        smooth: 0.0,
    })
}

#[derive(Clone, Debug)]
struct Step {
    full: Vec<f32>,
    modalities: Vec<ModalityMargins>,
}

fn step(least: usize) -> impl Strategy<Value = Step> {
    (least..=4usize, 1usize..6).prop_flat_map(|(n, b)| {
        let row = || proptest::collection::vec(margin(), b);
        let one = (row(), row(), row());
        (row(), proptest::collection::vec(one, n)).prop_map(|(full, rows)| {
            let of = |(only, without, teacher)| ModalityMargins { only, without, teacher };
            Step { full, modalities: rows.into_iter().map(of).collect() }
        })
    })
}

fn weigh(s: WeightSwitches, step: &Step) -> StepWeights {
    Weigher::new(s.resolve()).weigh(&step.full, &step.modalities)
}

fn total(s: WeightSwitches, n: usize) -> f64 {
    match s.resolve().sum {
        _ if n == 0 => 0.0,
        Sum::One => 1.0,
        Sum::Modalities => n as f64,
        Sum::Printed => (n - 1) as f64,
    }
}

fn mean(x: &[f32]) -> f64 {
    x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64
}

/// Which teachers teach: of the step, then on each triple where weights are taken there.
fn taught(s: WeightSwitches, step: &Step) -> Vec<Vec<bool>> {
    let r = s.resolve();
    let always = r.uniform || r.guard == Guard::Raw || r.denominator == Denominator::Student;
    let on = |margin: &dyn Fn(&ModalityMargins) -> f64| -> Vec<bool> {
        step.modalities.iter().map(|m| always || margin(m) > 0.0).collect()
    };
    match r.level {
        _ if r.uniform => vec![on(&|_| 1.0)],
        Level::Batch => vec![on(&|m| mean(&m.teacher))],
        Level::Triple => (0..step.full.len()).map(|b| on(&|m| f64::from(m.teacher[b]))).collect(),
    }
}

/// Weights of the step, or of each triple where there are such.
fn all_weights(w: &StepWeights) -> Vec<Vec<f64>> {
    let Some(rows) = &w.per_triple else { return vec![w.mean.clone()] };
    (0..rows[0].len()).map(|b| rows.iter().map(|r| f64::from(r[b])).collect()).collect()
}

proptest! {
    #[test]
    fn weights_are_finite_and_share_out_the_configured_sum(s in switches(), step in step(1)) {
        let n = step.modalities.len();
        let found = weigh(s, &step);
        let all = all_weights(&found);
        prop_assert_eq!(all.len(), taught(s, &step).len());
        for (weights, taught) in all.into_iter().zip(taught(s, &step)) {
            prop_assert_eq!(weights.len(), n);
            let total = total(s, taught.iter().filter(|&&t| t).count());
            prop_assert!(weights.iter().zip(&taught).all(|(w, t)| *t || *w == 0.0), "{:?} {:?}", weights, taught);
            let inside = |w: &f64| w.is_finite() && *w >= 0.0 && *w <= total * (1.0 + 1e-6);
            prop_assert!(weights.iter().all(inside), "{:?}", weights);
            prop_assert!((weights.iter().sum::<f64>() - total).abs() < 1e-5, "{:?}", weights);
        }
        prop_assert!(found.rho.iter().all(|r| (0.99e-8..=10.0001).contains(r)), "{:?}", found.rho);
        prop_assert!(found.clamped.iter().all(|c| (-1e-9..=1.0 + 1e-9).contains(c)));
    }

    #[test]
    fn relabelling_modalities_relabels_weights(s in switches(), step in step(2), shift in 1usize..4) {
        let mut turned = step.clone();
        turned.modalities.rotate_left(shift % step.modalities.len());
        let (mut expected, found) = (weigh(s, &step).mean, weigh(s, &turned).mean);
        expected.rotate_left(shift % step.modalities.len());
        for (f, e) in found.iter().zip(&expected) {
            prop_assert!((f - e).abs() < 1e-6, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn a_single_modality_has_the_whole_sum_if_its_teacher_teaches(s in switches(), step in step(1)) {
        let one = Step { modalities: vec![step.modalities[0].clone()], ..step };
        let expected = taught(s, &one).iter().map(|t| if t[0] { total(s, 1) } else { 0.0 }).collect::<Vec<_>>();
        let found = weigh(s, &one).mean[0];
        prop_assert!((found - expected.iter().sum::<f64>() / expected.len() as f64).abs() < 1e-9);
    }

    #[test]
    fn no_positive_effect_means_equal_weights(step in step(2), shape in select(vec![Shape::Complement, Shape::Inverse])) {
        let mut step = step;
        for m in &mut step.modalities {
            m.without = step.full.iter().map(|f| f + f.abs() * 0.5).collect();
            m.teacher = m.teacher.iter().map(|t| t.abs() + 0.1).collect();
        }
        let n = step.modalities.len();
        prop_assume!(step.full.iter().all(|f| f.abs() < 1e30));
        let found = weigh(WeightSwitches { shape, ..Default::default() }, &step);
        prop_assert!(found.effect.iter().all(|g| *g <= 0.0));
        found.mean.iter().for_each(|w| assert!((w - 1.0 / n as f64).abs() < 1e-12, "{found:?}"));
    }

    #[test]
    fn equal_modalities_have_equal_weights(s in switches(), step in step(1), n in 2usize..5) {
        let twins = Step { modalities: vec![step.modalities[0].clone(); n], ..step };
        let found = weigh(s, &twins).mean;
        found.iter().for_each(|w| assert!((w - found[0]).abs() < 1e-9, "{found:?}"));
    }

    /// Eq. (18) as printed, for any number of modalities, positive effects and ratios of at most 10.
    #[test]
    fn the_printed_sum_gives_the_printed_weights(parts in proptest::collection::vec((0.01f32..2.0, 0.5f32..2.0), 1..6)) {
        let of = |&(g, t): &(f32, f32)| ModalityMargins { only: vec![1.0], without: vec![-g], teacher: vec![t] };
        let step = Step { full: vec![0.0], modalities: parts.iter().map(of).collect() };
        let rho: Vec<f64> = parts.iter().map(|&(g, t)| f64::from(g) / f64::from(t)).collect();
        let found = weigh(WeightSwitches { sum: Some(Sum::Printed), ..Default::default() }, &step).mean;
        for (f, r) in found.iter().zip(&rho) {
            prop_assert!((f - (1.0 - r / rho.iter().sum::<f64>())).abs() < 1e-9, "{found:?}");
        }
    }

    /// Eq. (18) as printed, for two modalities and positive inputs.
    #[test]
    fn two_positive_modalities_have_the_printed_weights(g in [0.01f32..2.0, 0.01f32..2.0], t in [0.5f32..2.0, 0.5f32..2.0]) {
        let of = |m: usize| ModalityMargins { only: vec![1.0], without: vec![-g[m]], teacher: vec![t[m]] };
        let step = Step { full: vec![0.0], modalities: vec![of(0), of(1)] };
        let rho = [0, 1].map(|m| f64::from(g[m]) / f64::from(t[m]));
        let expected = [rho[1] / (rho[0] + rho[1]), rho[0] / (rho[0] + rho[1])];
        for shape in [Shape::Complement, Shape::Inverse] {
            let found = weigh(WeightSwitches { shape, ..Default::default() }, &step).mean;
            prop_assert!((found[0] - expected[0]).abs() < 1e-9 && (found[1] - expected[1]).abs() < 1e-9);
        }
    }
}
