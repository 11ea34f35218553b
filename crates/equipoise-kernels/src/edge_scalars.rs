//! One number per edge: multiplied by a weight of the edge's source, and the larger of two.

use crate::rows::{split, tasks};
use crate::sparse::BySource;
use rayon::prelude::*;

/// Edges handled by one task.
const CHUNK: usize = 1 << 13;

/// `out_e = values_e worth_s` for every edge `e` from `s = sources[e]`.
///
/// # Panics
/// If a source or a length does not fit.
pub fn by_sender(sources: &[u32], values: &[f32], worth: &[f32], out: &mut [f32]) {
    assert_eq!([sources.len(), values.len()], [out.len(); 2], "by sender: numbers of edges");
    let edges = sources.par_chunks(CHUNK).zip(values.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK).zip(edges).for_each(|(out, (sources, values))| {
        for (out, (&s, value)) in out.iter_mut().zip(sources.iter().zip(values)) {
            *out = value * worth[s as usize];
        }
    });
}

/// The gradient of [`by_sender`] for `worth`: `out_s = sum over edges e from s of grad_e values_e`, in the order of the
/// entries of `back`. That of the values is [`by_sender`] of `grad`.
///
/// # Panics
/// If an edge number or a length does not fit.
pub fn by_sender_backward(back: BySource, values: &[f32], grad: &[f32], out: &mut [f32]) {
    let BySource { rows, edges } = back;
    assert_eq!(out.len(), rows.n_rows(), "by sender: number of senders");
    assert_eq!(edges.len(), rows.n_edges(), "by sender: number of edge numbers");
    assert_eq!([values.len(), grad.len()], [edges.len(); 2], "by sender: numbers of edges");
    let tasks = tasks(rows.indptr);
    let parts = split(out, tasks.iter().map(ExactSizeIterator::len));
    tasks.into_par_iter().zip(parts).for_each(|(range, out)| {
        for (s, out) in range.zip(out) {
            let edges = edges[rows.edges(s)].iter().map(|&e| e as usize);
            *out = edges.map(|e| grad[e] * values[e]).sum();
        }
    });
}

/// `out_e = max(a_e, b_e)`.
///
/// # Panics
/// If a length does not fit.
pub fn larger(a: &[f32], b: &[f32], out: &mut [f32]) {
    assert_eq!([a.len(), b.len()], [out.len(); 2], "larger: lengths");
    let operands = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK).zip(operands).for_each(|(out, (a, b))| {
        for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = if a < b { b } else { a };
        }
    });
}

/// The gradients of [`larger`]: all of it to the larger one, to the first where they are equal.
///
/// # Panics
/// If a length does not fit.
pub fn larger_backward(a: &[f32], b: &[f32], grad: &[f32], d_a: &mut [f32], d_b: &mut [f32]) {
    assert_eq!([a.len(), b.len(), d_a.len(), d_b.len()], [grad.len(); 4], "larger: lengths");
    let operands = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).zip(grad.par_chunks(CHUNK));
    let outs = d_a.par_chunks_mut(CHUNK).zip(d_b.par_chunks_mut(CHUNK));
    outs.zip(operands).for_each(|((d_a, d_b), ((a, b), grad))| {
        let outs = d_a.iter_mut().zip(d_b);
        for ((d_a, d_b), ((a, b), &grad)) in outs.zip(a.iter().zip(b).zip(grad)) {
            (*d_a, *d_b) = if a < b { (0.0, grad) } else { (grad, 0.0) };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::SparseRows;

    fn numbers(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * step) % 13) as f32 - 6.0).collect()
    }

    /// `n` edges among 7 senders, the last of which has none, by target and by source.
    fn edges(n: usize) -> (Vec<u32>, Vec<usize>, Vec<u32>) {
        let sources: Vec<u32> = (0..n).map(|e| (e * e % 6) as u32).collect();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&e| sources[e as usize]);
        let bounds = (0..=7).map(|s| sources.iter().filter(|&&of| of < s).count()).collect();
        (sources, bounds, order)
    }

    #[test]
    fn edges_are_weighed_and_the_gradients_sum_over_each_sender() {
        for n in [0, 1, 50, 2 * CHUNK + 3] {
            let ((sources, indptr, order), worth) = (edges(n), numbers(7, 5));
            let (values, grad) = (numbers(n, 3), numbers(n, 7));
            let mut out = vec![f32::NAN; n];
            by_sender(&sources, &values, &worth, &mut out);
            let mut d_worth = vec![f32::NAN; 7];
            let back = BySource { rows: SparseRows { indptr: &indptr, columns: &order }, edges: &order };
            by_sender_backward(back, &values, &grad, &mut d_worth);
            let mut expected = vec![0.0; 7];
            for e in 0..n {
                let s = sources[e] as usize;
                assert_eq!(out[e], values[e] * worth[s]);
                expected[s] += values[e] * grad[e];
            }
            assert_eq!(d_worth, expected, "whole numbers add up exactly");
        }
    }

    #[test]
    fn the_larger_one_has_the_gradient_and_the_first_of_equals() {
        for n in [0, 3, CHUNK + 5] {
            let (a, b, grad) = (numbers(n, 5), numbers(n, 3), numbers(n, 7));
            let [mut out, mut d_a, mut d_b] = [(); 3].map(|()| vec![f32::NAN; n]);
            larger(&a, &b, &mut out);
            larger_backward(&a, &b, &grad, &mut d_a, &mut d_b);
            for e in 0..n {
                let first = a[e] >= b[e];
                assert_eq!(out[e], a[e].max(b[e]));
                assert_eq!((d_a[e], d_b[e]), if first { (grad[e], 0.0) } else { (0.0, grad[e]) });
            }
        }
    }
}
