//! Operations over edges: no table of edges x width is ever made by the fast bodies.

mod autodiff;
mod flex;
pub mod generic;

use crate::Propagation;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use equipoise_graph::Edges;
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
}
