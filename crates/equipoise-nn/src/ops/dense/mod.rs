//! Linear maps of rows with what follows them, and partition functions of rows.

mod autodiff;
mod flex;
pub mod generic;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use std::sync::Arc;

/// What a linear map is followed by, and which of its gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffineKind {
    /// Whether a leaky ReLU follows.
    pub leaky: bool,
    /// Whether the gradient of the input is wanted.
    pub wants_x: bool,
    /// Whether the gradient of what is added is wanted: every table has the same.
    pub wants_added: bool,
}

/// Operations on whole rows of dense tables, each one operation with a gradient of its own.
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait DenseOps: Backend {
    /// `f(x W^T + b)`: `x [n, k]`, `weight [d, k]`, `bias [1, d]` -> `[n, d]`; `f` is leaky ReLU or nothing.
    fn affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        leaky: bool,
    ) -> FloatTensor<Self> {
        generic::affine::<Self>(x, weight, bias, [], leaky)
    }

    /// `f(x W^T + b + e + e')` with two tables of the shape of the result.
    fn affine_added(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        leaky: bool,
    ) -> FloatTensor<Self> {
        generic::affine::<Self>(x, weight, bias, [first, second], leaky)
    }

    /// Gradients of both, from the output `y`: of `x`, `weight`, `bias` and each table that is added. Those not wanted
    /// are arbitrary.
    fn affine_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        y: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        kind: AffineKind,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        generic::affine_backward::<Self>(x, weight, y, grad, kind)
    }

    /// `ln sum_s exp(<a_r, b_s> + o_s)` per row of `a`: `a [n, d]`, `b [m, d]`, `m` offsets that are no part of the
    /// tape -> `[n, 1]`.
    fn log_partition(a: FloatTensor<Self>, b: FloatTensor<Self>, offsets: Arc<[f32]>) -> FloatTensor<Self> {
        generic::log_partition::<Self>(a, b, &offsets)
    }

    /// Gradients of [`log_partition`](Self::log_partition) from its output: of `a` and of `b`.
    fn log_partition_backward(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        out: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        offsets: Arc<[f32]>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::log_partition_backward::<Self>(a, b, out, grad, &offsets)
    }
}
