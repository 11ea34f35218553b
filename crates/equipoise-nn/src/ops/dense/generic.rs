//! Each operation from plain Burn operations.

use super::AffineKind;
use crate::ops::element::{Activation, generic};
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// See [`DenseOps::affine_added`](super::DenseOps::affine_added).
pub fn affine<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    added: Option<FloatTensor<B>>,
    leaky: bool,
) -> FloatTensor<B> {
    let y = B::float_add(B::float_matmul(x, B::float_transpose(weight)), bias);
    let y = match added {
        Some(added) => B::float_add(y, added),
        None => y,
    };
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

/// See [`DenseOps::log_sum_exp`](super::DenseOps::log_sum_exp).
pub fn log_sum_exp<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let top = B::float_max_dim(x.clone(), 1);
    let sums = B::float_sum_dim(B::float_exp(B::float_sub(x, top.clone())), 1);
    B::float_add(B::float_log(sums), top)
}

/// See [`DenseOps::log_sum_exp_backward`](super::DenseOps::log_sum_exp_backward).
pub fn log_sum_exp_backward<B: Backend>(
    x: FloatTensor<B>,
    out: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_mul(B::float_exp(B::float_sub(x, out)), grad)
}
