//! Rows divided by their L2 norm, and the gradient.

use crate::vector::{short_dot, wide};
use rayon::prelude::*;

/// Rows handled by one task.
const CHUNK: usize = 256;
/// The least divisor: a zero row stays zero.
const LEAST_NORM: f32 = 1e-12;

/// `out_r = x_r / max(||x_r||_2, 1e-12)` and `norms[r] = ||x_r||_2`.
///
/// `x` and `out` are row-major with `width >= 1` columns; `norms` has one number per row. Squares must not
/// overflow: magnitudes below 1e18.
///
/// # Panics
/// If the lengths differ.
pub fn normalise_rows(x: &[f32], width: usize, out: &mut [f32], norms: &mut [f32]) {
    assert_eq!(x.len(), norms.len() * width, "normalise: input length");
    assert_eq!(out.len(), x.len(), "normalise: output length");
    out.par_chunks_mut(CHUNK * width)
        .zip(x.par_chunks(CHUNK * width))
        .zip(norms.par_chunks_mut(CHUNK))
        .for_each(|((out, x), norms)| forward(x, width, out, norms));
}

wide! {
    fn forward(x: &[f32], width: usize, out: &mut [f32], norms: &mut [f32]) {
        for ((out, x), norm) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(norms) {
            *norm = short_dot(x, x).sqrt();
            let divisor = norm.max(LEAST_NORM);
            for (out, x) in out.iter_mut().zip(x) {
                *out = x / divisor;
            }
        }
    }
}

/// The gradient of [`normalise_rows`] from its results `out` and `norms`, overwriting `d_x`:
///
/// ```text
/// d_x_r = (grad_r - y_r <y_r, grad_r>) / ||x_r||      where ||x_r|| > 1e-12, y = out
/// d_x_r = 0                                           elsewhere
/// ```
///
/// Below 1e-12 the derivative is `grad / 1e-12`, a step of no use to any optimiser: it is defined as 0 here, so a
/// zero row stays zero.
///
/// # Panics
/// If the lengths differ.
pub fn normalise_rows_backward(out: &[f32], norms: &[f32], width: usize, grad: &[f32], d_x: &mut [f32]) {
    assert_eq!(out.len(), norms.len() * width, "normalise: output length");
    assert_eq!(grad.len(), out.len(), "normalise: gradient length");
    assert_eq!(d_x.len(), out.len(), "normalise: length of the input's gradient");
    d_x.par_chunks_mut(CHUNK * width)
        .zip(out.par_chunks(CHUNK * width).zip(grad.par_chunks(CHUNK * width)))
        .zip(norms.par_chunks(CHUNK))
        .for_each(|((d_x, (y, grad)), norms)| backward(y, norms, width, grad, d_x));
}

wide! {
    fn backward(y: &[f32], norms: &[f32], width: usize, grad: &[f32], d_x: &mut [f32]) {
        let rows = y.chunks_exact(width).zip(grad.chunks_exact(width)).zip(norms);
        for (d_x, ((y, grad), &norm)) in d_x.chunks_exact_mut(width).zip(rows) {
            if norm > LEAST_NORM {
                let along = short_dot(y, grad);
                for (d, (y, g)) in d_x.iter_mut().zip(y.iter().zip(grad)) {
                    *d = (g - y * along) / norm;
                }
            } else {
                d_x.fill(0.0);
            }
        }
    }
}
