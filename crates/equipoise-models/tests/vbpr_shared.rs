//! VBPR's shared path equals one plain pass per ablation: margins, penalty, and every gradient.

mod common;

use burn::tensor::Tensor;
use common::*;
use equipoise_data::{Seed, Triples};
use equipoise_models::backbone::encode_naively;
use equipoise_models::{Ablation, Encoded, Mode, Model, Request, RowSet};
use equipoise_nn::math::softplus;
use proptest::prelude::*;
use std::sync::Arc;

struct Rows {
    users: RowSet,
    items: RowSet,
}

/// The rows that triples touch, or everything.
fn rows(model: &Model, t: &Triples, all: bool) -> Rows {
    if all {
        return Rows { users: model.inputs.all_users().clone(), items: model.inputs.all_items().clone() };
    }
    let items = [&t.positives[..], &t.negatives].concat();
    Rows { users: RowSet::distinct(t.users.clone()), items: RowSet::distinct(items) }
}

/// Margins and penalty of each ablation, and the gradient of their random mixture.
#[derive(Debug)]
struct Seen {
    margins: Vec<Vec<f32>>,
    norms: Vec<f32>,
    gradients: Vec<(String, Vec<f32>)>,
}

fn weights(n: usize, seed: u64) -> Arc<[f32]> {
    let mut stream = Seed(seed).stream("weights");
    (0..n).map(|_| stream.unit() as f32).collect()
}

fn observe(model: &Model, t: &Triples, rows: &Rows, seed: u64, fast: bool) -> Seen {
    let ablations = every_ablation(model.inputs.n_modalities());
    let values = model.parameters.values(true);
    let request = Request {
        values: &values,
        inputs: &model.inputs,
        ablations: &ablations,
        users: &rows.users,
        items: &rows.items,
        constants: true,
        mode: Mode::Training,
        step: 0,
    };
    let backbone = model.backbone.as_ref();
    let encoded = if fast { backbone.encode(&request) } else { encode_naively(backbone, &request) };
    let (mut seen, mut total) = (Seen { margins: vec![], norms: vec![], gradients: vec![] }, None);
    for (k, &a) in ablations.iter().enumerate() {
        let (margins, norm) = terms(&encoded, a, t, rows, seed);
        seen.margins.push(vector(margins.clone().inner()));
        seen.norms.extend(vector(norm.clone().inner()));
        let part = (softplus(margins.neg()).mean() + norm * 0.01) * (1.0 + k as f64 / 3.0);
        total = Some(total.into_iter().fold(part, |sum, t: Tensor<1>| sum + t));
    }
    let mut gradients = total.expect("there is an ablation").backward();
    let gradients = values.gradients(&mut gradients);
    for ((name, _, shape), g) in model.parameters.iter().zip(gradients) {
        let g = g.map_or(vec![0.0; shape[0] * shape[1]], vector);
        seen.gradients.push((name.to_owned(), g));
    }
    seen
}

fn terms(encoded: &Encoded, a: Ablation, t: &Triples, rows: &Rows, seed: u64) -> (Tensor<1>, Tensor<1>) {
    let margins = encoded.margins(positions(t, &rows.users, &rows.items)).of(a);
    let (wu, wi) = (weights(rows.users.len(), seed), weights(rows.items.len(), seed + 1));
    (margins, encoded.square_norm(a, &wu, &wi))
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn sharing_work_between_ablations_changes_nothing(
        n in 1usize..=3, width in 1usize..20, count in 1usize..12, all: bool, seed in 0u64..1_000_000,
    ) {
        let model = random_model(n, width, seed);
        let t = random_triples(count, &mut Seed(seed).stream("triples"));
        let rows = rows(&model, &t, all);
        let fast = observe(&model, &t, &rows, seed, true);
        let naive = observe(&model, &t, &rows, seed, false);
        for (f, e) in fast.margins.iter().zip(&naive.margins) {
            close("margins", f, &wide(e));
        }
        near("penalties", &fast.norms, &wide(&naive.norms), 2e-5);
        for ((name, f), (_, e)) in fast.gradients.iter().zip(&naive.gradients) {
            near(name, f, &wide(e), 3e-5);
        }
        prop_assert!(fast.gradients.iter().any(|(_, g)| g.iter().any(|v| *v != 0.0)));
    }
}
