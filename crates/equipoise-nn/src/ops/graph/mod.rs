//! Operations over edges: no table of edges x width is ever made by the fast bodies.

mod autodiff;
pub mod composed;
mod flex;
pub mod generic;

use crate::Propagation;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// Which of an attention's tables are one tensor: the gradients of those are asked for as one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alike {
    /// None.
    Apart,
    /// Keys and values.
    KeysAndValues,
    /// All three.
    All,
}

/// Products with sparse matrices and attention over neighbours. Tables are `[nodes, width]`, one value per
/// edge is `[edges]`, in the order of [`Edges`].
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait GraphOps: Backend {
    /// `S X`; `S^T X` when `transposed`.
    fn propagate(x: FloatTensor<Self>, propagation: Arc<Propagation>, transposed: bool) -> FloatTensor<Self> {
        generic::propagate::<Self>(x, &propagation, transposed)
    }

    /// `out_t = sum over edges e: s -> t of w_e x_s`.
    fn propagate_weighted(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        generic::propagate_weighted::<Self>(weights, x, &edges)
    }

    /// Gradients of [`propagate_weighted`](Self::propagate_weighted): of the weights and of `x`.
    fn propagate_weighted_backward(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::propagate_weighted_backward::<Self>(weights, x, grad, &edges)
    }

    /// `alpha_e`, the softmax over each target's incoming edges of `<q_t, k_s>`.
    fn edge_softmax(q: FloatTensor<Self>, k: FloatTensor<Self>, edges: Arc<Edges>) -> FloatTensor<Self> {
        generic::edge_softmax::<Self>(q, k, &edges)
    }

    /// Gradients of [`edge_softmax`](Self::edge_softmax): of `q` and of `k`; where both are `alike`, their sum and
    /// something arbitrary.
    fn edge_softmax_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
        alike: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::edge_softmax_backward::<Self>(q, k, alpha, grad, &edges, alike)
    }

    /// `out_t = sum_e alpha_e v_s` with `alpha` of [`edge_softmax`](Self::edge_softmax); returns
    /// `(out, alpha)`.
    fn edge_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::edge_attention::<Self>(q, k, v, &edges)
    }

    /// Gradients of [`edge_attention`](Self::edge_attention)'s `out`: of `q`, `k` and `v`; of tables that are alike the
    /// first has the sum, and the others are arbitrary.
    fn edge_attention_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
        alike: Alike,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        generic::edge_attention_backward::<Self>(q, k, v, alpha, grad, &edges, alike)
    }

    /// `sum_l c_l S^l X` over the coefficients `c_0, c_1, ...`, of which there is at least one; of `S^T` when
    /// `transposed`.
    fn propagate_layers(
        x: FloatTensor<Self>,
        propagation: Arc<Propagation>,
        coefficients: Arc<[f32]>,
        transposed: bool,
    ) -> FloatTensor<Self> {
        composed::propagate_layers::<Self>(x, &propagation, &coefficients, transposed)
    }

    /// `sum_l A^l X`, `l` from 0 to `layers`, with `A` the matrix of the weights of edges among the same nodes.
    fn weighted_layers(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
        layers: usize,
    ) -> FloatTensor<Self> {
        composed::weighted_layers::<Self>(weights, x, &edges, layers)
    }

    /// One layer of [`weighted_layers`](Self::weighted_layers): `A X`, and its sum with `base`. Not differentiable.
    fn weighted_hop(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        base: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::weighted_hop::<Self>(weights, x, base, edges)
    }

    /// Gradients of one layer from that of its output: those of the weights, added to what other layers gave, and
    /// `base + A^T grad`.
    fn weighted_hop_backward(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        base: FloatTensor<Self>,
        d_weights: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::weighted_hop_backward::<Self>(weights, x, grad, base, d_weights, edges)
    }

    /// [`edge_attention`](Self::edge_attention) whose keys and values are one table, with the queries added to what they
    /// hear; returns `(q + out, alpha)`.
    fn residual_attention(
        q: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::residual_attention::<Self>(q, x, edges)
    }

    /// Gradients of [`residual_attention`](Self::residual_attention): of `q` and of `x`; where both are `alike`, their sum
    /// and something arbitrary.
    fn residual_attention_backward(
        q: FloatTensor<Self>,
        x: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
        alike: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::residual_attention_backward::<Self>(q, x, alpha, grad, edges, alike)
    }

    /// [`edge_attention`](Self::edge_attention) whose queries are `own` and whose keys and values are the rows of
    /// `[own ; mix]`; returns `(out, alpha)`.
    fn mixed_attention(
        own: FloatTensor<Self>,
        mix: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::mixed_attention::<Self>(own, mix, edges)
    }

    /// Gradients of [`mixed_attention`](Self::mixed_attention): of `own` and of `mix`.
    fn mixed_attention_backward(
        own: FloatTensor<Self>,
        mix: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::mixed_attention_backward::<Self>(own, mix, alpha, grad, edges)
    }
}
