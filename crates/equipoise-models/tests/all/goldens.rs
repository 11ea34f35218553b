//! Every built-in backbone against an independent implementation: tables and margins under every ablation, the
//! backbone's own loss, and the gradient of everything together.

use crate::common;

use common::*;
use equipoise_models::suite::{Probe, observe};
use equipoise_models::{Ablation, Model, Request, built_in, encode_naively};
use serde_json::Value;

fn ablation(expected: &Value, model: &Model) -> Ablation {
    let names = model.inputs.names();
    let position = |s: &Value| names.iter().position(|n| Some(*n) == s.as_str()).expect("a known modality");
    Ablation::silencing(list(&expected["silenced"]).iter().map(position))
}

fn check_tables(what: &str, model: &Model, expected: &Value) {
    let (a, values) = (ablation(expected, model), model.parameters.values(false));
    let asked = [a];
    let request = Request { constants: true, ..Request::inference(&values, &model.inputs, &asked) };
    let (users, items, _) = encode_naively(model.backbone.as_ref(), &request).tables(a);
    let what = format!("{what}, {}", text(expected, "name"));
    close(&format!("{what}: users"), &users, &numbers(&expected["users"]));
    close(&format!("{what}: items"), &items, &numbers(&expected["items"]));
}

fn check_step(what: &str, model: &Model, case: &Value) {
    let (triples, expected) = (triples(&case["triples"]), list(&case["ablations"]));
    let ablations: Vec<Ablation> = expected.iter().map(|e| ablation(e, model)).collect();
    for naive in [true, false] {
        let probe =
            Probe { triples: &triples, ablations: &ablations, all_rows: true, penalty: 0.0, naive, step: 0 };
        let seen = observe(model, &probe);
        for (margins, e) in seen.margins.iter().zip(expected) {
            close(&format!("{what}, {}: margins", text(e, "name")), margins, &numbers(&e["margins"]));
        }
        let extra: Vec<f32> = seen.extra.into_iter().collect();
        let wanted = case["extra"].as_f64();
        close(&format!("{what}: own loss"), &extra, &wanted.into_iter().collect::<Vec<_>>());
        if let Some(loss) = case["loss"].as_f64() {
            close(&format!("{what}: loss"), &[seen.loss], &[loss]);
            let wanted = case["gradients"].as_object().expect("an object of tables");
            for (name, gradient) in &seen.gradients {
                let wanted = wanted.get(name).map_or(vec![0.0; gradient.len()], numbers);
                near(&format!("{what}: gradient of {name}"), gradient, &wanted, 2e-5);
            }
        }
    }
}

#[test]
fn every_backbone_is_the_reference_one() {
    for entry in built_in() {
        let golden = golden(entry.name);
        for case in list(&golden["cases"]) {
            let what = format!("{}, {}", entry.name, text(case, "name"));
            let model = reference_model(entry.name, case);
            for expected in list(&case["ablations"]) {
                check_tables(&what, &model, expected);
            }
            check_step(&what, &model, case);
        }
        assert!(list(&golden["cases"]).len() >= 2, "{}: reference cases", entry.name);
    }
}
