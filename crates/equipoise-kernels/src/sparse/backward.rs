//! Gradients of a product of sparse rows, and inner products along the edges.

use super::pattern::{BySource, SparseRows};
use crate::rows::{RowSource, prefetch_source, row, split_edges, split_rows, tasks};
use crate::vector::{add_scaled, short_dot, wide};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Numbers handled by one task.
const CHUNK: usize = 1 << 14;

/// What [`spmm_backward`] reads.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// The transposed rows, whose columns are the targets `t`, with the number of each entry among the forward ones.
    pub back: BySource<'a>,
    /// One value per forward entry.
    pub values: &'a [f32],
    /// The table that was multiplied, one row per source.
    pub x: &'a [f32],
    /// Columns of all tables, at least 1.
    pub width: usize,
}

/// Both gradients of [`spmm`](super::spmm) from `grad = dL/dout`, reading each row of it once per edge:
///
/// ```text
/// d_values_e = <grad_t, x_s>        d_x_s = base_s + sum over edges e from s of values_e grad_t
/// ```
///
/// `d_values`, in the order of the forward entries, and `d_x` are overwritten. Without a `base`, `base_s` is zero; with one,
/// `d_values` is added to, as the sum of a power series in the matrix needs at each of its terms.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn spmm_backward(
    of: Weighted,
    grad: &[f32],
    base: Option<&[f32]>,
    d_values: &mut [f32],
    d_x: &mut [f32],
) {
    let BySource { rows, edges } = of.back;
    rows.check();
    assert_eq!(edges.len(), rows.n_edges(), "spmm backward: number of edge numbers");
    assert_eq!(of.values.len(), rows.n_edges(), "spmm backward: number of values");
    assert_eq!(d_values.len(), rows.n_edges(), "spmm backward: number of gradients of values");
    assert_eq!(of.x.len(), rows.n_rows() * of.width, "spmm backward: length of the table");
    assert_eq!(d_x.len(), of.x.len(), "spmm backward: length of the table's gradient");
    assert!(base.is_none_or(|base| base.len() == d_x.len()), "spmm backward: length of what is added to");
    let dots: Vec<AtomicU32> = (0..rows.n_edges()).map(|_| AtomicU32::new(0)).collect();
    let tasks = tasks(rows.indptr);
    let tables = split_rows(d_x, of.width, &tasks);
    tasks.into_par_iter().zip(tables).for_each(|(range, d_x)| {
        match base {
            Some(base) => d_x.copy_from_slice(&base[range.start * of.width..range.end * of.width]),
            None => d_x.fill(0.0),
        }
        backward_chunk(of, range, grad, &dots, d_x);
    });
    d_values.par_chunks_mut(CHUNK).zip(dots.par_chunks(CHUNK)).for_each(|(d_values, dots)| {
        for (d_value, dot) in d_values.iter_mut().zip(dots) {
            let dot = f32::from_bits(dot.load(Relaxed));
            *d_value = if base.is_some() { *d_value + dot } else { dot };
        }
    });
}

wide! {
    /// The inner product of an entry is written at its position among the forward entries: one task writes it, and it is
    /// read after all tasks are done.
    fn backward_chunk(of: Weighted, range: Range<usize>, grad: &[f32], dots: &[AtomicU32], d_x: &mut [f32]) {
        let (BySource { rows, edges }, width) = (of.back, of.width);
        for (s, d_x) in range.zip(d_x.chunks_exact_mut(width)) {
            let x = row(of.x, width, s);
            for e in rows.edges(s) {
                prefetch_source(rows.columns, e, grad, width);
                let (grad, edge) = (row(grad, width, rows.columns[e] as usize), edges[e] as usize);
                dots[edge].store(short_dot(grad, x).to_bits(), Relaxed);
                add_scaled(d_x, of.values[edge], grad);
            }
        }
    }
}

/// `out[e] = <targets[r], sources[columns[e]]>` for every entry `e` of every row `r`: the gradient of [`spmm`](super::spmm)
/// with respect to its values, or the logits of an attention.
///
/// Both tables are row-major with `width >= 1` columns; `targets` has `n_rows` rows, `out` one number per
/// entry.
///
/// # Panics
/// If a column or a length does not fit.
pub fn edge_dots(rows: SparseRows, targets: &[f32], sources: &[f32], width: usize, out: &mut [f32]) {
    rows.check();
    assert_eq!(targets.len(), rows.n_rows() * width, "edge dots: length of the targets");
    assert_eq!(out.len(), rows.n_edges(), "edge dots: output length");
    let tasks = tasks(rows.indptr);
    let parts = split_edges(out, rows.indptr, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(range, out)| {
        dots(rows, range, targets, sources, width, out);
    });
}

wide! {
    fn dots(
        rows: SparseRows,
        range: Range<usize>,
        targets: &[f32],
        sources: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        dots_of_rows(rows, range, targets, sources, width, out);
    }
}

/// The body of [`edge_dots`] for the rows of one task; `out` starts at the first of their entries.
#[inline(always)]
pub(crate) fn dots_of_rows(
    rows: SparseRows,
    range: Range<usize>,
    targets: &[f32],
    sources: impl RowSource,
    width: usize,
    out: &mut [f32],
) {
    let mut out = out.iter_mut();
    for r in range {
        let target = row(targets, width, r);
        for (e, out) in rows.edges(r).zip(out.by_ref()) {
            prefetch_source(rows.columns, e, sources, width);
            *out = short_dot(target, &sources.tail(rows.columns[e] as usize, width)[..width]);
        }
    }
}
