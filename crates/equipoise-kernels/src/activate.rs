//! Elementwise activations and their gradients; all slices of a call have one length.

use crate::exponential::{CHUNK, exp_minus_one, exp_one};
use crate::vector::wide;
use rayon::prelude::*;

/// `out = x` where `x > 0`, `slope * x` elsewhere: leaky ReLU, slope 0.01 in the field.
///
/// # Panics
/// If the lengths differ.
pub fn leaky_relu(x: &[f32], slope: f32, out: &mut [f32]) {
    each(x, out, |x, out| leaky_relu_chunk(x, slope, out));
}

/// `out = grad` where `x > 0`, `slope * grad` elsewhere: at 0 the derivative is `slope`.
///
/// # Panics
/// If the lengths differ.
pub fn leaky_relu_backward(x: &[f32], slope: f32, grad: &[f32], out: &mut [f32]) {
    each_pair(x, grad, out, |x, grad, out| leaky_relu_backward_chunk(x, slope, grad, out));
}

/// `out = 1 / (1 + e^-x)`; 0 and 1 far out. Relative error below 2e-7.
///
/// # Panics
/// If the lengths differ.
pub fn sigmoid(x: &[f32], out: &mut [f32]) {
    each(x, out, sigmoid_chunk);
}

/// `out = grad * y (1 - y)`, from `y = sigmoid(x)`.
///
/// # Panics
/// If the lengths differ.
pub fn sigmoid_backward(y: &[f32], grad: &[f32], out: &mut [f32]) {
    each_pair(y, grad, out, sigmoid_backward_chunk);
}

/// `out = tanh(x)`; -1 and 1 far out. Relative error below 2e-7, also near 0.
///
/// # Panics
/// If the lengths differ.
pub fn tanh(x: &[f32], out: &mut [f32]) {
    each(x, out, tanh_chunk);
}

/// `out = grad * (1 - y) (1 + y)`, from `y = tanh(x)`.
///
/// # Panics
/// If the lengths differ.
pub fn tanh_backward(y: &[f32], grad: &[f32], out: &mut [f32]) {
    each_pair(y, grad, out, tanh_backward_chunk);
}

fn each(x: &[f32], out: &mut [f32], chunk: impl Fn(&[f32], &mut [f32]) + Sync) {
    assert_eq!(out.len(), x.len(), "activation: output length");
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| chunk(x, out));
}

fn each_pair(x: &[f32], grad: &[f32], out: &mut [f32], chunk: impl Fn(&[f32], &[f32], &mut [f32]) + Sync) {
    assert_eq!(grad.len(), x.len(), "activation: gradient length");
    assert_eq!(out.len(), x.len(), "activation: output length");
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK).zip(grad.par_chunks(CHUNK)))
        .for_each(|(out, (x, grad))| chunk(x, grad, out));
}

wide! {
    fn leaky_relu_chunk(x: &[f32], slope: f32, out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = if x > 0.0 { x } else { slope * x };
        }
    }
}

wide! {
    pub(crate) fn leaky_relu_backward_chunk(x: &[f32], slope: f32, grad: &[f32], out: &mut [f32]) {
        for (out, (&x, &grad)) in out.iter_mut().zip(x.iter().zip(grad)) {
            *out = if x > 0.0 { grad } else { slope * grad };
        }
    }
}

wide! {
    fn sigmoid_chunk(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            // The exponential of a negative number only: it cannot overflow.
            let e = exp_one(-x.abs());
            *out = (if x < 0.0 { e } else { 1.0 }) / (1.0 + e);
        }
    }
}

wide! {
    fn sigmoid_backward_chunk(y: &[f32], grad: &[f32], out: &mut [f32]) {
        for (out, (y, grad)) in out.iter_mut().zip(y.iter().zip(grad)) {
            *out = grad * y * (1.0 - y);
        }
    }
}

wide! {
    fn tanh_chunk(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            // tanh |x| = -z / (2 + z) with z = e^(-2|x|) - 1; beyond 20 it is 1.
            let z = exp_minus_one((-2.0 * x.abs()).clamp(-40.0, 0.0));
            *out = (-z / (2.0 + z)).copysign(x);
        }
    }
}

wide! {
    fn tanh_backward_chunk(y: &[f32], grad: &[f32], out: &mut [f32]) {
        for (out, (y, grad)) in out.iter_mut().zip(y.iter().zip(grad)) {
            *out = grad * ((1.0 - y) * (1.0 + y));
        }
    }
}
