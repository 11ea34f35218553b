//! FREEDOM beyond the reference values: its variants, thinned graphs, and which settings fit the data.

use crate::common;

use common::*;
use equipoise_data::Seed;
use equipoise_models::{Ablation, Model, suite};
use serde_json::json;

#[test]
fn every_variant_behaves() {
    for settings in [
        json!({"reg_features": 0.5, "train_features": true, "neighbours": 3}),
        json!({"drop": 0.5, "resample": 3, "ii_layers": 2, "ui_layers": 1, "reg_features": 0.1}),
        json!({"reg_features": 0.0, "ii_layers": 0, "ui_layers": 0}),
    ] {
        behaves("freedom", settings);
    }
}

#[test]
fn every_variant_that_silences_graphs_behaves() {
    for settings in [
        json!({"ablate_graph": true, "reg_features": 0.5, "neighbours": 3, "ii_layers": 2}),
        json!({"ablate_graph": true, "drop": 0.3, "train_features": true}),
    ] {
        behaves_without_graphs("freedom", settings);
    }
}

#[test]
fn silencing_changes_a_score_only_where_the_graph_is_silenced() {
    let (data, triples, asked) = (suite::dataset(2, 2), suite::triples(8, 2), suite::every_ablation(2));
    for (ablate_graph, changes) in [(false, false), (true, true)] {
        let settings = json!({"ablate_graph": ablate_graph, "neighbours": 3});
        let seen = step(&suite_model("freedom", settings, &data, 2), &triples, &asked, 0);
        for margins in &seen.margins[1..] {
            assert_eq!(*margins != seen.margins[0], changes, "ablate_graph {ablate_graph}");
        }
    }
}

#[test]
fn edges_are_dropped_in_training_alone_and_drawn_anew_after_their_steps() {
    let (data, triples) = (suite::dataset(2, 2), suite::triples(8, 2));
    let model = |drop: f64| suite_model("freedom", json!({"drop": drop, "resample": 4}), &data, 2);
    let (whole, thinned) = (model(0.0), model(0.5));
    let margins = |model: &Model, at| step(model, &triples, &[Ablation::FULL], at).margins;
    assert_eq!(margins(&whole, 0), margins(&whole, 4));
    assert_ne!(margins(&whole, 0), margins(&thinned, 0));
    assert_eq!(margins(&thinned, 0), margins(&thinned, 3));
    assert_ne!(margins(&thinned, 3), margins(&thinned, 4));
    let tables = |model: &Model| model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL);
    assert_eq!(tables(&whole), tables(&thinned));
}

/// One weight of 1 and one of 0 are the first modality alone; equal weights are the default.
#[test]
fn the_mixture_weighs_graphs_in_the_order_of_the_modalities() {
    let (two, one) = (suite::dataset(2, 5), suite::dataset(1, 5));
    let tables = |data, mix: &[f64]| {
        let model = suite_model("freedom", json!({"mix": mix, "neighbours": 3}), data, 5);
        model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL)
    };
    assert_eq!(tables(&two, &[1.0, 0.0]), tables(&one, &[]));
    assert_ne!(tables(&two, &[0.0, 1.0]), tables(&one, &[]));
    assert_eq!(tables(&two, &[0.5, 0.5]), tables(&two, &[]));
}

#[test]
fn settings_out_of_range_are_refused() {
    for (settings, message) in [
        (json!({"neighbours": 1001}), "neighbours = 1001: expected 1 to 1000"),
        (json!({"mix": [0.5, -0.5]}), "mix = -0.5: expected 0 or more"),
        (json!({"ui_layers": 9}), "ui_layers = 9: expected 0 to 8"),
        (json!({"ii_layers": 9}), "ii_layers = 9: expected 0 to 8"),
        (json!({"reg_features": -1.0}), "reg_features = -1: expected 0 or more"),
        (json!({"drop": 1.0}), "drop = 1: expected 0 to below 1"),
        (json!({"resample": 0}), "resample = 0: expected 1 or more"),
    ] {
        let fault = configured("freedom", settings).check().err().map(|fault| fault.to_string());
        assert_eq!(fault, Some(format!("backbone.freedom.{message}")));
    }
}

#[test]
fn a_mixture_that_does_not_fit_the_modalities_is_refused() {
    let device = equipoise_nn::device("cpu").expect("there is a cpu");
    let build = |mix: &[f64]| {
        Model::new(&configured("freedom", json!({"mix": mix})), &suite::dataset(2, 1), Seed(1), &device)
    };
    assert!(build(&[0.9, 0.1]).is_ok());
    let fault = "backbone.freedom.mix = [0.5]: expected one number per modality (text, image), or none";
    assert_eq!(build(&[0.5]).err().map(|error| error.to_string()).as_deref(), Some(fault));
}
