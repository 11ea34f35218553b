//! Softmax over the edges of each row, in place, and its gradient.

use crate::exponential::exp_one;
use crate::rows::{split_edges, tasks};
use crate::vector::{short_dot, sum, wide};
use rayon::prelude::*;

/// Added to the sum of exponentials.
const EPSILON: f32 = 1e-16;

/// Turns logits into weights, row by row:
///
/// ```text
/// alpha_e = exp(l_e - max_k l_k) / (sum_k exp(l_k - max) + 1e-16)
/// ```
///
/// where `k` runs over the entries of the row of `e`. `indptr` holds the row bounds, ascending from 0; `logits`
/// has one finite number per entry. An empty row has nothing to do, a row of one entry gets 1.
///
/// # Panics
/// If the bounds do not fit.
pub fn segment_softmax(indptr: &[usize], logits: &mut [f32]) {
    check(indptr, logits.len());
    let tasks = tasks(indptr);
    let parts = split_edges(logits, indptr, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(rows, logits)| {
        softmax_chunk(&indptr[rows.start..=rows.end], logits);
    });
}

/// The gradient of [`segment_softmax`]: turns `dL/dalpha` into `dL/dlogit` in place,
///
/// ```text
/// d_l_e = alpha_e (d_alpha_e - sum_k alpha_k d_alpha_k)
/// ```
///
/// # Panics
/// If the bounds or a length do not fit.
pub fn segment_softmax_backward(indptr: &[usize], alpha: &[f32], d_alpha: &mut [f32]) {
    check(indptr, alpha.len());
    assert_eq!(d_alpha.len(), alpha.len(), "softmax: gradient length");
    let tasks = tasks(indptr);
    let parts = split_edges(d_alpha, indptr, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(rows, d_alpha)| {
        let indptr = &indptr[rows.start..=rows.end];
        backward_chunk(indptr, &alpha[indptr[0]..][..d_alpha.len()], d_alpha);
    });
}

fn check(indptr: &[usize], entries: usize) {
    assert!(indptr.first() == Some(&0), "softmax: bounds start at 0");
    assert_eq!(indptr.last(), Some(&entries), "softmax: bounds end at the number of entries");
}

wide! {
    fn softmax_chunk(indptr: &[usize], logits: &mut [f32]) {
        softmax_of_rows(indptr, logits);
    }
}

wide! {
    fn backward_chunk(indptr: &[usize], alpha: &[f32], d_alpha: &mut [f32]) {
        backward_of_rows(indptr, alpha, d_alpha);
    }
}

/// The rows with bounds `indptr`, of which `logits` holds the entries and nothing else.
///
/// One sweep of exponentials over all of them: most rows are shorter than a vector.
#[inline(always)]
pub(crate) fn softmax_of_rows(indptr: &[usize], logits: &mut [f32]) {
    for bounds in indptr.windows(2) {
        let row = &mut logits[bounds[0] - indptr[0]..bounds[1] - indptr[0]];
        let max = row.iter().fold(f32::NEG_INFINITY, |max, &l| if l > max { l } else { max });
        row.iter_mut().for_each(|l| *l -= max);
    }
    logits.iter_mut().for_each(|l| *l = exp_one(*l));
    for bounds in indptr.windows(2) {
        let row = &mut logits[bounds[0] - indptr[0]..bounds[1] - indptr[0]];
        let total = sum(row) + EPSILON;
        row.iter_mut().for_each(|l| *l /= total);
    }
}

/// As [`softmax_of_rows`], for the gradient.
#[inline(always)]
pub(crate) fn backward_of_rows(indptr: &[usize], alpha: &[f32], d_alpha: &mut [f32]) {
    for bounds in indptr.windows(2) {
        let entries = bounds[0] - indptr[0]..bounds[1] - indptr[0];
        let (alpha, d_alpha) = (&alpha[entries.clone()], &mut d_alpha[entries]);
        let mean = short_dot(alpha, d_alpha);
        for (d, a) in d_alpha.iter_mut().zip(alpha) {
            *d = a * (*d - mean);
        }
    }
}
