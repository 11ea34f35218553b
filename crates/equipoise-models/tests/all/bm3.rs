//! BM3 beyond the reference values: its variants, and what its loss does and does not read.

use crate::common;

use common::*;
use equipoise_models::{Ablation, Objective, suite};
use serde_json::{Value, json};

const FULL: [Ablation; 1] = [Ablation::FULL];

#[test]
fn every_variant_behaves() {
    for settings in [
        json!({"ui_layers": 2, "dropout": 0.0}),
        json!({"ui_layers": 0, "dropout": 0.5, "reg_ids": 0.0}),
        json!({"feature_weight": 0.0, "reg_ids": 1.0}),
    ] {
        behaves("bm3", settings);
    }
}

#[test]
fn it_learns_without_negatives() {
    let (data, triples) = (suite::dataset(2, 3), suite::triples(8, 3));
    let model = suite_model("bm3", json!({"dropout": 0.0}), &data, 3);
    assert_eq!(model.backbone.objective(), Objective::Own);
    // The isolated item stays among the negatives, so that the same rows are asked for.
    let mut others = triples.clone();
    others.negatives.reverse();
    let (one, other) = (step(&model, &triples, &FULL, 0), step(&model, &others, &FULL, 0));
    assert_ne!(one.margins, other.margins);
    assert_eq!((one.loss, one.gradients), (other.loss, other.gradients));
}

#[test]
fn dropout_moves_targets_and_no_score() {
    let (data, triples) = (suite::dataset(2, 4), suite::triples(8, 4));
    let look = |dropout: f64, at| {
        step(&suite_model("bm3", json!({"dropout": dropout}), &data, 4), &triples, &FULL, at)
    };
    assert_eq!(look(0.0, 1), look(0.0, 2));
    let (one, two) = (look(0.4, 1), look(0.4, 2));
    assert_eq!(one, look(0.4, 1));
    assert_ne!(one.loss, two.loss);
    assert_eq!(one.margins, two.margins);
}

/// With `q` the identity a projection is its own target, at a cosine of 1 and without a gradient. What is
/// left of the terms of features is `1 - cos(f, i')`.
#[test]
fn each_feature_is_pulled_towards_its_item() {
    let (data, triples) = (suite::dataset(1, 5), suite::triples(8, 5));
    let look = |feature_weight: f64| {
        let settings = json!({"dropout": 0.0, "feature_weight": feature_weight, "reg_ids": 0.0});
        let mut model = suite_model("bm3", settings, &data, 5);
        let identity = (0..36).map(|k| if k % 7 == 0 { 1.0 } else { 0.0 }).collect();
        model.parameters.write("predictor.weight", identity);
        model.parameters.write("predictor.bias", vec![0.0; 6]);
        step(&model, &triples, &FULL, 0)
    };
    let (without, with, twice) = (look(0.0), look(1.0), look(2.0));
    let term = with.loss - without.loss;
    assert!((0.0..2.0).contains(&term), "{term}");
    assert!((twice.loss - without.loss - 2.0 * term).abs() < 1e-5);
    let weight = |seen: &suite::Observed| {
        let (_, gradient) =
            seen.gradients.iter().find(|(name, _)| name == "weight.text").expect("a projection");
        gradient.iter().fold(0.0f32, |top, v| top.max(v.abs()))
    };
    assert_eq!(weight(&without), 0.0);
    assert!(weight(&with) > 1e-4, "{}", weight(&with));
}

#[test]
fn settings_out_of_range_are_refused() {
    let cases: [(Value, &str); 4] = [
        (json!({"ui_layers": 9}), "ui_layers = 9: expected 0 to 8"),
        (json!({"dropout": 1.0}), "dropout = 1: expected 0 to below 1"),
        (json!({"feature_weight": -1.0}), "feature_weight = -1: expected 0 or more"),
        (json!({"reg_ids": -1.0}), "reg_ids = -1: expected 0 or more"),
    ];
    for (settings, message) in cases {
        let fault = configured("bm3", settings).check().err().map(|fault| fault.to_string());
        assert_eq!(fault, Some(format!("backbone.bm3.{message}")));
    }
}
