//! The custom operations on Burn tensors, differentiable.

use crate::Propagation;
use crate::ops::dense::DenseOps;
use crate::ops::element::{Activation, ElementOps};
use crate::ops::graph::{ComposedOps, GraphOps};
use crate::ops::step::StepOps;
use crate::ops::table::TableOps;
use crate::ops::{RowWeights, Rows};
use burn::backend::Dispatch;
use burn::tensor::Tensor;
use equipoise_data::graph::Edges;
use equipoise_data::{Features, Triples};
use std::ops::Range;
use std::sync::Arc;

/// Rows of a table: `[height, d] -> [rows.len(), d]`. Rows must be distinct and below `height`.
pub fn gather_rows(table: Tensor<2>, rows: &Rows) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::gather_rows(table.into_dispatch(), rows.clone()))
}

/// Single numbers: `[height] -> [rows.len()]`. Rows must be distinct and below `height`.
pub fn gather_values(values: Tensor<1>, rows: &Rows) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::gather_rows(values.into_dispatch(), rows.clone()))
}

/// `W e_r + b` for the given rows of a frozen feature matrix: `weight [d, d_m]`, `bias [1, d]` -> `[rows.len(), d]`.
pub fn project_rows(weight: Tensor<2>, bias: Tensor<2>, features: &Features, rows: &Rows) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::project_rows(weight, bias, features.clone(), rows.clone()))
}

/// Margins `<y_u, z_i> - <y_u, z_j>` of triples: `users [a, d]`, `items [b, d]` -> `[triples.len()]`.
pub fn margins(users: Tensor<2>, items: Tensor<2>, triples: &Arc<Triples>) -> Tensor<1> {
    let (users, items) = (users.into_dispatch(), items.into_dispatch());
    Tensor::from_dispatch(Dispatch::margins(users, items, triples.clone(), None))
}

/// [`margins`] with one more value at the end: `sum_r w_r ||y_r||^2 + sum_r w_r ||z_r||^2`.
pub fn margins_and_norm(
    users: Tensor<2>,
    items: Tensor<2>,
    triples: &Arc<Triples>,
    weights: &Arc<RowWeights>,
) -> Tensor<1> {
    let (users, items) = (users.into_dispatch(), items.into_dispatch());
    Tensor::from_dispatch(Dispatch::margins(users, items, triples.clone(), Some(weights.clone())))
}

/// `sum_r weights[r] ||x_r||^2`, shape `[1]`.
pub fn weighted_square_sum(x: Tensor<2>, weights: &Arc<[f32]>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::weighted_square_sum(x.into_dispatch(), weights.clone()))
}

/// `S X` with a constant sparse matrix: `x [columns of S, d]` -> `[rows of S, d]`.
pub fn propagate(propagation: &Arc<Propagation>, x: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::propagate(x.into_dispatch(), propagation.clone(), false))
}

/// `out_t = sum over edges e: s -> t of w_e x_s`: `weights [edges]`, `x [sources, d]` -> `[targets, d]`.
pub fn propagate_weighted(edges: &Arc<Edges>, weights: Tensor<1>, x: Tensor<2>) -> Tensor<2> {
    let (weights, x) = (weights.into_dispatch(), x.into_dispatch());
    Tensor::from_dispatch(Dispatch::propagate_weighted(weights, x, edges.clone()))
}

/// `alpha_e = exp(<q_t, k_s> - max) / (sum exp(<q_t, k_s'> - max) + 1e-16)` over the edges into each target:
/// `q [targets, d]`, `k [sources, d]` -> `[edges]`.
pub fn edge_softmax(edges: &Arc<Edges>, q: Tensor<2>, k: Tensor<2>) -> Tensor<1> {
    let (q, k) = (q.into_dispatch(), k.into_dispatch());
    Tensor::from_dispatch(Dispatch::edge_softmax(q, k, edges.clone()))
}

/// `out_t = sum_e alpha_e v_s` with `alpha` of [`edge_softmax`], in one operation: `[targets, d]`; a target
/// without edges gets a zero row.
pub fn edge_attention(edges: &Arc<Edges>, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>) -> Tensor<2> {
    let (q, k, v) = (q.into_dispatch(), k.into_dispatch(), v.into_dispatch());
    Tensor::from_dispatch(Dispatch::edge_attention(q, k, v, edges.clone()).0)
}

/// `q + edge_attention(q, x, x)` in one operation: `q [targets, d]`, `x [sources, d]` -> `[targets, d]`. Both may be one
/// table.
pub fn residual_attention(edges: &Arc<Edges>, q: Tensor<2>, x: Tensor<2>) -> Tensor<2> {
    let (q, x) = (q.into_dispatch(), x.into_dispatch());
    Tensor::from_dispatch(Dispatch::residual_attention(q, x, edges.clone()).0)
}

/// [`edge_attention`] whose queries are `own [targets, d]` and whose keys and values are the rows of `own` and, numbered on
/// from those, of `mix`: the edges' sources are rows of both.
pub fn mixed_attention(edges: &Arc<Edges>, own: Tensor<2>, mix: Tensor<2>) -> Tensor<2> {
    let (own, mix) = (own.into_dispatch(), mix.into_dispatch());
    Tensor::from_dispatch(Dispatch::mixed_attention(own, mix, edges.clone()).0)
}

/// `sum_l c_l S^l X` with a constant square sparse matrix, over one or more coefficients `c_0, c_1, ...`: `[n, d]`.
pub fn propagate_layers(propagation: &Arc<Propagation>, x: Tensor<2>, coefficients: &[f32]) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(Dispatch::propagate_layers(x, propagation.clone(), coefficients.into(), false))
}

/// `sum_l A^l X`, `l` from 0 to `layers`, with `A` the matrix of `weights [edges]` between the same nodes: `[n, d]`.
pub fn weighted_layers(edges: &Arc<Edges>, weights: Tensor<1>, x: Tensor<2>, layers: usize) -> Tensor<2> {
    let (weights, x) = (weights.into_dispatch(), x.into_dispatch());
    Tensor::from_dispatch(Dispatch::weighted_layers(weights, x, edges.clone(), layers))
}

/// `values_e worth_s` for every edge `e` from `s`: `values [edges]`, `worth [sources, 1]` -> `[edges]`.
pub fn by_sender(edges: &Arc<Edges>, values: Tensor<1>, worth: Tensor<2>) -> Tensor<1> {
    let (values, worth) = (values.into_dispatch(), worth.into_dispatch());
    Tensor::from_dispatch(Dispatch::by_sender(values, worth, edges.clone()))
}

/// `max(a_e, b_e)`; of equal ones `a` gets the gradient.
pub fn larger(a: Tensor<1>, b: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::larger(a.into_dispatch(), b.into_dispatch()))
}

/// `[first ; second]`: `[n, d]` and `[m, d]` -> `[n + m, d]`.
pub fn stack(first: Tensor<2>, second: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::stack(first.into_dispatch(), second.into_dispatch()))
}

/// Rows of a range, which may be empty.
pub fn range_of_rows(x: Tensor<2>, rows: Range<usize>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::range_of_rows(x.into_dispatch(), rows.start, rows.end))
}

/// `scale ( a + b )` of two tables of one shape.
pub fn blend(a: Tensor<2>, b: Tensor<2>, scale: f32) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::blend(a.into_dispatch(), b.into_dispatch(), scale))
}

/// The same numbers, for several readers: the gradients from operations of this crate are added up on all threads. Worth it
/// for large tables that are read more than once.
pub fn collect<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::collect(x.into_dispatch()))
}

/// `x_r * (w_r base_r + gate_r)` per row, value by value: `x`, `base` and `gate` of `[n, d]`, `weights` of `[n, 1]`.
pub fn gated(x: Tensor<2>, weights: Tensor<2>, base: Tensor<2>, gate: Tensor<2>) -> Tensor<2> {
    let (x, weights) = (x.into_dispatch(), weights.into_dispatch());
    Tensor::from_dispatch(Dispatch::gated(x, weights, base.into_dispatch(), gate.into_dispatch()))
}

/// `x / max(||x||, 1e-12)` per row; a zero row stays zero and gets no gradient.
pub fn normalise_rows(x: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::normalise_rows(x.into_dispatch()).0)
}

/// `x W^T + 1 b` per row: `x [n, k]`, `weight [d, k]`, `bias [1, d]` -> `[n, d]`.
pub fn affine(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    let [x, weight, bias] = [x, weight, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::affine(x, weight, bias, false))
}

/// `LR(x W^T + 1 b)`, with the activation of [`leaky_relu`] while the rows are in the cache.
pub fn affine_leaky(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    let [x, weight, bias] = [x, weight, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::affine(x, weight, bias, true))
}

/// `LR(x W^T + 1 b + e + e')` with two tables of `[n, d]`.
pub fn affine_added_leaky(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<2>,
    [first, second]: [Tensor<2>; 2],
) -> Tensor<2> {
    let [x, weight, bias] = [x, weight, bias].map(Tensor::into_dispatch);
    let [first, second] = [first, second].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::affine_added(x, weight, bias, first, second, true))
}

/// `ln sum_s exp(<a_r, b_s> + o_s)` per row of `a`: `a [n, d]`, `b [m, d]`, `m` offsets -> `[n, 1]`. The largest
/// term of a row is factored out, and no table of `n x m` is made.
pub fn log_partition(a: Tensor<2>, b: Tensor<2>, offsets: &Arc<[f32]>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::log_partition(a.into_dispatch(), b.into_dispatch(), offsets.clone()))
}

/// `max(x, 0.01 x)`.
pub fn leaky_relu(x: Tensor<2>) -> Tensor<2> {
    activate(x, Activation::LeakyRelu)
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: Tensor<2>) -> Tensor<2> {
    activate(x, Activation::Sigmoid)
}

/// `tanh x`.
pub fn tanh(x: Tensor<2>) -> Tensor<2> {
    activate(x, Activation::Tanh)
}

fn activate(x: Tensor<2>, f: Activation) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), f))
}
