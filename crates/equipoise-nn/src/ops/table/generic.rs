//! Each operation from plain Burn operations.

use crate::ops::arguments::Rows;
use crate::ops::plain::{select_add, zeros};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::Slice;

/// See [`TableOps::stack`](super::TableOps::stack).
pub fn stack<B: Backend>(first: FloatTensor<B>, second: FloatTensor<B>) -> FloatTensor<B> {
    B::float_cat(vec![first, second], 0)
}

/// See [`TableOps::range_of_rows`](super::TableOps::range_of_rows).
pub fn range_of_rows<B: Backend>(x: FloatTensor<B>, start: usize, end: usize) -> FloatTensor<B> {
    B::float_slice(x, &[Slice::from(start..end)])
}

/// See [`TableOps::pad_rows`](super::TableOps::pad_rows).
pub fn pad_rows<B: Backend>(grad: FloatTensor<B>, start: usize, height: usize) -> FloatTensor<B> {
    let [rows, width] = [grad.shape()[0], grad.shape()[1]];
    let out = zeros::<B, _>([height, width], &grad.device());
    B::float_slice_assign(out, &[Slice::from(start..start + rows), Slice::from(0..width)], grad)
}

/// See [`TableOps::blend`](super::TableOps::blend).
pub fn blend<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>, scale: f32) -> FloatTensor<B> {
    scaled::<B>(B::float_add(a, b), scale)
}

/// See [`TableOps::scaled`](super::TableOps::scaled).
pub fn scaled<B: Backend>(x: FloatTensor<B>, scale: f32) -> FloatTensor<B> {
    B::float_mul_scalar(x, scale.into())
}

/// See [`TableOps::add_rows`](super::TableOps::add_rows).
pub fn add_rows<B: Backend>(x: FloatTensor<B>, grad: FloatTensor<B>, rows: Rows) -> FloatTensor<B> {
    select_add::<B>(x, &rows, grad)
}

/// See [`TableOps::collect`](super::TableOps::collect).
pub fn collect<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    x
}
