//! Products of sparse rows with a table, and what a product is added to.

use super::pattern::SparseRows;
use crate::rows::{Start, split_rows, sum_edges, sum_edges_of_two, tasks};
use crate::vector::wide;
use rayon::prelude::*;
use std::ops::Range;

/// `out_r = sum_e values[e] x[columns[e]]` over the entries `e` of row `r`; an empty row gives 0.
///
/// `x` is row-major with `width >= 1` columns, `out` is `n_rows x width` and is overwritten, `values` has one
/// number per entry. The entries of a row are added in their order.
///
/// # Panics
/// If a column or a length does not fit.
pub fn spmm(rows: SparseRows, values: &[f32], x: &[f32], width: usize, out: &mut [f32]) {
    assert_eq!(values.len(), rows.n_edges(), "spmm: number of values");
    in_tasks(rows, width, out, |range, out| by_entry(rows, range, values, x, width, out));
}

/// [`spmm`] added to `factor` times a table of the output's shape: a step of Horner's rule for a polynomial in the
/// matrix.
///
/// # Panics
/// If a column or a length does not fit.
pub fn spmm_onto(
    rows: SparseRows,
    values: &[f32],
    x: &[f32],
    (factor, base): (f32, &[f32]),
    width: usize,
    out: &mut [f32],
) {
    assert_eq!(values.len(), rows.n_edges(), "spmm: number of values");
    assert_eq!(base.len(), out.len(), "spmm: length of what is added to");
    in_tasks(rows, width, out, |range, out| {
        onto(
            rows,
            range.clone(),
            (factor, &base[range.start * width..range.end * width]),
            values,
            x,
            width,
            out,
        );
    });
}

wide! {
    fn onto(
        rows: SparseRows,
        range: Range<usize>,
        base: (f32, &[f32]),
        values: &[f32],
        x: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let (factor, base) = base;
        for (r, (out, base)) in range.zip(out.chunks_exact_mut(width).zip(base.chunks_exact(width))) {
            for (out, base) in out.iter_mut().zip(base) {
                *out = factor * base;
            }
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, Start::Output, out);
        }
    }
}

/// [`spmm`], and the sum of its output and a table of the same shape: `sum = base + out`.
///
/// # Panics
/// If a column or a length does not fit.
pub fn spmm_and_sum(
    rows: SparseRows,
    values: &[f32],
    x: &[f32],
    base: &[f32],
    width: usize,
    (out, sum): (&mut [f32], &mut [f32]),
) {
    rows.check();
    assert_eq!(values.len(), rows.n_edges(), "spmm: number of values");
    assert_eq!([out.len(), sum.len(), base.len()], [rows.n_rows() * width; 3], "spmm: lengths of the tables");
    let tasks = tasks(rows.indptr);
    let outs = split_rows(out, width, &tasks);
    let sums = split_rows(sum, width, &tasks);
    tasks.into_par_iter().zip(outs).zip(sums).for_each(|((range, out), sum)| {
        let base = &base[range.start * width..range.end * width];
        with_sum(rows, range, values, x, base, out, sum, width);
    });
}

wide! {
    #[expect(clippy::too_many_arguments, reason = "the parts of one task")]
    fn with_sum(
        rows: SparseRows,
        range: Range<usize>,
        values: &[f32],
        x: &[f32],
        base: &[f32],
        out: &mut [f32],
        sum: &mut [f32],
        width: usize,
    ) {
        let tables = out.chunks_exact_mut(width).zip(sum.chunks_exact_mut(width)).zip(base.chunks_exact(width));
        for (r, ((out, sum), base)) in range.zip(tables) {
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, Start::Zero, out);
            for ((sum, out), base) in sum.iter_mut().zip(out).zip(base) {
                *sum = base + *out;
            }
        }
    }
}

/// [`spmm`] with the value of entry `e` at `values[edges[e]]`: the transposed product, when `rows` is the
/// transpose and `values` are kept in the order of the forward entries.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn spmm_by_edge(
    rows: SparseRows,
    edges: &[u32],
    values: &[f32],
    x: &[f32],
    width: usize,
    out: &mut [f32],
) {
    transposed(rows, ByEdge { edges, values, start: Start::Zero }, x, width, out);
}

/// [`spmm_by_edge`] added to what `out` holds.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn add_spmm_by_edge(
    rows: SparseRows,
    edges: &[u32],
    values: &[f32],
    x: &[f32],
    width: usize,
    out: &mut [f32],
) {
    transposed(rows, ByEdge { edges, values, start: Start::Output }, x, width, out);
}

/// `out_s = sum_e ( a[edges[e]] x[columns[e]] + b[edges[e]] y[columns[e]] )` over the entries `e` of row `s`, or added to
/// what `out` holds: two transposed products in one pass.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn two_by_edge(
    rows: SparseRows,
    edges: &[u32],
    (a, b): (&[f32], &[f32]),
    tables: (&[f32], &[f32]),
    (width, add): (usize, bool),
    out: &mut [f32],
) {
    assert_eq!(edges.len(), rows.n_edges(), "spmm: number of edge numbers");
    let start = Start::of(add);
    in_tasks(rows, width, out, |range, out| {
        two_in_task(rows, range, edges, (a, b), tables, (width, start), out);
    });
}

wide! {
    fn two_in_task(
        rows: SparseRows,
        range: Range<usize>,
        edges: &[u32],
        values: (&[f32], &[f32]),
        tables: (&[f32], &[f32]),
        how: (usize, Start),
        out: &mut [f32],
    ) {
        let (width, start) = how;
        let (a, b) = (|e: usize| values.0[edges[e] as usize], |e: usize| values.1[edges[e] as usize]);
        for (r, out) in range.zip(out.chunks_exact_mut(width)) {
            sum_edges_of_two(rows.columns, rows.edges(r), (a, b), tables, start, out);
        }
    }
}

/// The value of entry `e` is `values[edges[e]]`; sums start from what the output holds, or replace it.
#[derive(Clone, Copy)]
struct ByEdge<'a> {
    edges: &'a [u32],
    values: &'a [f32],
    start: Start<'a>,
}

fn transposed(rows: SparseRows, values: ByEdge, x: &[f32], width: usize, out: &mut [f32]) {
    assert_eq!(values.edges.len(), rows.n_edges(), "spmm: number of edge numbers");
    in_tasks(rows, width, out, |range, out| by_edge(rows, range, values, x, width, out));
}

/// Runs `work` on ranges of rows and their parts of `out`, in parallel.
fn in_tasks(
    rows: SparseRows,
    width: usize,
    out: &mut [f32],
    work: impl Fn(Range<usize>, &mut [f32]) + Sync + Send,
) {
    rows.check();
    assert_eq!(out.len(), rows.n_rows() * width, "spmm: output length");
    let tasks = tasks(rows.indptr);
    let parts = split_rows(out, width, &tasks);
    tasks.into_par_iter().zip(parts).for_each(|(range, out)| work(range, out));
}

wide! {
    fn by_entry(
        rows: SparseRows,
        range: Range<usize>,
        values: &[f32],
        x: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        for (r, out) in range.zip(out.chunks_exact_mut(width)) {
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, Start::Zero, out);
        }
    }
}

wide! {
    fn by_edge(
        rows: SparseRows,
        range: Range<usize>,
        values: ByEdge,
        x: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let ByEdge { edges, values, start } = values;
        for (r, out) in range.zip(out.chunks_exact_mut(width)) {
            sum_edges(rows.columns, rows.edges(r), |e| values[edges[e] as usize], x, start, out);
        }
    }
}
