//! Edge attention by inner products: each target's mean over its sources, weighted by a softmax.
//!
//! ```text
//! l_e = <q_t, k_s>      alpha_e = softmax of l over the edges into t      out_t = sum_e alpha_e v_s
//! ```
//!
//! for the edges `e = (s -> t)` of a directed edge set whose rows are the targets. Only numbers per edge are
//! ever stored, never a vector per edge. Velickovic et al., *Graph Attention Networks* (2018), with the inner
//! product of Vaswani et al., *Attention Is All You Need* (2017), not scaled.

use crate::rows::{split_edges, split_rows, sum_edges, tasks};
use crate::softmax::{backward_of_rows, softmax_of_rows};
use crate::sparse::{SparseRows, dots_of_rows, spmm_by_edge};
use crate::vector::wide;
use rayon::prelude::*;
use std::ops::Range;

/// The tables that an attention reads, row-major with `width` columns; any of them may be the same slice.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Queries, one row per target.
    pub q: &'a [f32],
    /// Keys, one row per source.
    pub k: &'a [f32],
    /// Values, one row per source.
    pub v: &'a [f32],
    /// Columns of all three, at least 1.
    pub width: usize,
}

/// The edges by source: the transpose of the rows by target.
#[derive(Clone, Copy, Debug)]
pub struct BySource<'a> {
    /// One row per source, whose columns are targets.
    pub rows: SparseRows<'a>,
    /// Number of each entry among the entries by target.
    pub edges: &'a [u32],
}

/// Where [`attend_backward`] writes; shapes as in [`Attention`].
#[derive(Debug)]
pub struct AttentionGradients<'a> {
    /// `dL/dq`.
    pub q: &'a mut [f32],
    /// `dL/dk`.
    pub k: &'a mut [f32],
    /// `dL/dv`.
    pub v: &'a mut [f32],
}

/// Writes the weight of every edge to `alpha`, which the gradients need, and `out_t = sum_e alpha_e v_s` to `out`
/// (`n_rows x width`). A target without edges gets 0.
///
/// # Panics
/// If a column or a length does not fit.
pub fn attend(rows: SparseRows, tables: Attention, alpha: &mut [f32], out: &mut [f32]) {
    check(rows, tables);
    assert_eq!(alpha.len(), rows.n_edges(), "attention: number of weights");
    assert_eq!(out.len(), tables.q.len(), "attention: output length");
    let tasks = tasks(rows.indptr);
    let alphas = split_edges(alpha, rows.indptr, &tasks);
    let outs = split_rows(out, tables.width, &tasks);
    tasks.into_par_iter().zip(alphas).zip(outs).for_each(|((range, alpha), out)| {
        attend_chunk(rows, range, tables, alpha, out);
    });
}

fn check(rows: SparseRows, tables: Attention) {
    rows.check();
    assert_eq!(tables.q.len(), rows.n_rows() * tables.width, "attention: length of the queries");
    assert_eq!(tables.k.len(), tables.v.len(), "attention: lengths of keys and values");
}

wide! {
    fn attend_chunk(
        rows: SparseRows,
        range: Range<usize>,
        tables: Attention,
        alpha: &mut [f32],
        out: &mut [f32],
    ) {
        dots_of_rows(rows, range.clone(), tables.q, tables.k, tables.width, alpha);
        softmax_of_rows(&rows.indptr[range.start..=range.end], alpha);
        weigh_rows(rows, range, alpha, tables.v, tables.width, out);
    }
}

/// `out_t = sum_e weights_e x_s`; `weights` and `out` start at the first row of the range.
#[inline(always)]
fn weigh_rows(
    rows: SparseRows,
    range: Range<usize>,
    weights: &[f32],
    x: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let first = rows.indptr[range.start];
    for (r, out) in range.zip(out.chunks_exact_mut(width)) {
        let entries = rows.edges(r);
        let weights = &weights[entries.start - first..entries.end - first];
        sum_edges(&rows.columns[entries], |e| weights[e], x, out);
    }
}

/// The gradients of [`attend`], given its `alpha` and `grad = dL/dout` (`n_rows x width`); overwrites all three:
///
/// ```text
/// d_alpha_e = <grad_t, v_s>                 d_l = softmax backward of d_alpha
/// d_q_t = sum_{e into t} d_l_e k_s          d_k_s = sum_{e from s} d_l_e q_t
/// d_v_s = sum_{e from s} alpha_e grad_t
/// ```
///
/// The sums at a source run over `by_source`, in the order of its entries.
///
/// # Panics
/// If a column, an edge number or a length does not fit.
pub fn attend_backward(
    rows: SparseRows,
    by_source: BySource,
    tables: Attention,
    alpha: &[f32],
    grad: &[f32],
    gradients: AttentionGradients,
) {
    check(rows, tables);
    assert_eq!(alpha.len(), rows.n_edges(), "attention: number of weights");
    assert_eq!(grad.len(), tables.q.len(), "attention: gradient length");
    assert_eq!(gradients.q.len(), tables.q.len(), "attention: length of the query gradient");
    assert_eq!(by_source.rows.n_edges(), rows.n_edges(), "attention: number of edges by source");
    let width = tables.width;
    let mut d_logits = vec![0.0; rows.n_edges()];
    target_side(rows, tables, alpha, grad, &mut d_logits, gradients.q);
    let BySource { rows, edges } = by_source;
    spmm_by_edge(rows, edges, &d_logits, tables.q, width, gradients.k);
    spmm_by_edge(rows, edges, alpha, grad, width, gradients.v);
}

/// `dL/dlogit` per edge and `dL/dq`.
fn target_side(
    rows: SparseRows,
    tables: Attention,
    alpha: &[f32],
    grad: &[f32],
    d_logits: &mut [f32],
    d_q: &mut [f32],
) {
    let tasks = tasks(rows.indptr);
    let logits = split_edges(d_logits, rows.indptr, &tasks);
    let queries = split_rows(d_q, tables.width, &tasks);
    tasks.into_par_iter().zip(logits).zip(queries).for_each(|((range, d_logits), d_q)| {
        let alpha = &alpha[rows.indptr[range.start]..rows.indptr[range.end]];
        target_chunk(rows, range, tables, alpha, grad, d_logits, d_q);
    });
}

wide! {
    fn target_chunk(
        rows: SparseRows,
        range: Range<usize>,
        tables: Attention,
        alpha: &[f32],
        grad: &[f32],
        d_logits: &mut [f32],
        d_q: &mut [f32],
    ) {
        dots_of_rows(rows, range.clone(), grad, tables.v, tables.width, d_logits);
        backward_of_rows(&rows.indptr[range.start..=range.end], alpha, d_logits);
        weigh_rows(rows, range, d_logits, tables.k, tables.width, d_q);
    }
}
