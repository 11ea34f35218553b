//! The gradient of a whole distilled step is a difference quotient of its loss, with the weights held.

use crate::common;

use common::*;
use equipoise_balance::ckd::Distillation;
use equipoise_balance::gb::{self, GradientBlending};
use equipoise_balance::losses::GenericLog;
use equipoise_balance::robust::ChannelSetup;
use equipoise_balance::stacking::Stack;
use equipoise_balance::weights::WeightMode;
use equipoise_balance::{BalanceConfig, Balancer, Ckd, HeadLosses, Losses, Setup, Teacher};
use equipoise_data::{Seed, Triples};
use equipoise_models::Ablation;
use serde_json::Value;

const REG: f64 = 0.01;

fn config(weights: WeightMode) -> Ckd {
    Ckd { lambda_kd: 0.5, lambda_g: 0.5, tau: 1.0, weights, ..Ckd::default() }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

fn wide(x: Vec<f32>) -> Vec<f64> {
    x.into_iter().map(f64::from).collect()
}

/// The step's loss from plain margins, with constant weights `lambda`: nothing of the balancer's code.
fn held(f: &Fixture, c: &Ckd, lambda: &[f64]) -> f64 {
    let n = f.n();
    let student = |t: &Triples, a| wide(margins(f, t, a));
    let mut loss = mean(student(&f.bpr, Ablation::FULL).into_iter().map(|m| softplus(-m))) + penalty(f);
    for (m, weight) in lambda.iter().enumerate() {
        let pairs = |t: &Triples| {
            let teacher = wide(f.teachers[m].margins(t));
            student(t, Ablation::only(m, n)).into_iter().zip(teacher).collect::<Vec<_>>().into_iter()
        };
        let specific = mean(pairs(&f.bpr).map(|(s, t)| (t - s).max(0.0)));
        let generic = mean(pairs(&f.generic).map(|(s, t)| {
            let p = 1.0 / (1.0 + (-t / c.tau).exp());
            softplus(s / c.tau) - p * s / c.tau
        }));
        loss += c.lambda_kd * weight * (specific + c.lambda_g * generic);
    }
    loss
}

fn penalty(f: &Fixture) -> f64 {
    let (users, items, width) = f.model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL);
    let square = |table: &[f32], row: u32| -> f64 {
        table[row as usize * width..][..width].iter().map(|v| f64::from(*v) * f64::from(*v)).sum()
    };
    let of = |b: usize| {
        square(&users, f.bpr.users[b])
            + square(&items, f.bpr.positives[b])
            + square(&items, f.bpr.negatives[b])
    };
    REG * 0.5 * mean((0..f.bpr.len()).map(of))
}

/// Moves every parameter by `h` along its direction.
fn moved(golden: &Value, name: &str, direction: &[(String, Vec<f32>)], h: f32) -> Fixture {
    let mut f = Fixture::named(golden, name);
    for (parameter, d) in direction {
        let values = f.model.parameters.read(parameter);
        f.model.parameters.write(parameter, values.iter().zip(d).map(|(v, d)| v + h * d).collect());
    }
    f
}

fn direction(f: &Fixture, seed: u64) -> Vec<(String, Vec<f32>)> {
    let mut stream = Seed(seed).stream("direction");
    let mut draw = |n: usize| (0..n).map(|_| if stream.unit() < 0.5 { -1.0 } else { 1.0 }).collect();
    f.model.parameters.iter().map(|(name, _, [r, c])| (name.to_owned(), draw(r * c))).collect()
}

fn along(gradients: &[(String, Vec<f32>)], direction: &[(String, Vec<f32>)]) -> f64 {
    let both = gradients.iter().flat_map(|g| &g.1).zip(direction.iter().flat_map(|d| &d.1));
    both.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum()
}

#[test]
fn the_gradient_is_the_difference_quotient_with_the_weights_held() {
    let golden = golden("ckd");
    let h = 1.0 / 2048.0;
    for name in ["m1_open", "m2_open", "m3_open", "m2_guarded", "m3_guarded"] {
        for weights in [WeightMode::Paper, WeightMode::Uniform] {
            let (f, c) = (Fixture::named(&golden, name), config(weights));
            let seen =
                step(&f, Ablation::FULL, &mut Distillation::new(c.clone(), f.teachers.clone(), f.n()), REG);
            let lambda: Vec<f64> = seen.modalities.iter().map(|m| m.weight).collect();
            assert!((held(&f, &c, &lambda) - seen.total).abs() < 1e-5 * (1.0 + seen.total), "{name}");
            for seed in 0..4 {
                let d = direction(&f, seed);
                let at = |h: f32| held(&moved(&golden, name, &d, h), &c, &lambda);
                let (quotient, found) = ((at(h) - at(-h)) / f64::from(2.0 * h), along(&seen.gradients, &d));
                let within = (quotient - found).abs() <= 2e-3 * (1.0 + quotient.abs());
                assert!(within, "{name} {weights:?} direction {seed}: found {found}, quotient {quotient}");
            }
        }
    }
}

#[test]
fn generic_triples_of_equal_items_leave_every_gradient_as_it_was() {
    let golden = golden("ckd");
    let mut f = Fixture::named(&golden, "m2_open");
    f.generic = Triples { users: vec![3, 5], positives: vec![4, 7], negatives: vec![4, 7] };
    for generic_log in [GenericLog::Exact, GenericLog::Released] {
        let with = Ckd { generic_log, ..config(WeightMode::Uniform) };
        let without = Ckd { lambda_g: 0.0, ..with.clone() };
        let run = |c: Ckd| step(&f, Ablation::FULL, &mut Distillation::new(c, f.teachers.clone(), 2), REG);
        let (with, without) = (run(with), run(without));
        assert_eq!(with.gradients, without.gradients);
        for m in &with.modalities {
            assert!((m.generic.unwrap() - std::f64::consts::LN_2).abs() < 1e-6, "{:?}", m.generic);
        }
    }
}

#[test]
fn without_distillation_the_step_is_the_plain_one_and_still_measures() {
    let golden = golden("ckd");
    let f = Fixture::named(&golden, "m3_open");
    let off = Ckd { lambda_kd: 0.0, ..Ckd::default() };
    let measured = step(&f, Ablation::FULL, &mut Distillation::new(off, f.teachers.clone(), 3), REG);
    let plain = step(&f, Ablation::FULL, &mut equipoise_balance::none::NoBalance, REG);
    assert_eq!((measured.total, &measured.gradients), (plain.total, &plain.gradients));
    assert!(measured.modalities.iter().all(|m| m.effect.unwrap() != 0.0) && plain.modalities.is_empty());
}

/// Teachers of ids and silenced ones beside those of the fixture: the same tables, turned.
fn channels(f: &Fixture, gate: f64) -> ChannelSetup {
    let turned = |by: usize| {
        let teacher = &f.teachers[0];
        let (users, items) = teacher.tables();
        let (mut users, mut items) = (users.to_vec(), items.to_vec());
        users.rotate_left(by * teacher.width());
        items.rotate_left(by * teacher.width());
        Teacher::new("turned", users, items, teacher.width())
    };
    let n = f.n();
    let stack =
        Stack { ids: [0.7, 0.2], silenced: vec![0.3; n], content: (0..n).map(|m| 0.9 * m as f64).collect() };
    ChannelSetup {
        ids: [turned(1), turned(2)],
        silenced: (0..n).map(|m| turned(3 + m)).collect(),
        stack,
        gate,
    }
}

fn robust(f: &Fixture, c: &Ckd, gate: f64) -> Box<dyn Balancer> {
    let setup = Setup { channels: Some(channels(f, gate)), ..f.setup() };
    let config = BalanceConfig::of(c.clone());
    equipoise_balance::find("ckd").unwrap().build(&config.sections, setup)
}

/// The loss of a step with robust weights from plain margins: nothing of the balancer's code.
fn taught_by_all(f: &Fixture, c: &Ckd, gate: f64) -> f64 {
    let (n, of) = (f.n(), channels(f, gate));
    let teacher = |t: &Triples, channel: Ablation| {
        let mut sum = vec![0.0; t.len()];
        let mut add = |weight: f64, teacher: &Teacher| {
            sum.iter_mut().zip(teacher.margins(t)).for_each(|(s, x)| *s += weight * f64::from(x));
        };
        of.ids.iter().zip(of.stack.ids).for_each(|(teacher, weight)| add(weight, teacher));
        for m in 0..n {
            let content = if channel == Ablation::FULL { of.stack.content[m] } else { 0.0 };
            add(of.stack.silenced[m] - content, &of.silenced[m]);
            add(content, &f.teachers[m]);
        }
        sum
    };
    let student = |t: &Triples, a| wide(margins(f, t, a));
    let mut loss = mean(student(&f.bpr, Ablation::FULL).into_iter().map(|m| softplus(-m))) + penalty(f);
    for channel in [Ablation::FULL, Ablation::ids_only(n)] {
        let pairs =
            |t: &Triples| student(t, channel).into_iter().zip(teacher(t, channel)).collect::<Vec<_>>();
        let specific = mean(pairs(&f.bpr).into_iter().map(|(s, t)| (t - s).max(0.0)));
        let generic = mean(pairs(&f.generic).into_iter().map(|(s, t)| {
            let p = 1.0 / (1.0 + (-t / c.tau).exp());
            softplus(s / c.tau) - p * s / c.tau
        }));
        loss += c.lambda_kd * gate * (specific + c.lambda_g * generic);
    }
    loss
}

#[test]
fn the_gradient_of_robust_teaching_is_the_difference_quotient() {
    let golden = golden("ckd");
    let h = 1.0 / 2048.0;
    for name in ["m1_open", "m2_open", "m3_open"] {
        let (f, c, gate) = (Fixture::named(&golden, name), config(WeightMode::Robust), 0.8);
        let seen = step(&f, Ablation::FULL, robust(&f, &c, gate).as_mut(), REG);
        let held = |f: &Fixture| taught_by_all(f, &c, gate);
        assert!((held(&f) - seen.total).abs() < 1e-5 * (1.0 + seen.total), "{name}");
        for seed in 0..4 {
            let d = direction(&f, seed);
            // Teachers stay what they are: only the student moves.
            let (quotient, found) = (
                (held(&moved(&golden, name, &d, h)) - held(&moved(&golden, name, &d, -h)))
                    / f64::from(2.0 * h),
                along(&seen.gradients, &d),
            );
            let within = (quotient - found).abs() <= 2e-3 * (1.0 + quotient.abs());
            assert!(within, "{name} direction {seed}: found {found}, quotient {quotient}");
        }
    }
}

#[test]
fn with_the_gate_shut_robust_teaching_is_no_teaching() {
    let golden = golden("ckd");
    let f = Fixture::named(&golden, "m2_open");
    let mut shut = robust(&f, &config(WeightMode::Robust), 0.0);
    assert_eq!(shut.needs(), equipoise_balance::Needs::default());
    let found = step(&f, Ablation::FULL, shut.as_mut(), REG);
    let plain = step(&f, Ablation::FULL, &mut equipoise_balance::none::NoBalance, REG);
    assert_eq!((found.total, found.gradients), (plain.total, plain.gradients));
}

/// The blended ranking losses from plain margins, the last weight that of the whole model: nothing of the balancer's code.
fn blended(f: &Fixture, weights: &[f64]) -> f64 {
    let bpr = |a| mean(wide(margins(f, &f.bpr, a)).into_iter().map(|m| softplus(-m)));
    let heads = (0..f.n()).map(|m| Ablation::only(m, f.n())).chain([Ablation::FULL]);
    heads.zip(weights).map(|(a, w)| w * bpr(a)).sum()
}

/// A direction in which the parameters of each modality move by the weight of the losses that reach them.
fn reached(f: &Fixture, direction: &[(String, Vec<f32>)], weights: &[f64]) -> Vec<(String, Vec<f32>)> {
    let names = f.model.inputs.names();
    let of = |parameter: &str| {
        let own = names.iter().position(|name| parameter.ends_with(&format!(".{name}")));
        own.filter(|_| f.n() > 1).map_or(1.0, |m| weights[m] + weights[f.n()])
    };
    let scaled = |(name, d): &(String, Vec<f32>)| {
        let by = of(name) as f32;
        (name.clone(), d.iter().map(|d| d * by).collect())
    };
    direction.iter().map(scaled).collect()
}

#[test]
fn the_gradient_of_the_blended_loss_is_its_difference_quotient() {
    let golden = golden("ckd");
    let h = 1.0 / 2048.0;
    for name in ["m1_open", "m2_open", "m3_open"] {
        let f = Fixture::named(&golden, name);
        let before = Losses { train: 0.7, validation: 0.7 };
        let after = |k: usize| Losses { train: 0.3, validation: 0.5 - 0.04 * k as f64 };
        let heads: Vec<_> = (0..=f.n()).map(|k| HeadLosses { before, after: after(k) }).collect();
        let mut blending = GradientBlending::new(gb::Config::default(), f.n(), &heads);
        let weights = blending.weights().to_vec();
        // Large enough that a penalty of another weight would show.
        let reg = 20.0 * REG;
        let seen = step(&f, Ablation::FULL, &mut blending, reg);
        let total = blended(&f, &weights) + 20.0 * penalty(&f);
        assert!((total - seen.total).abs() < 1e-5 * (1.0 + seen.total), "{name}");
        let mut apart = 0.0f64;
        for seed in 0..4 {
            let d = direction(&f, seed);
            let quotient = |of: &dyn Fn(&Fixture) -> f64, d: &[(String, Vec<f32>)]| {
                (of(&moved(&golden, name, d, h)) - of(&moved(&golden, name, d, -h))) / f64::from(2.0 * h)
            };
            let ranking = quotient(&|f| blended(f, &weights), &d);
            let held = quotient(&|f| 20.0 * penalty(f), &reached(&f, &d, &weights));
            let whole = quotient(&|f| 20.0 * penalty(f), &d);
            let (expected, found) = (ranking + held, along(&seen.gradients, &d));
            let within = (expected - found).abs() <= 2e-3 * (1.0 + expected.abs());
            assert!(within, "{name} direction {seed}: found {found}, quotient {expected}");
            apart = apart.max((whole - held).abs());
        }
        assert!(f.n() == 1 || apart > 2e-2, "{name}: the whole penalty would be told from its part: {apart}");
    }
}
