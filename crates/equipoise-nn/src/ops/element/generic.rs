//! Each operation from plain Burn operations.

use super::{Activation, LEAKY_SLOPE, SMALLEST_NORM};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, get_device_settings};

/// See [`ElementOps::activate`](super::ElementOps::activate).
pub fn activate<B: Backend>(x: FloatTensor<B>, f: Activation) -> FloatTensor<B> {
    match f {
        Activation::LeakyRelu => B::leaky_relu(x, LEAKY_SLOPE.into()),
        Activation::Sigmoid => B::sigmoid(x),
        Activation::Tanh => B::float_tanh(x),
    }
}

/// See [`ElementOps::activate_backward`](super::ElementOps::activate_backward).
pub fn activate_backward<B: Backend>(
    out: FloatTensor<B>,
    grad: FloatTensor<B>,
    f: Activation,
) -> FloatTensor<B> {
    match f {
        Activation::LeakyRelu => {
            let bools = get_device_settings::<B>(&out.device()).bool_dtype;
            let below = B::float_lower_equal_elem(out, 0.0.into(), bools);
            let scaled = B::float_mul_scalar(grad.clone(), LEAKY_SLOPE.into());
            B::float_mask_where(grad, below, scaled)
        }
        Activation::Sigmoid => {
            let slope = B::float_sub(out.clone(), B::float_mul(out.clone(), out));
            B::float_mul(grad, slope)
        }
        Activation::Tanh => {
            let square = B::float_mul(out.clone(), out);
            let slope = B::float_add_scalar(B::float_neg(square), 1.0.into());
            B::float_mul(grad, slope)
        }
    }
}

/// See [`ElementOps::gated`](super::ElementOps::gated).
pub fn gated<B: Backend>(
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    base: FloatTensor<B>,
    gate: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_mul(x, B::float_add(B::float_mul(base, weights), gate))
}

/// See [`ElementOps::gated_backward`](super::ElementOps::gated_backward).
pub fn gated_backward<B: Backend>(
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    base: FloatTensor<B>,
    gate: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let h = B::float_mul(grad.clone(), x);
    let d_weights = B::float_sum_dim(B::float_mul(h.clone(), base.clone()), 1);
    let d_x = B::float_mul(grad, B::float_add(B::float_mul(base, weights.clone()), gate));
    (d_x, d_weights, B::float_mul(h.clone(), weights), h)
}

/// See [`ElementOps::normalise_rows`](super::ElementOps::normalise_rows).
pub fn normalise_rows<B: Backend>(x: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let norms = B::float_sqrt(B::float_sum_dim(B::float_mul(x.clone(), x.clone()), 1));
    let floor = B::float_clamp_min(norms.clone(), SMALLEST_NORM.into());
    (B::float_div(x, floor), norms)
}

/// See [`ElementOps::normalise_rows_backward`](super::ElementOps::normalise_rows_backward).
pub fn normalise_rows_backward<B: Backend>(
    out: FloatTensor<B>,
    norms: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let along = B::float_sum_dim(B::float_mul(out.clone(), grad.clone()), 1);
    let across = B::float_sub(grad, B::float_mul(out, along));
    let bools = get_device_settings::<B>(&norms.device()).bool_dtype;
    let zero = B::float_lower_equal_elem(norms.clone(), SMALLEST_NORM.into(), bools);
    let inverse = B::float_recip(B::float_clamp_min(norms, SMALLEST_NORM.into()));
    B::float_mul(across, B::float_mask_fill(inverse, zero, 0.0.into()))
}
