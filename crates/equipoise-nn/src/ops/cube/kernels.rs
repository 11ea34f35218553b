//! Kernels: a thread per output value, or per row where a row has one value. Tables are contiguous, `[rows, width]`;
//! row numbers and bounds are 32-bit.

// The macro's own expansion.
#![allow(missing_docs, clippy::too_many_arguments)]

use cubecl::prelude::*;

/// `out[r] = sum over k in indptr[r]..indptr[r + 1] of weights[k] x[columns[k]]`, a thread per value.
#[cube(launch)]
pub fn sum_rows(indptr: &[i32], columns: &[i32], weights: &[f32], x: &[f32], out: &mut [f32], width: usize) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let row = ABSOLUTE_POS / width;
    let column = ABSOLUTE_POS % width;
    let mut sum = f32::new(0.0);
    for k in usize::cast_from(indptr[row])..usize::cast_from(indptr[row + 1]) {
        sum += weights[k] * x[usize::cast_from(columns[k]) * width + column];
    }
    out[ABSOLUTE_POS] = sum;
}

/// `out[k] = <a[left[k]], b[right[k]]>`, a thread per pair.
#[cube(launch)]
pub fn pair_dots(a: &[f32], left: &[i32], b: &[f32], right: &[i32], out: &mut [f32], width: usize) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let a_from = usize::cast_from(left[ABSOLUTE_POS]) * width;
    let b_from = usize::cast_from(right[ABSOLUTE_POS]) * width;
    let mut sum = f32::new(0.0);
    for column in 0..width {
        sum += a[a_from + column] * b[b_from + column];
    }
    out[ABSOLUTE_POS] = sum;
}

/// Softmax over each row's logits, shifted by the row's largest; a thread per row.
#[cube(launch)]
pub fn row_softmax(indptr: &[i32], logits: &[f32], out: &mut [f32], rows: usize, epsilon: f32) {
    if ABSOLUTE_POS >= rows {
        terminate!();
    }
    let from = usize::cast_from(indptr[ABSOLUTE_POS]);
    let to = usize::cast_from(indptr[ABSOLUTE_POS + 1]);
    let mut largest = f32::new(-3.0e38);
    for k in from..to {
        largest = max(largest, logits[k]);
    }
    let mut sum = epsilon;
    for k in from..to {
        let weight = (logits[k] - largest).exp();
        out[k] = weight;
        sum += weight;
    }
    for k in from..to {
        out[k] = out[k] / sum;
    }
}

/// Gradient of [`row_softmax`]'s logits from that of its output: `alpha (grad - sum of alpha grad)`; a thread per row.
#[cube(launch)]
pub fn row_softmax_backward(indptr: &[i32], alpha: &[f32], grad: &[f32], out: &mut [f32], rows: usize) {
    if ABSOLUTE_POS >= rows {
        terminate!();
    }
    let from = usize::cast_from(indptr[ABSOLUTE_POS]);
    let to = usize::cast_from(indptr[ABSOLUTE_POS + 1]);
    let mut mean = f32::new(0.0);
    for k in from..to {
        mean += alpha[k] * grad[k];
    }
    for k in from..to {
        out[k] = alpha[k] * (grad[k] - mean);
    }
}

/// `out[rows[k]] = x[k]`; rows are distinct, a thread per value.
#[cube(launch)]
pub fn place_rows(x: &[f32], rows: &[i32], out: &mut [f32], width: usize) {
    if ABSOLUTE_POS >= x.len() {
        terminate!();
    }
    let row = usize::cast_from(rows[ABSOLUTE_POS / width]);
    out[row * width + ABSOLUTE_POS % width] = x[ABSOLUTE_POS];
}

/// One step of Adam, a thread per value; `rate` and `correction` have the bias corrections in them.
#[cube(launch)]
pub fn adam_step(
    parameter: &[f32],
    grad: &[f32],
    m: &[f32],
    v: &[f32],
    new_parameter: &mut [f32],
    new_m: &mut [f32],
    new_v: &mut [f32],
    beta1: f32,
    beta2: f32,
    rate: f32,
    correction: f32,
    eps: f32,
) {
    if ABSOLUTE_POS >= parameter.len() {
        terminate!();
    }
    let g = grad[ABSOLUTE_POS];
    let first = beta1 * m[ABSOLUTE_POS] + (1.0 - beta1) * g;
    let second = beta2 * v[ABSOLUTE_POS] + (1.0 - beta2) * g * g;
    new_m[ABSOLUTE_POS] = first;
    new_v[ABSOLUTE_POS] = second;
    let root = (second * correction).sqrt() + eps;
    new_parameter[ABSOLUTE_POS] = parameter[ABSOLUTE_POS] - rate * first / root;
}
