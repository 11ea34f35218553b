//! Products of sparse rows with a table, and inner products along the edges.
//!
//! A graph's weights stay where they were computed, one number per edge in the order of the target rows; the
//! transposed product of a backward pass reads them through the edge numbers of the transposed rows.

use crate::rows::{look_ahead, row, split_edges, split_rows, sum_edges, tasks};
use crate::vector::{add_scaled, short_dot, wide};
use rayon::prelude::*;
use std::ops::Range;

/// The pattern of a sparse matrix in compressed rows, without values: the edges of a graph, by target.
#[derive(Clone, Copy, Debug)]
pub struct SparseRows<'a> {
    /// Row bounds, one more than there are rows, ascending from 0: the entries of row `r` are
    /// `indptr[r]..indptr[r + 1]`.
    pub indptr: &'a [usize],
    /// Column of each entry.
    pub columns: &'a [u32],
}

impl<'a> SparseRows<'a> {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of entries.
    pub fn n_edges(&self) -> usize {
        self.columns.len()
    }

    #[inline(always)]
    pub(crate) fn edges(&self, row: usize) -> Range<usize> {
        self.indptr[row]..self.indptr[row + 1]
    }

    pub(crate) fn check(&self) {
        let (first, last) = (self.indptr.first(), self.indptr.last());
        assert!(first == Some(&0), "sparse rows: bounds start at 0");
        assert_eq!(last, Some(&self.columns.len()), "sparse rows: bounds end at the number of entries");
    }
}

/// The edges by source: the transpose of the rows by target.
#[derive(Clone, Copy, Debug)]
pub struct BySource<'a> {
    /// One row per source, whose columns are targets.
    pub rows: SparseRows<'a>,
    /// Number of each entry among the entries by target.
    pub edges: &'a [u32],
}

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
    transposed(rows, ByEdge { edges, values, add: false }, x, width, out);
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
    transposed(rows, ByEdge { edges, values, add: true }, x, width, out);
}

/// The value of entry `e` is `values[edges[e]]`; sums are added to the output, or replace it.
#[derive(Clone, Copy)]
struct ByEdge<'a> {
    edges: &'a [u32],
    values: &'a [f32],
    add: bool,
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
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, false, out);
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
        let ByEdge { edges, values, add } = values;
        for (r, out) in range.zip(out.chunks_exact_mut(width)) {
            sum_edges(rows.columns, rows.edges(r), |e| values[edges[e] as usize], x, add, out);
        }
    }
}

/// Both gradients of [`spmm`] from `grad = dL/dout`, reading each row of it once per edge:
///
/// ```text
/// d_values_e = <grad_t, x_s>        d_x_s = sum over edges e from s of values_e grad_t
/// ```
///
/// `back` holds the transposed rows, whose columns are the targets `t`, with the number of each entry among the
/// forward ones; `values` and `d_values` are in the order of the forward entries. Both outputs are overwritten.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn spmm_backward(
    back: BySource,
    values: &[f32],
    x: &[f32],
    grad: &[f32],
    width: usize,
    d_values: &mut [f32],
    d_x: &mut [f32],
) {
    let rows = back.rows;
    rows.check();
    assert_eq!(back.edges.len(), rows.n_edges(), "spmm backward: number of edge numbers");
    assert_eq!(values.len(), rows.n_edges(), "spmm backward: number of values");
    assert_eq!(d_values.len(), rows.n_edges(), "spmm backward: number of gradients of values");
    assert_eq!(x.len(), rows.n_rows() * width, "spmm backward: length of the table");
    assert_eq!(d_x.len(), x.len(), "spmm backward: length of the table's gradient");
    let mut by_source = vec![0.0; rows.n_edges()];
    let tasks = tasks(rows.indptr);
    let dots = split_edges(&mut by_source, rows.indptr, &tasks);
    let tables = split_rows(d_x, width, &tasks);
    tasks.into_par_iter().zip(dots).zip(tables).for_each(|((range, dots), d_x)| {
        backward_chunk(back, range, [values, x, grad], width, dots, d_x);
    });
    for (&edge, dot) in back.edges.iter().zip(by_source) {
        d_values[edge as usize] = dot;
    }
}

wide! {
    fn backward_chunk(
        back: BySource,
        range: Range<usize>,
        tables: [&[f32]; 3],
        width: usize,
        dots: &mut [f32],
        d_x: &mut [f32],
    ) {
        let (rows, [values, x, grad]) = (back.rows, tables);
        let mut dots = dots.iter_mut();
        for (s, d_x) in range.zip(d_x.chunks_exact_mut(width)) {
            let x = row(x, width, s);
            d_x.fill(0.0);
            for (e, dot) in rows.edges(s).zip(dots.by_ref()) {
                look_ahead(rows.columns, e, grad, width);
                let grad = row(grad, width, rows.columns[e] as usize);
                *dot = short_dot(grad, x);
                add_scaled(d_x, values[back.edges[e] as usize], grad);
            }
        }
    }
}

/// `out[e] = <targets[r], sources[columns[e]]>` for every entry `e` of every row `r`: the gradient of [`spmm`]
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
    sources: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let mut out = out.iter_mut();
    for r in range {
        let target = row(targets, width, r);
        for (e, out) in rows.edges(r).zip(out.by_ref()) {
            look_ahead(rows.columns, e, sources, width);
            *out = short_dot(target, row(sources, width, rows.columns[e] as usize));
        }
    }
}
