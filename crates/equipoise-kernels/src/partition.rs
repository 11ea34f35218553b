//! `ln sum exp` of each row, and its gradient: the partition functions of contrastive losses.

use crate::exponential::exp_one;
use crate::vector::{sum, wide};
use rayon::prelude::*;

/// Rows handled by one task.
const CHUNK: usize = 16;

/// `out_r = m_r + ln sum_c exp(x_rc - m_r)`, `m_r` the largest of the row; `x` is row-major with `width >= 1`
/// finite columns, `out` has one number per row.
///
/// # Panics
/// If the lengths do not fit.
pub fn log_sum_exp(x: &[f32], width: usize, out: &mut [f32]) {
    assert_eq!(x.len(), out.len() * width, "log-sum-exp: input length");
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK * width))
        .for_each_init(|| vec![0.0; width], |scratch, (out, x)| forward(x, width, scratch, out));
}

wide! {
    fn forward(x: &[f32], width: usize, scratch: &mut [f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x.chunks_exact(width)) {
            let max = x.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max });
            for (e, x) in scratch.iter_mut().zip(x) {
                *e = exp_one(x - max);
            }
            *out = max + sum(scratch).ln();
        }
    }
}

/// The gradient of [`log_sum_exp`] from its result, overwriting `d_x`: `d_x_rc = grad_r exp(x_rc - out_r)`.
///
/// # Panics
/// If the lengths do not fit.
pub fn log_sum_exp_backward(x: &[f32], out: &[f32], width: usize, grad: &[f32], d_x: &mut [f32]) {
    assert_eq!(x.len(), out.len() * width, "log-sum-exp: input length");
    assert_eq!(grad.len(), out.len(), "log-sum-exp: gradient length");
    assert_eq!(d_x.len(), x.len(), "log-sum-exp: length of the input's gradient");
    d_x.par_chunks_mut(CHUNK * width)
        .zip(x.par_chunks(CHUNK * width))
        .zip(out.par_chunks(CHUNK).zip(grad.par_chunks(CHUNK)))
        .for_each(|((d_x, x), (out, grad))| backward(x, out, width, grad, d_x));
}

wide! {
    fn backward(x: &[f32], out: &[f32], width: usize, grad: &[f32], d_x: &mut [f32]) {
        let rows = x.chunks_exact(width).zip(out.iter().zip(grad));
        for (d_x, (x, (&out, &grad))) in d_x.chunks_exact_mut(width).zip(rows) {
            for (d, x) in d_x.iter_mut().zip(x) {
                *d = grad * exp_one(x - out);
            }
        }
    }
}
