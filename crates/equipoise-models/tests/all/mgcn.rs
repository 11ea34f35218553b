//! MGCN beyond the reference values: its variants, what silencing a graph takes away, equal channels.

use crate::common;

use common::*;
use equipoise_data::{Dataset, Features, Modality};
use equipoise_models::{Ablation, suite};
use serde_json::{Value, json};

fn tables(settings: Value, data: &Dataset, ablation: Ablation) -> Vec<f32> {
    let model = suite_model("mgcn", settings, data, 3);
    let (users, items, _) = model.encode_all(&[ablation]).tables(ablation);
    [users, items].concat()
}

#[test]
fn every_variant_behaves() {
    for settings in [
        json!({"contrastive": false, "normalisation": "rw_plus", "neighbours": 3}),
        json!({"train_features": true, "lambda_c": 0.5, "neighbours": 4}),
        json!({"normalisation": "rw", "neighbours": 2, "ii_layers": 2, "ui_layers": 1}),
        json!({"ii_layers": 0, "ui_layers": 0, "tau": 1.0}),
    ] {
        behaves("mgcn", settings);
    }
}

#[test]
fn every_variant_that_silences_graphs_behaves() {
    for settings in [
        json!({"ablate_graph": true, "neighbours": 3, "ii_layers": 2}),
        json!({"ablate_graph": true, "train_features": true, "neighbours": 5}),
    ] {
        behaves_without_graphs("mgcn", settings);
    }
}

/// Rows in another order have the same mean and another graph.
#[test]
fn a_silenced_modality_speaks_through_its_graph_unless_that_is_silenced_too() {
    let (data, mut other) = (suite::dataset(2, 3), suite::dataset(2, 3));
    let features = &data.modalities[0].features;
    let turned = (0..suite::ITEMS).flat_map(|i| features.row((i + 4) % suite::ITEMS).to_vec()).collect();
    other.modalities[0].features = Features::new(suite::ITEMS, features.width(), turned).expect("finite");
    for (ablate_graph, same) in [(true, true), (false, false)] {
        let settings = || json!({"ablate_graph": ablate_graph, "neighbours": 3});
        for ablation in [Ablation::without(0), Ablation::ids_only(2)] {
            let (a, b) = (tables(settings(), &data, ablation), tables(settings(), &other, ablation));
            let gap = a.iter().zip(&b).fold(0.0f32, |gap, (a, b)| gap.max((a - b).abs()));
            assert_eq!(gap < 1e-6, same, "ablate_graph {ablate_graph}, {ablation:?}: {gap}");
        }
    }
}

/// `n` equal channels `C` leave `C_id + C / (n + 1)`: the differences between one, two and three of them are
/// `C/6` and `C/12`.
#[test]
fn equal_channels_are_shared_and_divided_by_one_more_than_their_number() {
    let of = |n: usize| {
        let mut data = suite::dataset(1, 4);
        let features = data.modalities[0].features.clone();
        let twin = |k| Modality::new(format!("twin{k}"), features.clone());
        data.modalities.extend((1..n).map(twin));
        let mut model = suite_model("mgcn", json!({"neighbours": 3}), &data, 5);
        let single = suite_model("mgcn", json!({"neighbours": 3}), &suite::dataset(1, 4), 5);
        for (name, ..) in single.parameters.iter() {
            model.parameters.write(name, single.parameters.read(name));
            for k in 1..n {
                if name.contains(".text") {
                    let twin = name.replace(".text", &format!(".twin{k}"));
                    model.parameters.write(&twin, single.parameters.read(name));
                }
            }
        }
        model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL)
    };
    let [one, two, three] = [of(1), of(2), of(3)].map(|(users, items, _)| [users, items].concat());
    let less = |a: &[f32], b: &[f32]| -> Vec<f32> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let (sixth, twelfth) = (less(&one, &two), less(&two, &three));
    assert!(sixth.iter().any(|v| v.abs() > 1e-3), "channels say something");
    let expected: Vec<f64> = sixth.iter().map(|v| f64::from(*v) / 2.0).collect();
    close("C / 12", &twelfth, &expected);
}

#[test]
fn the_contrastive_loss_is_of_the_primary_ablation_and_scales_with_its_weight() {
    let (data, triples) = (suite::dataset(2, 6), suite::triples(8, 6));
    let extra = |settings: Value, ablations: &[Ablation]| {
        step(&suite_model("mgcn", settings, &data, 6), &triples, ablations, 0).extra
    };
    let (full, teacher) = ([Ablation::FULL], [Ablation::only(1, 2), Ablation::FULL]);
    let one = extra(json!({"lambda_c": 1.0}), &full).expect("a loss of its own");
    let two = extra(json!({"lambda_c": 2.0}), &full).expect("a loss of its own");
    assert!((two - 2.0 * one).abs() < 1e-5 * one, "{two}, {one}");
    assert_ne!(extra(json!({"lambda_c": 1.0}), &teacher), Some(one));
    assert_eq!(extra(json!({"contrastive": false}), &full), None);
}

#[test]
fn settings_out_of_range_are_refused() {
    for (settings, message) in [
        (json!({"neighbours": 0}), "neighbours = 0: expected 1 to 1000"),
        (json!({"ui_layers": 9}), "ui_layers = 9: expected 0 to 8"),
        (json!({"ii_layers": 9}), "ii_layers = 9: expected 0 to 8"),
        (json!({"lambda_c": -0.5}), "lambda_c = -0.5: expected 0 or more"),
        (json!({"tau": 0.0}), "tau = 0: expected 0.01 to 100"),
    ] {
        let fault = configured("mgcn", settings).check().err().map(|fault| fault.to_string());
        assert_eq!(fault, Some(format!("backbone.mgcn.{message}")));
    }
}
