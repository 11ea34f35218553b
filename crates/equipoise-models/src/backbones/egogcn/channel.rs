//! What a modality brings to the channels, and the channels.

use super::EgoGcn;
use super::config::Modulation;
use crate::nodes::mean;
use crate::requested::RequestedEdges;
use crate::{Inputs, Pass};
use burn::tensor::Tensor;
use equipoise_data::graph::Edges;
use equipoise_nn::{
    collect, edge_attention, edge_softmax, mixed_attention, normalise_rows, propagate_weighted,
    residual_attention, sigmoid, stack,
};
use std::sync::Arc;

/// One modality, heard or silenced, as its own channel and the others read it.
pub(super) struct Source {
    /// `x^m`, `N x d`.
    pub nodes: Tensor<2>,
    /// Along which edges its channel hears.
    pub hearing: Hearing,
    /// Under `soft`, what each other channel hears of it: `sigmoid(V x + v) * x`, by receiver.
    pub gated: Vec<Option<Tensor<2>>>,
    /// The one row of all users and the one row of all items, `2 x d`, where there are no others.
    pub sides: Option<Tensor<2>>,
}

/// The edges of (3), and the weights of (2) where (5) takes them.
#[derive(Clone)]
pub(super) struct Hearing {
    /// Under `hard`, sources point into `[x^m ; mix]`, `2N` rows: which message an edge carries.
    pub edges: Arc<Edges>,
    /// `None` where (4) replaces them.
    pub attention: Option<Tensor<1>>,
}

impl EgoGcn {
    /// (2), the choice of (3) and the gates, from `x^m`.
    pub(super) fn source(&self, pass: &Pass, m: usize, nodes: Tensor<2>) -> Source {
        let edges = pass.inputs().graphs.edges();
        let attend = |x: Tensor<2>| edge_softmax(&edges, x.clone(), x);
        let hearing = match (self.config.modulation, self.config.reattention) {
            (Modulation::Soft, true) => Hearing { edges, attention: None },
            // Only compared with the threshold: nothing to record for gradients.
            (Modulation::Hard, true) => self.hearing(&edges, attend(nodes.clone().inner())),
            (_, false) => self.hearing(&edges, attend(nodes.clone())),
        };
        Source { hearing, gated: self.gated(pass, m, &nodes), nodes, sides: None }
    }

    /// Chooses the message of each edge and keeps the attention if it is needed.
    fn hearing(&self, edges: &Arc<Edges>, attention: Tensor<1>) -> Hearing {
        let edges = match self.config.modulation {
            Modulation::Soft => edges.clone(),
            Modulation::Hard => Arc::new(modulated(edges, &attention, self.theta())),
        };
        Hearing { edges, attention: (!self.config.reattention).then_some(attention) }
    }

    /// The threshold, in float32: an attention of exactly that does not exceed it.
    pub(super) fn theta(&self) -> f32 {
        self.config.theta as f32
    }

    /// What other channels hear of rows of modality `m` under `soft`, by receiver.
    pub(super) fn gated(&self, pass: &Pass, m: usize, rows: &Tensor<2>) -> Vec<Option<Tensor<2>>> {
        let gates = self.modalities.iter().map(|receiver| receiver.gates[m].as_ref());
        let soft = self.config.modulation == Modulation::Soft;
        let pass_through = |gate: &crate::Linear| sigmoid(gate.apply(pass, rows.clone())) * rows.clone();
        gates.map(|gate| gate.filter(|_| soft).map(pass_through)).collect()
    }

    /// The rows of `h^m` of every modality that are requested.
    pub(super) fn channels(&self, pass: &Pass, last: &RequestedEdges, sources: &[&Source]) -> Vec<Tensor<2>> {
        let mix = (self.config.modulation == Modulation::Hard)
            .then(|| collect(mean(sources.iter().map(|s| s.nodes.clone()))));
        let fused = |m: usize| match &mix {
            Some(mix) => hard(sources[m], mix),
            None => soft(pass.inputs(), sources[m], told(m, sources)),
        };
        (0..sources.len()).map(|m| self.propagated(last, normalise_rows(fused(m)))).collect()
    }

    /// (6), the last step for the nodes that are requested only.
    fn propagated(&self, last: &RequestedEdges, mut rows: Tensor<2>) -> Tensor<2> {
        for _ in 1..self.config.layers {
            rows = normalise_rows(residual_attention(last.all(), rows.clone(), rows));
        }
        if self.config.layers == 0 {
            return last.nodes().rows_of(rows);
        }
        normalise_rows(last.residual_attention(rows))
    }
}

/// Edges whose sources point into `[x ; mix]`: to the mix where the attention exceeds `theta`.
fn modulated(edges: &Edges, attention: &Tensor<1>, theta: f32) -> Edges {
    let attention = attention.clone().inner().into_data().try_into_vec::<f32>();
    let attention = attention.expect("attention is float32");
    edges.branched(|edge| attention[edge] > theta)
}

/// (4) and (5) without the last `nrm`, under `hard`.
fn hard(own: &Source, mix: &Tensor<2>) -> Tensor<2> {
    let Hearing { edges, attention } = &own.hearing;
    match attention {
        Some(attention) => {
            propagate_weighted(edges, attention.clone(), stack(own.nodes.clone(), mix.clone()))
        }
        None => mixed_attention(edges, own.nodes.clone(), mix.clone()),
    }
}

/// `t` of the channel of `m` under `soft`, `N x d`.
fn told(m: usize, sources: &[&Source]) -> Tensor<2> {
    let others = sources.iter().filter_map(|s| s.gated[m].clone());
    let all: Vec<Tensor<2>> = std::iter::once(sources[m].nodes.clone()).chain(others).collect();
    mean(all.into_iter())
}

/// (4) and (5) without the last `nrm`, under `soft`.
fn soft(inputs: &Inputs, own: &Source, told: Tensor<2>) -> Tensor<2> {
    let Hearing { edges, attention } = &own.hearing;
    match (attention, &own.sides) {
        (Some(attention), _) => propagate_weighted(edges, attention.clone(), told),
        (None, None) => edge_attention(edges, own.nodes.clone(), told.clone(), told),
        (None, Some(sides)) => {
            let logits = logits_of_senders(inputs, sides, &told);
            let one = Tensor::ones([edges.n_targets(), 1], &told.device());
            propagate_weighted(edges, edge_softmax(edges, one, logits), told)
        }
    }
}

/// `<x_n, t_j>` where all receivers of `j` are the same row: users speak to items, items to users. `N x 1`.
fn logits_of_senders(inputs: &Inputs, sides: &Tensor<2>, told: &Tensor<2>) -> Tensor<2> {
    let (users, items) = (inputs.n_users, inputs.n_items);
    let column = |side: usize| sides.clone().narrow(0, side, 1).transpose();
    let of_users = told.clone().narrow(0, 0, users).matmul(column(1));
    let of_items = told.clone().narrow(0, users, items).matmul(column(0));
    Tensor::cat(vec![of_users, of_items], 0)
}
