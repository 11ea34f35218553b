//! One modality among the items: features purified by ids, spread over similar items.

use super::Config;
use crate::parts::{Build, Linear};
use crate::{Pass, Projection};
use burn::tensor::Tensor;
use equipoise_nn::{Propagation, propagate, sigmoid};
use std::sync::Arc;

/// Equations (1) and (2) of the [backbone](super), and the closed form of a silenced modality.
pub struct ItemView {
    content: Projection,
    gate: Linear,
    graph: Arc<Propagation>,
    layers: usize,
    ablate_graph: bool,
}

impl ItemView {
    /// Registers the parameters of modality `m`, but for those of the fuser, and makes its graph.
    pub fn new(b: &mut Build, m: usize, config: &Config) -> ItemView {
        let content = Projection::new(b, m, config.train_features);
        let (name, group, d) = (&b.inputs.modalities[m].name, b.group(m), b.width);
        let gate = b.linear(&format!("gate.{name}"), group, [d, d]);
        let graph = Arc::new(Propagation::new(b.inputs.neighbours(m, config.neighbours).weighted()));
        ItemView { content, gate, graph, layers: config.ii_layers, ablate_graph: config.ablate_graph }
    }

    /// Position of the modality.
    pub fn m(&self) -> usize {
        self.content.m()
    }

    /// `Q^m`, `I x d`, of a pass over everything.
    pub fn items(&self, whole: &Pass) -> Tensor<2> {
        let gate = sigmoid(self.gate.apply(whole, self.content.projected(whole)));
        let purified = whole.items("item.id") * gate;
        if self.ablate_graph && whole.ablation().silences(self.m()) {
            purified
        } else {
            self.spread(purified)
        }
    }

    /// `(S^m)^l_ii X`, `I x d`.
    pub fn spread(&self, items: Tensor<2>) -> Tensor<2> {
        (0..self.layers).fold(items, |items, _| propagate(&self.graph, items))
    }

    /// `g`, the one row of the silenced modality's gate.
    pub fn silenced_gate(&self, pass: &Pass) -> Tensor<2> {
        sigmoid(self.gate.apply(pass, self.content.projected_mean(pass)))
    }
}
