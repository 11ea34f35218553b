//! Whole tables joined, cut and added, and gradients of several readers collected.

mod autodiff;
mod flex;
pub mod generic;

use super::arguments::Rows;
use super::declare::operations;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

operations! {
    /// Operations that only move and add numbers. Tables are `[rows, width]`.
    pub trait TableOps: Backend {
        /// `[first ; second]`.
        fn stack(first, second) -> FloatTensor;

        /// Rows `start..end`.
        fn range_of_rows(x; start: usize, end: usize) -> FloatTensor;

        /// Gradient of [`range_of_rows`](Self::range_of_rows): `height` rows, zero but for those from `start` on.
        fn pad_rows(grad; start: usize, height: usize) -> FloatTensor;

        /// `scale ( a + b )`.
        fn blend(a, b; scale: f32) -> FloatTensor;

        /// `scale x`, the gradient of [`blend`](Self::blend) for both. Not differentiable.
        fn scaled(x; scale: f32) -> FloatTensor;

        /// `x` with `grad[k]` added to its row `rows[k]`; rows are distinct. Not differentiable.
        fn add_rows(x, grad; rows: Rows) -> FloatTensor;

        /// The same values, for several readers: their gradients are added up on all threads, where the tape would add
        /// them on one.
        fn collect(x) -> FloatTensor;
    }
}
