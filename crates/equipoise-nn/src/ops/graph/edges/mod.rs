//! Products with sparse matrices, attention over neighbours, and one number per edge.

mod autodiff;
pub(super) mod flex;
pub mod generic;

use super::shared_tables::SharedTables;
use crate::Propagation;
use crate::ops::declare::operations;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use equipoise_data::graph::Edges;
use std::sync::Arc;

operations! {
    /// Operations over the edges of a graph. Tables are `[nodes, width]`, one value per edge is `[edges]`, in the order of
    /// [`Edges`].
    pub trait GraphOps: Backend {
        /// `S X`; `S^T X` when `transposed`.
        fn propagate(x; propagation: Arc<Propagation>, transposed: bool) -> FloatTensor;

        /// `out_t = sum over edges e: s -> t of w_e x_s`.
        fn propagate_weighted(weights, x; edges: Arc<Edges>) -> FloatTensor;

        /// Gradients of [`propagate_weighted`](Self::propagate_weighted): of the weights and of `x`.
        fn propagate_weighted_backward(weights, x, grad; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// `alpha_e`, the softmax over each target's incoming edges of `<q_t, k_s>`.
        fn edge_softmax(q, k; edges: Arc<Edges>) -> FloatTensor;

        /// Gradients of [`edge_softmax`](Self::edge_softmax): of `q` and of `k`. If both are one table (`shared`), the
        /// first has the sum, and the second is arbitrary.
        fn edge_softmax_backward(q, k, alpha, grad; edges: Arc<Edges>, shared: bool)
            -> (FloatTensor, FloatTensor);

        /// `out_t = sum_e alpha_e v_s` with `alpha` of [`edge_softmax`](Self::edge_softmax); returns `(out, alpha)`.
        fn edge_attention(q, k, v; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// Gradients of [`edge_attention`](Self::edge_attention)'s `out`: of `q`, `k` and `v`. Of tables that are one the
        /// first has the sum, and the others are arbitrary.
        fn edge_attention_backward(q, k, v, alpha, grad; edges: Arc<Edges>, shared: SharedTables)
            -> (FloatTensor, FloatTensor, FloatTensor);

        /// `out_e = values_e worth_s` for `e` from `s`; `worth` is `[sources, 1]`.
        fn by_sender(values, worth; edges: Arc<Edges>) -> FloatTensor;

        /// Gradients of [`by_sender`](Self::by_sender): of the values and of the worth.
        fn by_sender_backward(values, worth, grad; edges: Arc<Edges>) -> (FloatTensor, FloatTensor);

        /// `max(a_e, b_e)`.
        fn larger(a, b) -> FloatTensor;

        /// Gradients of [`larger`](Self::larger): all of it to the larger one, to `a` where they are equal.
        fn larger_backward(a, b, grad) -> (FloatTensor, FloatTensor);
    }
}
