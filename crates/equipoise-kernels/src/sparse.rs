//! Products of sparse rows with a table, and inner products along the edges.
//!
//! A graph's weights stay where they were computed, one number per edge in the order of the target rows; the
//! transposed product of a backward pass reads them through the edge numbers of the transposed rows.

use crate::rows::{RowSource, look_ahead, row, split_edges, split_rows, sum_edges, tasks};
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
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, true, out);
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
            sum_edges(rows.columns, rows.edges(r), |e| values[e], x, false, out);
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

/// Both gradients of [`spmm`] from `grad = dL/dout`, reading each row of it once per edge:
///
/// ```text
/// d_values_e = <grad_t, x_s>        d_x_s = base_s + sum over edges e from s of values_e grad_t
/// ```
///
/// `d_values`, in the order of the forward entries, and `d_x` are overwritten. With a `base`, which is otherwise zero,
/// `d_values` is added to: what the sum of a power series in the matrix needs at each of its terms.
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
    let mut by_source = vec![0.0; rows.n_edges()];
    let tasks = tasks(rows.indptr);
    let dots = split_edges(&mut by_source, rows.indptr, &tasks);
    let tables = split_rows(d_x, of.width, &tasks);
    tasks.into_par_iter().zip(dots).zip(tables).for_each(|((range, dots), d_x)| {
        match base {
            Some(base) => d_x.copy_from_slice(&base[range.start * of.width..range.end * of.width]),
            None => d_x.fill(0.0),
        }
        backward_chunk(of, range, grad, dots, d_x);
    });
    if base.is_none() {
        d_values.fill(0.0);
    }
    for (&edge, dot) in edges.iter().zip(by_source) {
        d_values[edge as usize] += dot;
    }
}

wide! {
    fn backward_chunk(of: Weighted, range: Range<usize>, grad: &[f32], dots: &mut [f32], d_x: &mut [f32]) {
        let (BySource { rows, edges }, width) = (of.back, of.width);
        let mut dots = dots.iter_mut();
        for (s, d_x) in range.zip(d_x.chunks_exact_mut(width)) {
            let x = row(of.x, width, s);
            for (e, dot) in rows.edges(s).zip(dots.by_ref()) {
                look_ahead(rows.columns, e, grad, width);
                let grad = row(grad, width, rows.columns[e] as usize);
                *dot = short_dot(grad, x);
                add_scaled(d_x, of.values[edges[e] as usize], grad);
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
    sources: impl RowSource,
    width: usize,
    out: &mut [f32],
) {
    let mut out = out.iter_mut();
    for r in range {
        let target = row(targets, width, r);
        for (e, out) in rows.edges(r).zip(out.by_ref()) {
            look_ahead(rows.columns, e, sources, width);
            *out = short_dot(target, &sources.tail(rows.columns[e] as usize, width)[..width]);
        }
    }
}
