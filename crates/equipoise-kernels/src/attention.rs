//! Edge attention by inner products: each target's mean over its sources, weighted by a softmax.
//!
//! ```text
//! l_e = <q_t, k_s>      alpha_e = softmax of l over the edges into t      out_t = sum_e alpha_e v_s
//! ```
//!
//! for the edges `e = (s -> t)` of a directed edge set whose rows are the targets. Only numbers per edge are
//! ever stored, never a vector per edge. Velickovic et al., *Graph Attention Networks* (2018), with the inner
//! product of Vaswani et al., *Attention Is All You Need* (2017), not scaled.

use crate::rows::{Pair, RowSource, Start, row, split_edges, split_rows, sum_edges, tasks};
use crate::softmax::{SHORT, backward_of_rows, softmax_of_rows};
use crate::sparse::{BySource, SparseRows, add_spmm_by_edge, dots_of_rows, spmm_by_edge, two_by_edge};
use crate::tables::zero;
use crate::vector::wide;
use rayon::prelude::*;
use std::ops::Range;

/// Edges that are handled together: 64 KiB of rows at width 64.
const NEAR: usize = 256;

/// The tables that an attention reads, row-major with `width` columns; any of them may be the same slice.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Queries, one row per target.
    pub q: &'a [f32],
    /// Keys, one row per source.
    pub k: &'a [f32],
    /// Values, one row per source.
    pub v: &'a [f32],
    /// Keys and values of further sources, numbered on from those of `k` and `v`, or empty.
    pub more: &'a [f32],
    /// Columns of all tables, at least 1.
    pub width: usize,
    /// Whether a target's query is added to what it receives: `out_t = q_t + sum_e alpha_e v_s`.
    pub residual: bool,
}

impl<'a> Attention<'a> {
    fn keys(&self) -> Pair<'a> {
        Pair(self.k, self.more)
    }

    fn values(&self) -> Pair<'a> {
        Pair(self.v, self.more)
    }
}

/// The output of [`attend_backward`], with the shapes of [`Attention`]. If several tables are one and the same, only the
/// first needs a gradient: the gradient of an empty slice is added to the one before it. The gradient of keys or values is
/// followed by that of `more`.
#[derive(Debug)]
pub struct AttentionGradients<'a> {
    /// `dL/dq`, overwritten.
    pub q: &'a mut [f32],
    /// `dL/dk`, overwritten, or empty.
    pub k: &'a mut [f32],
    /// `dL/dv`, overwritten, or empty.
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
        let (first, start, width) = (rows.indptr[range.start], range.start, tables.width);
        let mut scratch = Scratch::default();
        for near in stretches(rows.indptr, range) {
            let bounds = &rows.indptr[near.start..=near.end];
            let alpha = &mut alpha[bounds[0] - first..bounds[near.len()] - first];
            let logits = scratch.of(alpha.len());
            dots_of_rows(rows, near.clone(), tables.q, tables.keys(), width, &mut logits[..alpha.len()]);
            softmax_of_rows(bounds, logits, alpha);
            let out = &mut out[(near.start - start) * width..(near.end - start) * width];
            let base = tables.residual.then_some(tables.q);
            weigh_rows(rows, near, alpha, tables.values(), (width, base), out);
        }
    }
}

/// One number per edge for edges that are handled together.
#[derive(Default)]
struct Scratch(Vec<f32>);

impl Scratch {
    /// At least `n` of them, and enough more that the last row can be read as a whole.
    #[inline(always)]
    fn of(&mut self, n: usize) -> &mut [f32] {
        if self.0.len() < n + SHORT {
            self.0.resize(n + SHORT, 0.0);
        }
        &mut self.0
    }
}

/// `out_t = base_t + sum_e weights_e x_s`; `weights` and `out` start at the first row of the range.
#[inline(always)]
fn weigh_rows(
    rows: SparseRows,
    range: Range<usize>,
    weights: &[f32],
    x: impl RowSource,
    (width, base): (usize, Option<&[f32]>),
    out: &mut [f32],
) {
    let first = rows.indptr[range.start];
    for (r, out) in range.zip(out.chunks_exact_mut(width)) {
        let start = base.map_or(Start::Zero, |base| Start::Row(row(base, width, r)));
        sum_edges(rows.columns, rows.edges(r), |e| weights[e - first], x, start, out);
    }
}

/// Cuts a range of rows into parts of at most [`NEAR`] edges and one row more: the rows that the edges of a part name are
/// still in the innermost cache when they are read again.
#[inline(always)]
fn stretches(indptr: &[usize], rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let full = |end: &usize| indptr[*end] - indptr[start] >= NEAR;
        let end = (start + 1..rows.end).find(full).unwrap_or(rows.end);
        let stretch = (start < rows.end).then_some(start..end);
        start = end;
        stretch
    })
}

/// The gradients of [`attend`], given its `alpha` and `grad = dL/dout` (`n_rows x width`):
///
/// ```text
/// d_alpha_e = <grad_t, v_s>                 d_l = softmax backward of d_alpha
/// d_q_t = sum_{e into t} d_l_e k_s          d_k_s = sum_{e from s} d_l_e q_t
/// d_v_s = sum_{e from s} alpha_e grad_t     with `residual`, grad_t is added to d_q_t
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
    let alone = gradients.k.is_empty() && !tables.k.is_empty();
    let further = if alone { tables.more.len() } else { 0 };
    assert_eq!(gradients.q.len(), tables.q.len() + further, "attention: length of the query gradient");
    assert_eq!(by_source.rows.n_edges(), rows.n_edges(), "attention: number of edges by source");
    let width = tables.width;
    let mut d_logits = vec![0.0; rows.n_edges()];
    let AttentionGradients { q, k, v } = gradients;
    let (of_targets, of_more) = q.split_at_mut(tables.q.len());
    target_side(rows, tables, alpha, grad, &mut d_logits, of_targets);
    zero(of_more);
    let BySource { rows, edges } = by_source;
    let keys = if alone { q } else { k };
    if v.is_empty() && !tables.v.is_empty() {
        // Keys and values have one gradient, so both rows of a target are read together.
        return two_by_edge(rows, edges, (&d_logits, alpha), (tables.q, grad), (width, alone), keys);
    }
    if alone {
        add_spmm_by_edge(rows, edges, &d_logits, tables.q, width, keys);
    } else {
        spmm_by_edge(rows, edges, &d_logits, tables.q, width, keys);
    }
    spmm_by_edge(rows, edges, alpha, grad, width, v);
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
        let (first, start) = (rows.indptr[range.start], range.start);
        let mut scratch = Scratch::default();
        for near in stretches(rows.indptr, range) {
            let bounds = &rows.indptr[near.start..=near.end];
            let entries = bounds[0] - first..bounds[near.len()] - first;
            let (alpha, d_logits) = (&alpha[entries.start..], &mut d_logits[entries]);
            let d_alpha = scratch.of(d_logits.len());
            let edges = &mut d_alpha[..d_logits.len()];
            dots_of_rows(rows, near.clone(), grad, tables.values(), tables.width, edges);
            backward_of_rows(bounds, alpha, d_alpha, d_logits);
            let d_q = &mut d_q[(near.start - start) * tables.width..(near.end - start) * tables.width];
            let base = tables.residual.then_some(grad);
            weigh_rows(rows, near, d_logits, tables.keys(), (tables.width, base), d_q);
        }
    }
}
