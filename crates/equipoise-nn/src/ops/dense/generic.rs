//! Each operation from plain Burn operations.

use super::AffineKind;
use crate::ops::element::{Activation, generic};
use crate::ops::plain::values;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use std::sync::Arc;

/// See [`DenseOps::affine`](super::DenseOps::affine).
pub fn affine<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    leaky: bool,
) -> FloatTensor<B> {
    activated::<B>(linear::<B>(x, weight, bias), leaky)
}

/// See [`DenseOps::affine_added`](super::DenseOps::affine_added).
pub fn affine_added<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    leaky: bool,
) -> FloatTensor<B> {
    let y = B::float_add(B::float_add(linear::<B>(x, weight, bias), first), second);
    activated::<B>(y, leaky)
}

fn linear<B: Backend>(x: FloatTensor<B>, weight: FloatTensor<B>, bias: FloatTensor<B>) -> FloatTensor<B> {
    B::float_add(B::float_matmul(x, B::float_transpose(weight)), bias)
}

fn activated<B: Backend>(y: FloatTensor<B>, leaky: bool) -> FloatTensor<B> {
    if leaky { generic::activate::<B>(y, Activation::LeakyRelu) } else { y }
}

/// See [`DenseOps::affine_backward`](super::DenseOps::affine_backward).
pub fn affine_backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    y: FloatTensor<B>,
    grad: FloatTensor<B>,
    kind: AffineKind,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let g = if kind.leaky { generic::activate_backward::<B>(y, grad, Activation::LeakyRelu) } else { grad };
    let d_x = B::float_matmul(g.clone(), weight);
    let d_weight = B::float_matmul(B::float_transpose(g.clone()), x);
    (d_x, d_weight, B::float_sum_dim(g.clone(), 0), g)
}

/// Inner products and offsets, `[n, m]`.
fn logits<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>, offsets: &[f32]) -> FloatTensor<B> {
    let offsets = values::<B>(offsets.to_vec(), [1, offsets.len()], &a.device());
    B::float_add(B::float_matmul(a, B::float_transpose(b)), offsets)
}

/// See [`DenseOps::log_partition`](super::DenseOps::log_partition).
pub fn log_partition<B: Backend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    offsets: Arc<[f32]>,
) -> FloatTensor<B> {
    let x = logits::<B>(a, b, &offsets);
    let top = B::float_max_dim(x.clone(), 1);
    let sums = B::float_sum_dim(B::float_exp(B::float_sub(x, top.clone())), 1);
    B::float_add(B::float_log(sums), top)
}

/// See [`DenseOps::log_partition_backward`](super::DenseOps::log_partition_backward).
pub fn log_partition_backward<B: Backend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    out: FloatTensor<B>,
    grad: FloatTensor<B>,
    offsets: Arc<[f32]>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let x = logits::<B>(a.clone(), b.clone(), &offsets);
    let p = B::float_mul(B::float_exp(B::float_sub(x, out)), grad);
    (B::float_matmul(p.clone(), b), B::float_matmul(B::float_transpose(p), a))
}
