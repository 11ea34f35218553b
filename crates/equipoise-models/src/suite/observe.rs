//! One step's margins, penalties, own loss and gradients, on the shared path or on the plain one.

use crate::{Ablation, BatchTriples, Mode, Model, Objective, Request, RowSet, encode_naively};
use burn::tensor::Tensor;
use equipoise_data::{Seed, Triples};
use equipoise_nn::RowWeights;
use equipoise_nn::math::softplus;
use std::sync::Arc;

/// What to look at.
pub struct Probe<'a> {
    /// Triples, all of them BPR triples.
    pub triples: &'a Triples,
    /// The ablations, the `k`-th with weight `1 / (1 + k)` in the loss.
    pub ablations: &'a [Ablation],
    /// Whether all rows are requested, or only those that the triples touch.
    pub all_rows: bool,
    /// Weight of the penalty on final rows in the loss.
    pub penalty: f64,
    /// One plain pass per ablation, instead of the backbone's shared path.
    pub naive: bool,
    /// Number of the step, which decides dropout masks.
    pub step: u64,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Margins per ablation.
    pub margins: Vec<Vec<f32>>,
    /// Sum of squared final rows per ablation, one weight per occurrence in the triples.
    pub norms: Vec<f32>,
    /// The backbone's own loss.
    pub extra: Option<f32>,
    /// `sum_k (mean softplus(-margins_k) + penalty * norm_k) / (1 + k)`, and the own loss. With an own
    /// objective the margins are left out.
    pub loss: f32,
    /// Its gradient, per parameter; zeros where the loss does not reach.
    pub gradients: Vec<(String, Vec<f32>)>,
}

/// One training step's quantities without the update.
pub fn observe(model: &Model, probe: &Probe) -> Observed {
    observe_with(model, probe, model.backbone.objective(), true)
}

/// The same with a loss of margins and penalty, whatever the backbone is trained with: an own loss that is
/// the whole objective is left out. Gradients only if requested.
pub(super) fn observe_scores(model: &Model, probe: &Probe, gradients: bool) -> Observed {
    observe_with(model, probe, Objective::Bpr, gradients)
}

fn observe_with(model: &Model, probe: &Probe, objective: Objective, gradients: bool) -> Observed {
    let whole = model.backbone.objective() == objective;
    let (users, items) = rows(model, probe);
    let batch = BatchTriples { triples: index(probe.triples, &users, &items), bpr: probe.triples.len() };
    let values = model.parameters.values(true);
    let request = Request {
        primary: probe.ablations.first().copied().unwrap_or(Ablation::FULL),
        users: &users,
        items: &items,
        constants: true,
        mode: Mode::Training,
        batch: whole.then_some(&batch),
        step: probe.step,
        dropout: Seed(5),
        ..Request::inference(&values, &model.inputs, probe.ablations)
    };
    let backbone = model.backbone.as_ref();
    let encoded = if probe.naive { encode_naively(backbone, &request) } else { backbone.encode(&request) };
    let terms = encoded.terms(batch.triples.clone(), Some(Arc::new(weights(&batch.triples, &users, &items))));
    let mut seen = Observed { margins: vec![], norms: vec![], extra: None, loss: 0.0, gradients: vec![] };
    let mut parts: Vec<Tensor<1>> = encoded.extra.iter().cloned().collect();
    seen.extra = encoded.extra.as_ref().map(number);
    for (k, &ablation) in probe.ablations.iter().enumerate() {
        let (margins, norm) = (terms.margins(batch.range()).of(ablation), terms.square_norm(ablation));
        seen.margins.push(vector(margins.clone().inner()));
        seen.norms.push(number(&norm));
        let weight = 1.0 / (1.0 + k as f64);
        if objective == Objective::Bpr {
            parts.push(softplus(margins.neg()).mean() * weight);
        }
        if probe.penalty != 0.0 {
            parts.push(norm * (weight * probe.penalty));
        }
    }
    let loss = parts.into_iter().reduce(|sum, part| sum + part).expect("a step has a loss");
    seen.loss = number(&loss);
    if model.parameters.is_empty() || !gradients {
        return seen;
    }
    let found = values.gradients(&mut loss.backward());
    for ((name, _, [rows, columns]), gradient) in model.parameters.iter().zip(found) {
        seen.gradients.push((name.to_owned(), gradient.map_or(vec![0.0; rows * columns], vector)));
    }
    seen
}

fn rows(model: &Model, probe: &Probe) -> (RowSet, RowSet) {
    if probe.all_rows {
        return (model.inputs.all_users().clone(), model.inputs.all_items().clone());
    }
    let t = probe.triples;
    (RowSet::distinct(t.users.clone()), RowSet::distinct([&t.positives[..], &t.negatives].concat()))
}

fn index(t: &Triples, users: &RowSet, items: &RowSet) -> Arc<Triples> {
    let place = |set: &RowSet, row: u32| set.position(row).expect("the triple's rows are requested");
    Arc::new(t.map(|user| place(users, user), |item| place(items, item)))
}

fn weights(t: &Triples, users: &RowSet, items: &RowSet) -> RowWeights {
    let mut weights = RowWeights { users: vec![0.0; users.len()], items: vec![0.0; items.len()] };
    t.users.iter().for_each(|&u| weights.users[u as usize] += 1.0);
    t.positives.iter().chain(&t.negatives).for_each(|&i| weights.items[i as usize] += 1.0);
    weights
}

fn number(x: &Tensor<1>) -> f32 {
    x.clone().inner().into_scalar::<f32>()
}

fn vector<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().expect("tensors here are float32")
}
