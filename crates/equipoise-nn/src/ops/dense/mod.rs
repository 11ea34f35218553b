//! Linear maps of rows with what follows them, and partition functions of rows.

mod autodiff;
mod flex;
pub mod generic;
mod kind;

use super::declare::operations;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
pub use kind::AffineKind;
use std::sync::Arc;

operations! {
    /// Operations on whole rows of dense tables, each one operation with a gradient of its own.
    pub trait DenseOps: Backend {
        /// `f(x W^T + b)`: `x [n, k]`, `weight [d, k]`, `bias [1, d]` -> `[n, d]`; `f` is leaky ReLU or nothing.
        fn affine(x, weight, bias; leaky: bool) -> FloatTensor;

        /// `f(x W^T + b + e + e')` with two tables of the shape of the result.
        fn affine_added(x, weight, bias, first, second; leaky: bool) -> FloatTensor;

        /// Gradients of both, from the output `y`: of `x`, `weight`, `bias` and each table that is added. Those not wanted
        /// are arbitrary.
        fn affine_backward(x, weight, y, grad; kind: AffineKind)
            -> (FloatTensor, FloatTensor, FloatTensor, FloatTensor);

        /// `ln sum_s exp(<a_r, b_s> + o_s)` per row of `a`: `a [n, d]`, `b [m, d]`, `m` offsets that are no part of the
        /// tape -> `[n, 1]`.
        fn log_partition(a, b; offsets: Arc<[f32]>) -> FloatTensor;

        /// Gradients of [`log_partition`](Self::log_partition) from its output: of `a` and of `b`.
        fn log_partition_backward(a, b, out, grad; offsets: Arc<[f32]>) -> (FloatTensor, FloatTensor);
    }
}
