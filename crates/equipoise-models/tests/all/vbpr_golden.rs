//! VBPR against an independent implementation: tables, scores and margins under every ablation.

use crate::common;

use common::*;
use equipoise_models::{Ablation, Encoded, Model, Request, encode_naively};
use equipoise_nn::Values;
use serde_json::Value;

fn request<'a>(
    model: &'a Model,
    values: &'a Values<'a>,
    ablations: &'a [Ablation],
    constants: bool,
) -> Request<'a> {
    Request { constants, ..Request::inference(values, &model.inputs, ablations) }
}

fn ablation(expected: &Value, model: &Model) -> Ablation {
    let names = model.inputs.names();
    let position = |s: &Value| names.iter().position(|n| Some(*n) == s.as_str()).expect("a known modality");
    Ablation::silencing(list(&expected["silenced"]).iter().map(position))
}

fn score_table((users, items, width): &(Vec<f32>, Vec<f32>, usize)) -> Vec<f32> {
    let dot = |y: &[f32], z: &[f32]| y.iter().zip(z).map(|(a, b)| a * b).sum();
    users.chunks(*width).flat_map(|y| items.chunks(*width).map(move |z| dot(y, z))).collect()
}

fn margins_of(encoded: &Encoded, case: &Value, model: &Model, a: Ablation) -> Vec<f32> {
    let triples = triples(&case["triples"]);
    encoded.margins(positions(&triples, model.inputs.all_users(), model.inputs.all_items())).values(a)
}

fn check(case: &Value, model: &Model, expected: &Value) {
    let what = |part: &str| format!("{} {} {part}", text(case, "name"), text(expected, "name"));
    let a = ablation(expected, model);
    let (asked, values) = ([a], model.parameters.values(false));
    let naive = encode_naively(model.backbone.as_ref(), &request(model, &values, &asked, true));
    let tables = naive.tables(a);
    close(&what("users"), &tables.0, &numbers(&expected["users"]));
    close(&what("items"), &tables.1, &numbers(&expected["items"]));
    close(&what("scores"), &score_table(&tables), &numbers(&expected["scores"]));
    close(&what("naive margins"), &margins_of(&naive, case, model, a), &numbers(&expected["margins"]));
    for constants in [false, true] {
        let fast = model.backbone.encode(&request(model, &values, &asked, constants));
        close(&what("margins"), &margins_of(&fast, case, model, a), &numbers(&expected["margins"]));
    }
}

#[test]
fn tables_scores_and_margins_are_the_reference_ones_under_every_ablation() {
    let golden = golden("vbpr");
    let (mut cases, mut ablations) = (0, 0);
    for case in list(&golden["cases"]) {
        let model = reference_model("vbpr", case);
        for expected in list(&case["ablations"]) {
            check(case, &model, expected);
            ablations += 1;
        }
        cases += 1;
    }
    assert!(
        cases >= 3 && ablations >= 18,
        "the reference file is whole: {cases} cases, {ablations} ablations"
    );
}

#[test]
fn the_fast_tables_of_the_full_pass_are_the_reference_ones() {
    for case in list(&golden("vbpr")["cases"]) {
        let (model, full) = (reference_model("vbpr", case), &case["ablations"][0]);
        assert_eq!(text(full, "name"), "full");
        let (users, items, _) = model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL);
        close("users", &users, &numbers(&full["users"]));
        close("items", &items, &numbers(&full["items"]));
    }
}

/// Silenced blocks are left out of the fast tables: scores change by one constant for all, ranking by nothing.
#[test]
fn fast_scores_under_ablation_differ_from_the_reference_by_one_constant() {
    for case in list(&golden("vbpr")["cases"]) {
        let model = reference_model("vbpr", case);
        for expected in list(&case["ablations"]) {
            let a = ablation(expected, &model);
            let fast = score_table(&model.encode_all(&[a]).tables(a));
            let wanted = numbers(&expected["scores"]);
            let shift = wanted[0] - f64::from(fast[0]);
            let shifted: Vec<f64> = wanted.iter().map(|w| w - shift).collect();
            near(text(expected, "name"), &fast, &shifted, 2e-5);
        }
    }
}
