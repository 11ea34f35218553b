//! Counterfactual weights against an independent implementation, kinks and degenerate inputs included.

use crate::common;

use common::{close, floats, golden, list, numbers, text};
use equipoise_balance::weights::{
    Denominator, Guard, Level, ModalityMargins, Shape, Sum, Weigher, WeightMode, WeightSwitches,
};
use serde_json::Value;

fn wide(x: &[f64]) -> Vec<f32> {
    x.iter().map(|v| *v as f32).collect()
}

/// One triple per step whose effects are `gamma` and teacher margins `T`.
fn margins(gamma: &[f32], teacher: &[f32]) -> Vec<ModalityMargins> {
    let of = |(g, t): (&f32, &f32)| ModalityMargins { only: vec![1.0], without: vec![-g], teacher: vec![*t] };
    gamma.iter().zip(teacher).map(of).collect()
}

fn shape(name: &str) -> Shape {
    if name == "inverse" { Shape::Inverse } else { Shape::Complement }
}

fn sum(name: &str) -> Sum {
    match name {
        "sum_nM" => Sum::Modalities,
        "printed" => Sum::Printed,
        _ => Sum::One,
    }
}

#[test]
fn batch_weights_are_the_reference_ones_in_every_shape_and_scale() {
    let golden = golden("weights");
    assert!(list(&golden["batch"]).len() >= 20);
    for case in list(&golden["batch"]) {
        let margins = margins(&floats(&case["gamma"]), &floats(&case["T"]));
        let options = ["complement", "inverse"].map(|s| ["sum1", "sum_nM", "printed"].map(|t| (s, t)));
        for (s, t) in options.concat() {
            let switches = WeightSwitches { shape: shape(s), sum: Some(sum(t)), ..Default::default() };
            let found = Weigher::new(switches.resolve()).weigh(&[0.0], &margins);
            let (name, expected) = (text(case, "name"), &case["expected"]);
            close(&format!("{name} {s} {t}"), &wide(&found.mean), &numbers(&expected[format!("{s}_{t}")]));
            close(&format!("{name} rho"), &wide(&found.rho), &numbers(&expected["rho"]));
        }
    }
}

#[test]
fn smoothed_weights_are_the_reference_ones_at_every_step() {
    let golden = golden("weights");
    for case in list(&golden["smoothed"]) {
        let beta = case["beta"].as_f64().expect("a decay");
        let mut weigher = Weigher::new(WeightSwitches { smooth: beta, ..Default::default() }.resolve());
        for (k, step) in list(&case["steps"]).iter().enumerate() {
            let margins = margins(&floats(&step["gamma"]), &floats(&step["T"]));
            let found = weigher.weigh(&[0.0], &margins);
            let what = |part: &str| format!("{} step {k} {part}", text(case, "name"));
            close(&what("rho"), &wide(&found.rho), &numbers(&step["expected"]["rho"]));
            close(&what("lambda"), &wide(&found.mean), &numbers(&step["expected"]["lambda"]));
        }
    }
}

/// The switches of a rule such as `released`, `sign_safe` or `paper_teacher_inverse_sum_nM`.
fn rule(name: &str) -> WeightSwitches {
    let parts: Vec<&str> = name.splitn(4, '_').collect();
    match parts[..] {
        ["released"] => WeightSwitches { mode: WeightMode::Released, ..Default::default() },
        ["sign", "safe"] => {
            WeightSwitches { mode: WeightMode::Released, guard: Some(Guard::Floored), ..Default::default() }
        }
        ["paper", below, s, t] => WeightSwitches {
            level: Some(Level::Triple),
            denominator: Some(if below == "student" { Denominator::Student } else { Denominator::Teacher }),
            shape: shape(s),
            sum: Some(sum(t)),
            ..Default::default()
        },
        _ => panic!("unknown rule `{name}`"),
    }
}

fn triple_margins(case: &Value) -> Vec<ModalityMargins> {
    let rows = |key: &str| list(&case[key]).iter().map(floats).collect::<Vec<_>>();
    let (delta, student, teacher) = (rows("delta"), rows("student"), rows("teacher"));
    let of = |m: usize| ModalityMargins {
        only: student[m].clone(),
        without: delta[m].iter().map(|d| -d).collect(),
        teacher: teacher[m].clone(),
    };
    (0..delta.len()).map(of).collect()
}

#[test]
fn triple_weights_are_the_reference_ones_under_every_rule() {
    let golden = golden("weights");
    let mut rules = 0;
    for case in list(&golden["triple"]) {
        let margins = triple_margins(case);
        let full = vec![0.0; margins[0].only.len()];
        for (name, expected) in case["expected"].as_object().expect("rules by name") {
            let found = Weigher::new(rule(name).resolve()).weigh(&full, &margins);
            let what = format!("{} {name}", text(case, "name"));
            let weights = found.per_triple.expect("weights per triple").concat();
            close(&what, &weights, &numbers(&expected["w"]));
            let ratios = list(&expected["ratio"]).iter().map(numbers);
            let means: Vec<f64> = ratios.map(|r| r.iter().sum::<f64>() / r.len() as f64).collect();
            close(&format!("{what} ratio"), &wide(&found.rho), &means);
            rules += 1;
        }
    }
    assert!(rules >= 80, "the reference file is whole: {rules} results");
}

/// A teacher that ranks no better than chance, of a modality that does harm: it taught everything once.
#[test]
fn a_teacher_whose_margin_is_not_positive_teaches_nothing() {
    let weights = |switches: WeightSwitches, gamma: &[f32], teacher: &[f32]| {
        Weigher::new(switches.resolve()).weigh(&[0.0], &margins(gamma, teacher)).mean
    };
    let paper = WeightSwitches::default();
    assert_eq!(weights(paper, &[-0.1, 0.2], &[-0.5, 1.0]), [0.0, 1.0]);
    assert_eq!(weights(paper, &[0.3, 0.2], &[0.0, 1.0]), [0.0, 1.0]);
    assert_eq!(weights(paper, &[0.3], &[-1.0]), [0.0]);
    assert_eq!(weights(paper, &[0.3, 0.2], &[-1.0, 0.0]), [0.0, 0.0]);
    let three = weights(paper, &[0.2, -0.4, 0.6], &[0.8, -1.0, 1.2]);
    let without = weights(paper, &[0.2, 0.6], &[0.8, 1.2]);
    assert_eq!([three[0], three[1], three[2]], [without[0], 0.0, without[1]]);
    let raw = WeightSwitches { guard: Some(Guard::Raw), ..paper };
    assert!(weights(raw, &[-0.1, 0.2], &[-0.5, 1.0])[0] > 0.0, "`raw` stays as it is");
    let student = WeightSwitches { denominator: Some(Denominator::Student), ..paper };
    assert!(weights(student, &[-0.1, 0.2], &[-0.5, 1.0])[0] > 0.0, "no teacher in the ratio");
}
