//! Softmax over the edges of each row, and its gradient.
//!
//! Most rows of a graph are shorter than two vectors. Such a row is read and written as a whole, without a loop; the values
//! written behind it are overwritten by later rows. Input and output are different memory, so no row waits for the writes of
//! the row before it.

use crate::exponential::exp_one;
use crate::rows::{split_edges, tasks};
use crate::vector::{lane_sum, short_dot, sum, wide};
use rayon::prelude::*;
use std::ops::Range;

/// Added to the sum of exponentials.
const EPSILON: f32 = 1e-16;

/// How many numbers are read and written for a short row.
pub(crate) const SHORT: usize = 16;

/// Weights from logits, row by row:
///
/// ```text
/// alpha_e = exp(l_e - max_k l_k) / (sum_k exp(l_k - max) + 1e-16)
/// ```
///
/// where `k` runs over the entries of the row of `e`. `indptr` holds the row bounds, ascending from 0; `logits`
/// has one finite number per entry. An empty row has nothing to do, a row of one entry gets 1.
///
/// # Panics
/// If the bounds or a length do not fit.
pub fn segment_softmax(indptr: &[usize], logits: &[f32], alpha: &mut [f32]) {
    check(indptr, logits.len());
    assert_eq!(alpha.len(), logits.len(), "softmax: output length");
    let tasks = tasks(indptr);
    let parts = split_edges(alpha, indptr, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(rows, alpha)| {
        let indptr = &indptr[rows.start..=rows.end];
        softmax_chunk(indptr, &logits[indptr[0]..], alpha);
    });
}

/// The gradient of [`segment_softmax`] from `d_alpha = dL/dalpha`,
///
/// ```text
/// d_l_e = alpha_e (d_alpha_e - sum_k alpha_k d_alpha_k)
/// ```
///
/// # Panics
/// If the bounds or a length do not fit.
pub fn segment_softmax_backward(indptr: &[usize], alpha: &[f32], d_alpha: &[f32], d_logits: &mut [f32]) {
    check(indptr, alpha.len());
    assert_eq!([d_alpha.len(), d_logits.len()], [alpha.len(); 2], "softmax: lengths of the gradients");
    let tasks = tasks(indptr);
    let parts = split_edges(d_logits, indptr, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(rows, d_logits)| {
        let indptr = &indptr[rows.start..=rows.end];
        backward_chunk(indptr, &alpha[indptr[0]..], &d_alpha[indptr[0]..], d_logits);
    });
}

fn check(indptr: &[usize], entries: usize) {
    assert!(indptr.first() == Some(&0), "softmax: bounds start at 0");
    assert_eq!(indptr.last(), Some(&entries), "softmax: bounds end at the number of entries");
}

wide! {
    fn softmax_chunk(indptr: &[usize], logits: &[f32], alpha: &mut [f32]) {
        softmax_of_rows(indptr, logits, alpha);
    }
}

wide! {
    fn backward_chunk(indptr: &[usize], alpha: &[f32], d_alpha: &[f32], d_logits: &mut [f32]) {
        backward_of_rows(indptr, alpha, d_alpha, d_logits);
    }
}

/// The entries of each of the rows with bounds `indptr`, counted from the first of them.
#[inline(always)]
fn entries_of(indptr: &[usize]) -> impl Iterator<Item = Range<usize>> {
    indptr.windows(2).map(|bounds| bounds[0] - indptr[0]..bounds[1] - indptr[0])
}

/// The numbers from `start` on that are read for a short row.
#[inline(always)]
fn whole<T>(x: &[T], start: usize) -> Option<&[T; SHORT]> {
    x.get(start..).and_then(|x| x.first_chunk())
}

/// All bits set, then none.
const BITS: [u32; 2 * SHORT] = {
    let mut bits = [0; 2 * SHORT];
    let mut l = 0;
    while l < SHORT {
        bits[l] = u32::MAX;
        l += 1;
    }
    bits
};

/// The first `n` of some numbers, at most all of them, and `rest` in place of the others. Uses masks, because comparisons
/// of positions are compiled to a branch each.
#[inline(always)]
fn first(x: &[f32; SHORT], n: usize, rest: f32) -> [f32; SHORT] {
    let mask = whole(&BITS, SHORT - n).expect("as many bits are there");
    let pick = |l: usize| (x[l].to_bits() & mask[l]) | (rest.to_bits() & !mask[l]);
    std::array::from_fn(|l| f32::from_bits(pick(l)))
}

/// The part of the results where a row is written, if it is short and ends well before the last of them.
#[inline(always)]
fn place<'a>(out: &'a mut [f32], entries: &Range<usize>) -> Option<&'a mut [f32; SHORT]> {
    let there = out.get_mut(entries.start..).and_then(|x| x.first_chunk_mut());
    there.filter(|_| entries.len() <= SHORT)
}

/// The largest of some lanes.
#[inline(always)]
fn lane_max(lanes: &[f32; SHORT]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut eight: [f32; 8] = std::array::from_fn(|l| larger(lanes[l], lanes[l + 8]));
    for half in [4, 2, 1] {
        for l in 0..half {
            eight[l] = larger(eight[l], eight[l + half]);
        }
    }
    eight[0]
}

/// The rows with bounds `indptr`: `logits` starts with their entries, `alpha` has nothing else.
#[inline(always)]
pub(crate) fn softmax_of_rows(indptr: &[usize], logits: &[f32], alpha: &mut [f32]) {
    for entries in entries_of(indptr) {
        if let (Some(l), Some(out)) = (whole(logits, entries.start), place(alpha, &entries)) {
            *out = of_short(l, entries.len());
        } else {
            of_long(&logits[entries.clone()], &mut alpha[entries]);
        }
    }
}

#[inline(always)]
fn of_short(logits: &[f32; SHORT], n: usize) -> [f32; SHORT] {
    let max = lane_max(&first(logits, n, f32::NEG_INFINITY));
    // Positions behind the row are filled with its largest logit: `exp` of a number far below costs many times as much.
    let logits = first(logits, n, max);
    let mut out = [0.0; SHORT];
    for l in 0..SHORT {
        out[l] = exp_one(logits[l] - max);
    }
    let out = first(&out, n, 0.0);
    let total = lane_sum(out) + EPSILON;
    out.map(|x| x / total)
}

#[inline(always)]
fn of_long(logits: &[f32], alpha: &mut [f32]) {
    let max = logits.iter().fold(f32::NEG_INFINITY, |max, &l| if l > max { l } else { max });
    for (out, l) in alpha.iter_mut().zip(logits) {
        *out = exp_one(l - max);
    }
    let total = sum(alpha) + EPSILON;
    alpha.iter_mut().for_each(|l| *l /= total);
}

/// As [`softmax_of_rows`], for the gradient.
#[inline(always)]
pub(crate) fn backward_of_rows(indptr: &[usize], alpha: &[f32], d_alpha: &[f32], d_logits: &mut [f32]) {
    for entries in entries_of(indptr) {
        let (n, start) = (entries.len(), entries.start);
        if let (Some(a), Some(d), Some(out)) =
            (whole(alpha, start), whole(d_alpha, start), place(d_logits, &entries))
        {
            let (a, d) = (first(a, n, 0.0), first(d, n, 0.0));
            let mean = lane_sum(std::array::from_fn(|l| a[l] * d[l]));
            *out = std::array::from_fn(|l| a[l] * (d[l] - mean));
            continue;
        }
        let (alpha, d_alpha) = (&alpha[entries.clone()], &d_alpha[entries.clone()]);
        let mean = short_dot(alpha, d_alpha);
        for ((out, d), a) in d_logits[entries].iter_mut().zip(d_alpha).zip(alpha) {
            *out = a * (d - mean);
        }
    }
}
