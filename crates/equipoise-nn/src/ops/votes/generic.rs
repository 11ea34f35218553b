//! Each operation from plain Burn operations.

use crate::ops::generic::zeros;
use crate::ops::graph::generic::{End, column, flat};
use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Backend, TensorMetadata, get_device_settings};
use equipoise_data::graph::Edges;

/// See [`VoteOps::by_sender`](super::VoteOps::by_sender).
pub fn by_sender<B: Backend>(values: FloatTensor<B>, worth: FloatTensor<B>, edges: &Edges) -> FloatTensor<B> {
    let of_edges = End::<B>::sources(edges, &worth.device()).of(worth);
    B::float_mul(values, flat::<B>(of_edges))
}

/// See [`VoteOps::by_sender_backward`](super::VoteOps::by_sender_backward).
pub fn by_sender_backward<B: Backend>(
    values: FloatTensor<B>,
    worth: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let per_edge = column::<B>(B::float_mul(values, grad.clone()));
    let d_worth = End::<B>::sources(edges, &worth.device()).sum(per_edge);
    (by_sender::<B>(grad, worth, edges), d_worth)
}

/// Where `b` is larger.
fn second<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> BoolTensor<B> {
    let bools = get_device_settings::<B>(&a.device()).bool_dtype;
    B::float_greater(b, a, bools)
}

/// See [`VoteOps::larger`](super::VoteOps::larger).
pub fn larger<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    let second = second::<B>(a.clone(), b.clone());
    B::float_mask_where(a, second, b)
}

/// See [`VoteOps::larger_backward`](super::VoteOps::larger_backward).
pub fn larger_backward<B: Backend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (second, none) = (second::<B>(a, b), zeros::<B, _>([grad.shape()[0]], &grad.device()));
    let d_a = B::float_mask_where(grad.clone(), second.clone(), none.clone());
    (d_a, B::float_mask_where(none, second, grad))
}
