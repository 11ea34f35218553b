//! Sums over layers and attention with additions, which are made of the simpler operations over edges.

mod autodiff;
mod flex;
pub mod generic;

use super::edges::GraphOps;
use crate::Propagation;
use crate::ops::declare::operations;
use burn::backend::tensor::FloatTensor;
use equipoise_data::graph::Edges;
use std::sync::Arc;

operations! {
    /// Operations that save passes over the tables. Shapes are those of [`GraphOps`].
    pub trait ComposedOps: GraphOps {
        /// `sum_l c_l S^l X` over the coefficients `c_0, c_1, ...`, of which there is at least one; of `S^T` when
        /// `transposed`.
        fn propagate_layers(x; propagation: Arc<Propagation>, coefficients: Arc<[f32]>, transposed: bool)
            -> FloatTensor;

        /// `sum_l A^l X`, `l` from 0 to `layers`, with `A` the matrix of the weights of edges among the same nodes.
        fn weighted_layers(weights, x; edges: Arc<Edges>, layers: usize) -> FloatTensor;

        /// One layer of [`weighted_layers`](Self::weighted_layers): `A X`, and its sum with `base`. Not differentiable.
        fn weighted_hop(weights, x, base; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// Gradients of one layer from that of its output: those of the weights, added to what other layers gave, and
        /// `base + A^T grad`.
        fn weighted_hop_backward(weights, x, grad, base, d_weights; edges: Arc<Edges>)
            -> (FloatTensor, FloatTensor);

        /// [`edge_attention`](GraphOps::edge_attention) whose keys and values are one table, with the queries added to the
        /// result; returns `(q + out, alpha)`.
        fn residual_attention(q, x; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// Gradients of [`residual_attention`](Self::residual_attention): of `q` and of `x`. If both are one table
        /// (`shared`), the first has the sum, and the second is arbitrary.
        fn residual_attention_backward(q, x, alpha, grad; edges: Arc<Edges>, shared: bool)
            -> (FloatTensor, FloatTensor);

        /// [`edge_attention`](GraphOps::edge_attention) whose queries are `own` and whose keys and values are the rows of
        /// `[own ; mix]`; returns `(out, alpha)`.
        fn mixed_attention(own, mix; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// Gradients of [`mixed_attention`](Self::mixed_attention): of `own` and of `mix`.
        fn mixed_attention_backward(own, mix, alpha, grad; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);
    }
}
