//! The rivals of distillation against an independent implementation: weights, factors, whole steps and gradients.

use crate::common;

use common::*;
use equipoise_balance::gb::{GradientBlending, blend};
use equipoise_balance::ogm::{self, Apply, AssignShared, Contribution, GradientModulation, spread};
use equipoise_balance::{
    Arl, BalanceConfig, Balancer, BalancerSettings, G2d, HeadLosses, Losses, MmPareto, ModalityStep, Setup,
    agm, cohesion, find, gb, mmpareto,
};
use equipoise_models::Ablation;
use serde_json::Value;

fn wide(x: impl IntoIterator<Item = f64>) -> Vec<f32> {
    x.into_iter().map(|v| v as f32).collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number `{key}`"))
}

/// Whether ids take part.
fn ids(case: &Value) -> bool {
    case["ids"].as_bool().expect("said in every case")
}

fn heads(rows: &Value) -> Vec<HeadLosses> {
    let losses = |v: &[f64]| Losses { train: v[0], validation: v[1] };
    let head = |row: &Value| {
        let row = numbers(row);
        HeadLosses { before: losses(&row[..2]), after: losses(&row[2..]) }
    };
    list(rows).iter().map(head).collect()
}

/// Each case with its fixture.
fn cases<'a>(golden: &'a Value, ckd: &Value) -> Vec<(String, Fixture, &'a Value)> {
    let case = |c: &'a Value| {
        let name = text(c, "fixture");
        (name.to_owned(), Fixture::named(ckd, name), c)
    };
    list(&golden["cases"]).iter().map(case).collect()
}

/// Total and gradients of a step, and what it saw of the modalities.
fn whole_step(
    what: &str,
    case: &Value,
    gradients: &str,
    f: &Fixture,
    b: &mut dyn Balancer,
) -> Vec<ModalityStep> {
    let (expected, seen) = (&case["expected"], step(f, Ablation::FULL, b, number(case, "reg")));
    close(&format!("{what} total"), &[seen.total as f32], &[number(expected, "total")]);
    assert_eq!(seen.ids.is_some(), case["ids"] == true, "{what}: ids are counted where they take part");
    let tables = expected[gradients].as_object().expect("gradients by parameter");
    assert_eq!(tables.len(), seen.gradients.len(), "{what}");
    for (name, found) in &seen.gradients {
        close(&format!("{what} gradient of {name}"), found, &numbers(&tables[name]));
    }
    seen.modalities.into_iter().chain(seen.ids).collect()
}

#[test]
fn blending_weights_are_the_reference_ones() {
    let golden = golden("gb");
    assert!(list(&golden["blends"]).len() >= 6);
    for case in list(&golden["blends"]) {
        close(text(case, "name"), &wide(blend(&heads(&case["heads"]))), &numbers(&case["weights"]));
    }
}

#[test]
fn every_blended_step_is_the_reference_one() {
    let (golden, ckd) = (golden("gb"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd) {
        let mut blending = GradientBlending::new(gb::Config::default(), f.n(), &heads(&case["heads"]));
        close(&name, &wide(blending.weights().to_vec()), &numbers(&case["expected"]["weights"]));
        let seen = whole_step(&name, case, "gradients", &f, &mut blending);
        let weights: Vec<f64> = seen.iter().map(|m| m.weight).collect();
        assert_eq!(weights, blending.weights()[..f.n()]);
    }
}

#[test]
fn modulation_factors_are_the_reference_ones() {
    let golden = golden("ogm");
    assert!(list(&golden["factors"]).len() >= 50);
    for case in list(&golden["factors"]) {
        let found = ogm::factors(&numbers(&case["scores"]), number(case, "alpha"));
        let (rho, k): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
        let what = format!("{} at {}", case["scores"], case["alpha"]);
        close(&format!("{what} rho"), &wide(rho), &numbers(&case["rho"]));
        close(&format!("{what} k"), &wide(k), &numbers(&case["k"]));
    }
}

#[test]
fn every_modulated_step_is_the_reference_one() {
    let (golden, ckd) = (golden("ogm"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd) {
        let what = format!("{name} {} {}", case["contribution"], case["alpha"]);
        for (assign_shared, key) in [(AssignShared::None, "gradients"), (AssignShared::Average, "average")] {
            let contribution: Contribution = serde_json::from_value(case["contribution"].clone()).unwrap();
            let config = ogm::Config {
                alpha: number(case, "alpha"),
                contribution: Some(contribution),
                assign_shared,
                ids: ids(case),
                ..ogm::Config::default()
            };
            let seen = whole_step(&what, case, key, &f, &mut GradientModulation::new(config, &f.setup()));
            let expected = &case["expected"];
            close(&what, &wide(seen.iter().map(|m| m.rho.unwrap())), &numbers(&expected["rho"]));
            close(&what, &wide(seen.iter().map(|m| m.weight)), &numbers(&expected["k"]));
        }
    }
}

#[test]
fn factors_of_updates_are_those_of_gradients_and_leave_gradients_alone() {
    let (golden, ckd) = (golden("ogm"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd).into_iter().filter(|(_, _, case)| !ids(case)) {
        let contribution: Contribution = serde_json::from_value(case["contribution"].clone()).unwrap();
        let (alpha, contribution) = (number(case, "alpha"), Some(contribution));
        let config = ogm::Config { alpha, contribution, apply: Apply::Update, ..ogm::Config::default() };
        let seen =
            step(&f, Ablation::FULL, &mut GradientModulation::new(config, &f.setup()), number(case, "reg"));
        let plain = step(&f, Ablation::FULL, &mut equipoise_balance::none::NoBalance, number(case, "reg"));
        assert_eq!(seen.gradients, plain.gradients, "{name}");
        for ((parameter, _), rate) in seen.gradients.iter().zip(&seen.rates) {
            let modality = f.model.inputs.names().iter().position(|m| parameter.ends_with(&format!(".{m}")));
            assert_eq!(*rate, modality.map_or(1.0, |m| seen.modalities[m].weight), "{name} {parameter}");
        }
        assert!(f.n() == 1 || seen.rates.iter().any(|r| *r < 1.0), "{name}: something leads");
    }
}

#[test]
fn spreads_of_sparse_tables_are_the_reference_ones() {
    for case in list(&golden("ogm")["spreads"]) {
        let width = numbers(&case["gradient"][0]).len();
        close("spread", &[spread(&floats(&case["gradient"]), width) as f32], &[number(case, "spread")]);
    }
}

#[test]
fn every_weighted_margin_is_the_reference_one() {
    let (golden, ckd) = (golden("cohesion"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd) {
        let entry = find("cohesion").expect("registered");
        let mut balancer =
            entry.build(&BalanceConfig::default().sections, Setup { heads: Vec::new(), ..f.setup() });
        let seen = whole_step(&name, case, "gradients", &f, balancer.as_mut());
        let expected = &case["expected"];
        close(&name, &wide(seen.iter().map(|m| m.effect.unwrap())), &numbers(&expected["effects"]));
        let rows = list(&expected["weights"]).iter().map(numbers);
        let means: Vec<f64> = rows.map(|a| a.iter().sum::<f64>() / a.len() as f64).collect();
        close(&name, &wide(seen.iter().map(|m| m.weight)), &means[1..]);
        let full = f.n() + 1;
        let parts: Vec<Vec<f32>> = (0..full).map(|k| vec![k as f32, 0.0]).collect();
        let ones = cohesion::weights(&parts).iter().map(|a| a[1]).collect::<Vec<f32>>();
        close("equal parts", &ones, &vec![1.0 - 1.0 / full as f64; full]);
    }
}

#[test]
fn every_second_step_of_modulated_responses_is_the_reference_one() {
    let (golden, ckd) = (golden("agm"), golden("ckd"));
    for (name, mut f, case) in cases(&golden, &ckd) {
        let mut balancer =
            agm::AdaptiveModulation::new(agm::Config { alpha: number(case, "alpha"), ids: ids(case) }, f.n());
        let whole = f.model.parameters.snapshot();
        let names: Vec<String> = f.model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
        for name in &names {
            let half = f.model.parameters.read(name).iter().map(|v| v / 2.0).collect();
            f.model.parameters.write(name, half);
        }
        let first = step(&f, Ablation::FULL, &mut balancer, number(case, "reg"));
        assert!(first.modalities.iter().all(|m| m.weight == 1.0), "{name}: a first lead is the usual one");
        f.model.parameters.restore(&whole);
        let seen = whole_step(&name, case, "gradients", &f, &mut balancer);
        let expected = &case["expected"];
        close(
            &name,
            &wide(first.modalities.iter().chain(&first.ids).map(|m| m.rho.unwrap())),
            &numbers(&expected["ratios"][0]),
        );
        close(&name, &wide(seen.iter().map(|m| m.rho.unwrap())), &numbers(&expected["ratios"][1]));
        close(&name, &wide(seen.iter().map(|m| m.weight)), &numbers(&expected["kappa"]));
        close(&name, &wide(seen.iter().map(|m| m.effect.unwrap())), &numbers(&expected["responses"]));
    }
}

#[test]
fn every_penalised_step_is_the_reference_one() {
    let (golden, ckd) = (golden("cml"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd) {
        let settings = BalanceConfig::of(equipoise_balance::Cml { strength: number(case, "strength") });
        let mut balancer = find("cml").expect("registered").build(&settings.sections, f.setup());
        let seen = whole_step(&name, case, "gradients", &f, balancer.as_mut());
        let expected = &case["expected"];
        close(&name, &wide(seen.iter().map(|m| m.weight)), &numbers(&expected["violations"]));
        close(&name, &wide(seen.iter().map(|m| m.effect.unwrap())), &numbers(&expected["effects"]));
        close(&name, &wide(seen.iter().map(|m| m.specific.unwrap())), &numbers(&expected["hinges"]));
        assert!(
            name != "m2_guarded" || seen.iter().any(|m| m.specific.unwrap() > 0.0),
            "{name}: no violation"
        );
    }
}

/// A built-in balancer with these settings, in an epoch.
fn built<T: BalancerSettings>(settings: T, f: &Fixture, epoch: usize) -> Box<dyn Balancer> {
    let mut balancer = settings.build(f.setup());
    balancer.begin_epoch(epoch, &mut NoHeads);
    balancer
}

#[test]
fn every_guided_step_is_the_reference_one() {
    let (golden, ckd) = (golden("g2d"), golden("ckd"));
    let mut held = 0;
    for (name, f, case) in cases(&golden, &ckd) {
        let what = format!("{name} in epoch {} {}", case["epoch"], case["ids"]);
        let (strength, tau) = (number(case, "strength"), number(case, "tau"));
        let settings = G2d { strength, tau, hold: count(case, "hold"), ids: ids(case) };
        let mut balancer = built(settings, &f, count(case, "epoch"));
        let seen = whole_step(&what, case, "gradients", &f, balancer.as_mut());
        let expected = &case["expected"];
        close(&what, &wide(seen.iter().map(|m| m.rho.unwrap())), &numbers(&expected["sure"]));
        let learn: Vec<f64> = seen.iter().map(|m| m.weight).collect();
        assert_eq!(learn, numbers(&expected["learn"]), "{what}");
        held += learn.iter().filter(|k| **k == 0.0).count();
    }
    assert!(held > 5, "some modality is held back: {held}");
}

#[test]
fn every_asymmetric_step_is_the_reference_one() {
    let (golden, ckd) = (golden("arl"), golden("ckd"));
    for (name, f, case) in cases(&golden, &ckd) {
        let what = format!("{name} {} {}", case["alpha"], case["bias"]);
        let settings = Arl { alpha: number(case, "alpha"), bias: number(case, "bias"), apply: Apply::Grad };
        let seen = whole_step(&what, case, "gradients", &f, built(settings, &f, 1).as_mut());
        let expected = &case["expected"];
        close(&what, &wide(seen.iter().map(|m| m.rho.unwrap())), &numbers(&expected["variances"]));
        close(&what, &wide(seen.iter().map(|m| m.weight)), &numbers(&expected["factors"]));
        let settings = Arl { apply: Apply::Update, ..settings };
        let rates = step(&f, Ablation::FULL, built(settings, &f, 1).as_mut(), number(case, "reg")).rates;
        let names = f.model.inputs.names();
        for ((parameter, ..), rate) in f.model.parameters.iter().zip(rates) {
            let modality = names.iter().position(|m| parameter.ends_with(&format!(".{m}")));
            assert_eq!(rate, modality.map_or(1.0, |m| seen[m].weight), "{what} {parameter}");
        }
    }
}

#[test]
fn points_nearest_to_zero_are_the_reference_ones() {
    for hull in list(&golden("mmpareto")["hulls"]) {
        let gram: Vec<Vec<f64>> = list(&hull["gram"]).iter().map(numbers).collect();
        close("weights", &wide(mmpareto::weights(&gram)), &numbers(&hull["weights"]));
    }
}

#[test]
fn every_integrated_step_is_the_reference_one() {
    let (golden, ckd) = (golden("mmpareto"), golden("ckd"));
    let mut conflicts = 0;
    for (name, f, case) in cases(&golden, &ckd) {
        let settings = MmPareto { strength: number(case, "strength"), ..MmPareto::default() };
        let seen = whole_step(&name, case, "gradients", &f, built(settings, &f, 1).as_mut());
        if f.n() > 1 {
            let expected = &case["expected"];
            close(&name, &wide(seen.iter().map(|m| m.rho.unwrap())), &numbers(&expected["cosines"]));
            close(&name, &wide(seen.iter().map(|m| m.weight)), &numbers(&expected["weights"]));
            conflicts += seen.iter().filter(|m| m.rho < Some(0.0)).count();
        }
    }
    assert!(conflicts > 0, "some gradients are in conflict");
}
