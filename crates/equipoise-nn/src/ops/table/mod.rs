//! Whole tables joined, cut and added, and gradients of several readers collected.

mod autodiff;
mod flex;
pub mod generic;

use crate::ops::Rows;
use crate::ops::generic::select_add;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

/// Operations that only move and add numbers. Tables are `[rows, width]`.
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait TableOps: Backend {
    /// `[first ; second]`.
    fn stack(first: FloatTensor<Self>, second: FloatTensor<Self>) -> FloatTensor<Self> {
        generic::stack::<Self>(first, second)
    }

    /// Rows `start..end`.
    fn range_of_rows(x: FloatTensor<Self>, start: usize, end: usize) -> FloatTensor<Self> {
        generic::range_of_rows::<Self>(x, start, end)
    }

    /// Gradient of [`range_of_rows`](Self::range_of_rows): `height` rows, zero but for those from `start` on.
    fn pad_rows(grad: FloatTensor<Self>, start: usize, height: usize) -> FloatTensor<Self> {
        generic::pad_rows::<Self>(grad, start, height)
    }

    /// `scale ( a + b )`.
    fn blend(a: FloatTensor<Self>, b: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        generic::blend::<Self>(a, b, scale)
    }

    /// `scale x`, the gradient of [`blend`](Self::blend) for both. Not differentiable.
    fn scaled(x: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        generic::scaled::<Self>(x, scale)
    }

    /// `x` with `grad[k]` added to its row `rows[k]`; rows are distinct. Not differentiable.
    fn add_rows(x: FloatTensor<Self>, grad: FloatTensor<Self>, rows: Rows) -> FloatTensor<Self> {
        select_add::<Self>(x, &rows, grad)
    }

    /// The same values, for several readers: their gradients are added up on all threads, where the tape would add them
    /// on one.
    fn collect(x: FloatTensor<Self>) -> FloatTensor<Self> {
        x
    }
}
