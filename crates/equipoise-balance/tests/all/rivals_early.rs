//! Rivals that take a margin apart, on a backbone whose modalities meet before the score: values from plain margins,
//! and gradients as difference quotients with weights and factors held.

use crate::common;

use common::*;
use equipoise_balance::agm::{self, AdaptiveModulation};
use equipoise_balance::{BalancerSettings, Cohesion, cohesion};
use equipoise_data::{Seed, Triples};
use equipoise_models::{Ablation, suite};
use serde_json::json;

const N: usize = 3;
const H: f32 = 1.0 / 4096.0;

fn fixture() -> Fixture {
    let mut model = suite_model("mgcn", json!({}), &suite::dataset(N, 2), 2);
    common::spread(&mut model, 1.5);
    let mut bpr = suite::triples(9, 4);
    // The last triple has equal items: its margin tells nothing.
    for column in [&mut bpr.users, &mut bpr.positives, &mut bpr.negatives] {
        column.pop();
    }
    Fixture { model, teachers: Vec::new(), bpr, generic: Triples::default() }
}

/// Margins by triple: full, ids alone, and per modality without it and only it.
struct Plain {
    full: Vec<f32>,
    ids: Vec<f32>,
    without: Vec<Vec<f32>>,
    only: Vec<Vec<f32>>,
}

fn plain(f: &Fixture) -> Plain {
    let of = |a| margins(f, &f.bpr, a);
    Plain {
        full: of(Ablation::FULL),
        ids: of(Ablation::ids_only(N)),
        without: (0..N).map(|m| of(Ablation::without(m))).collect(),
        only: (0..N).map(|m| of(Ablation::only(m, N))).collect(),
    }
}

/// `mean sp(-margin)` of margins by triple.
fn ranked(f: &Fixture, margin: impl Fn(&Plain, usize) -> f64) -> f64 {
    let p = plain(f);
    let loss = |x: f64| (-x).max(0.0) + (-x.abs()).exp().ln_1p();
    (0..p.full.len()).map(|b| loss(margin(&p, b))).sum::<f64>() / p.full.len() as f64
}

fn part(p: &Plain, m: usize, b: usize) -> f64 {
    f64::from(p.full[b]) - f64::from(p.without[m][b])
}

fn response(p: &Plain, m: usize, b: usize) -> f64 {
    0.5 * (f64::from(p.only[m][b]) - f64::from(p.ids[b])) + 0.5 * part(p, m, b)
}

/// Fails unless the step's gradient is the difference quotient of `held` in some directions.
fn slopes(what: &str, seen: &Step, held: impl Fn(&Fixture) -> f64) {
    for seed in 0..4 {
        let mut stream = Seed(seed).stream("direction");
        let mut direction = Vec::new();
        for (name, gradient) in &seen.gradients {
            let draw = |_: &f32| if stream.unit() < 0.5 { -1.0f32 } else { 1.0 };
            direction.push((name.clone(), gradient.iter().map(draw).collect::<Vec<f32>>()));
        }
        let at = |h: f32| {
            let mut f = fixture();
            for (name, d) in &direction {
                let values = f.model.parameters.read(name);
                f.model.parameters.write(name, values.iter().zip(d).map(|(v, d)| v + h * d).collect());
            }
            held(&f)
        };
        let quotient = (at(H) - at(-H)) / f64::from(2.0 * H);
        let both = seen.gradients.iter().flat_map(|g| &g.1).zip(direction.iter().flat_map(|d| &d.1));
        let found: f64 = both.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let within = (quotient - found).abs() <= 1e-2 * (1.0 + quotient.abs());
        assert!(within, "{what}, direction {seed}: found {found}, quotient {quotient}");
    }
}

/// `sum_k a_k D_k + c rest`, weights by triple: ids, then modalities.
fn weighted(a: &[Vec<f32>], p: &Plain, b: usize) -> f64 {
    let parts: Vec<f64> = std::iter::once(f64::from(p.ids[b])).chain((0..N).map(|m| part(p, m, b))).collect();
    let rest = f64::from(p.full[b]) - parts.iter().sum::<f64>();
    let c = N as f64 / (N + 1) as f64;
    parts.iter().zip(a).map(|(d, a)| d * f64::from(a[b])).sum::<f64>() + c * rest
}

#[test]
fn what_remains_of_a_margin_where_modalities_interact_has_the_weight_of_equal_parts() {
    let f = fixture();
    let p = plain(&f);
    let mut parts = vec![p.ids.clone()];
    parts.extend((0..N).map(|m| (0..p.full.len()).map(|b| part(&p, m, b) as f32).collect()));
    let rest = |b: usize| (p.full[b] - parts.iter().map(|d| d[b]).sum::<f32>()).abs();
    let most = (0..p.full.len()).map(rest).fold(0.0, f32::max);
    assert!(most > 0.02, "modalities interact here: {most}");
    let a = cohesion::weights(&parts);
    let mut balancer = Cohesion::default().build(f.setup());
    let seen = step(&f, Ablation::FULL, balancer.as_mut(), 0.0);
    let held = |f: &Fixture| ranked(f, |p, b| weighted(&a, p, b));
    assert!((seen.total - held(&f)).abs() < 1e-5, "{} {}", seen.total, held(&f));
    slopes("cohesion", &seen, held);
}

#[test]
fn responses_that_interact_leave_the_value_and_modulate_the_gradient() {
    let f = fixture();
    let p = plain(&f);
    let mut balancer = AdaptiveModulation::new(agm::Config { alpha: 2.0, ids: false }, N);
    let mut other = fixture();
    common::spread(&mut other.model, 0.4);
    step(&other, Ablation::FULL, &mut balancer, 0.0);
    let seen = step(&f, Ablation::FULL, &mut balancer, 0.0);
    assert!((seen.total - seen.bpr).abs() < 1e-6);
    let kappa: Vec<f64> = seen.modalities.iter().map(|m| m.weight).collect();
    assert!(kappa.iter().any(|k| (k - 1.0).abs() > 1e-3), "{kappa:?}");
    let count = p.full.len();
    for (m, numbers) in seen.modalities.iter().enumerate() {
        let mean = (0..count).map(|b| response(&p, m, b)).sum::<f64>() / count as f64;
        assert!((numbers.effect.unwrap() - mean).abs() < 1e-5, "{:?} {mean}", numbers.effect);
    }
    let moving = |now: &Plain, b: usize| -> f64 {
        (0..N).map(|m| (kappa[m] - 1.0) * (response(now, m, b) - response(&p, m, b))).sum()
    };
    slopes("agm", &seen, |f| ranked(f, |now, b| f64::from(now.full[b]) + moving(now, b)));
}
