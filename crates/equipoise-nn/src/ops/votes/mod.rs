//! What several judges say of every edge: one number each, weighed by the sender, and the larger of two.

mod autodiff;
mod flex;
pub mod generic;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// Operations on one number per edge, `[edges]`.
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait VoteOps: Backend {
    /// `out_e = values_e worth_s` for `e` from `s`; `worth` is `[sources, 1]`.
    fn by_sender(
        values: FloatTensor<Self>,
        worth: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        generic::by_sender::<Self>(values, worth, &edges)
    }

    /// Gradients of [`by_sender`](Self::by_sender): of the values and of the worth.
    fn by_sender_backward(
        values: FloatTensor<Self>,
        worth: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::by_sender_backward::<Self>(values, worth, grad, &edges)
    }

    /// `max(a_e, b_e)`.
    fn larger(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        generic::larger::<Self>(a, b)
    }

    /// Gradients of [`larger`](Self::larger): all of it to the larger one, to `a` where they are equal.
    fn larger_backward(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::larger_backward::<Self>(a, b, grad)
    }
}
