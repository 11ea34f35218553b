//! Each operation from plain Burn operations: correct on every backend, at the price of tables of
//! edges x width.

use crate::Propagation;
use crate::ops::generic::{gather_rows, select_add, values, zeros};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, get_device_settings};
use burn::tensor::Shape;
use equipoise_graph::{Csr, Edges};

/// Added to a softmax's denominator.
const EPSILON: f64 = 1e-16;

/// Target of each edge.
fn targets(edges: &Edges) -> Vec<u32> {
    rows_of(edges.indptr())
}

fn rows_of(indptr: &[usize]) -> Vec<u32> {
    let row = |r: usize| std::iter::repeat_n(r as u32, indptr[r + 1] - indptr[r]);
    (0..indptr.len() - 1).flat_map(row).collect()
}

fn column<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n, 1]))
}

fn flat<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n]))
}

/// Rows of `x`, each added to the row of the result that `to` names.
fn sum_by<B: Backend>(x: FloatTensor<B>, to: &[u32], height: usize) -> FloatTensor<B> {
    let out = zeros::<B>([height, x.shape()[1]], &x.device());
    select_add::<B>(out, to, x)
}

/// `<a_row, b_row>` per row, `[rows, 1]`.
fn dots<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sum_dim(B::float_mul(a, b), 1)
}

/// See [`GraphOps::propagate`](super::GraphOps::propagate).
pub fn propagate<B: Backend>(
    x: FloatTensor<B>,
    propagation: &Propagation,
    transposed: bool,
) -> FloatTensor<B> {
    let matrix: &Csr = if transposed { propagation.transposed() } else { propagation.matrix() };
    let weights = values::<B>(matrix.values().to_vec(), [matrix.nnz(), 1], &x.device());
    let messages = B::float_mul(gather_rows::<B>(x, matrix.indices()), weights);
    sum_by::<B>(messages, &rows_of(matrix.indptr()), matrix.indptr().len() - 1)
}

/// See [`GraphOps::propagate_weighted`](super::GraphOps::propagate_weighted).
pub fn propagate_weighted<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: &Edges,
) -> FloatTensor<B> {
    let messages = B::float_mul(gather_rows::<B>(x, edges.sources()), column::<B>(weights));
    sum_by::<B>(messages, &targets(edges), edges.n_targets())
}

/// See [`GraphOps::propagate_weighted_backward`](super::GraphOps::propagate_weighted_backward).
pub fn propagate_weighted_backward<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let g = gather_rows::<B>(grad, &targets(edges));
    let d_weights = dots::<B>(g.clone(), gather_rows::<B>(x, edges.sources()));
    let d_x = sum_by::<B>(B::float_mul(g, column::<B>(weights)), edges.sources(), edges.n_sources());
    (flat::<B>(d_weights), d_x)
}

/// See [`GraphOps::edge_softmax`](super::GraphOps::edge_softmax).
pub fn edge_softmax<B: Backend>(q: FloatTensor<B>, k: FloatTensor<B>, edges: &Edges) -> FloatTensor<B> {
    let to = targets(edges);
    let logits = dots::<B>(gather_rows::<B>(q, &to), gather_rows::<B>(k, edges.sources()));
    let shift = row_maxima::<B>(logits.clone(), edges.indptr());
    let weights = B::float_exp(B::float_sub(logits, shift));
    let sums = sum_by::<B>(weights.clone(), &to, edges.n_targets());
    let sums = B::float_add_scalar(sums, EPSILON.into());
    flat::<B>(B::float_div(weights, gather_rows::<B>(sums, &to)))
}

/// The largest value of its row, per edge. Comparing with the edge 1, 2, 4, ... places on reaches every edge
/// of a row, as there is no maximum by index among the plain operations.
fn row_maxima<B: Backend>(logits: FloatTensor<B>, indptr: &[usize]) -> FloatTensor<B> {
    let rows = rows_of(indptr);
    let longest = indptr.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
    let (mut maxima, mut reach) = (logits, 1);
    while reach < longest {
        let other = |e: usize| (e + reach).min(indptr[rows[e] as usize + 1] - 1) as u32;
        let shifted: Vec<u32> = (0..rows.len()).map(other).collect();
        maxima = larger::<B>(maxima.clone(), gather_rows::<B>(maxima, &shifted));
        reach *= 2;
    }
    let first: Vec<u32> = rows.iter().map(|&r| indptr[r as usize] as u32).collect();
    gather_rows::<B>(maxima, &first)
}

fn larger<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    let bools = get_device_settings::<B>(&a.device()).bool_dtype;
    let mask = B::float_greater(b.clone(), a.clone(), bools);
    B::float_mask_where(a, mask, b)
}

/// Gradient of the softmax's input from that of its output, `[edges, 1]` each.
fn logit_gradient<B: Backend>(alpha: FloatTensor<B>, grad: FloatTensor<B>, edges: &Edges) -> FloatTensor<B> {
    let to = targets(edges);
    let mean = sum_by::<B>(B::float_mul(alpha.clone(), grad.clone()), &to, edges.n_targets());
    B::float_mul(alpha, B::float_sub(grad, gather_rows::<B>(mean, &to)))
}

/// Gradients of `<q_t, k_s>` per edge.
fn dot_gradients<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    d_logits: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let to = targets(edges);
    let d_q = B::float_mul(gather_rows::<B>(k, edges.sources()), d_logits.clone());
    let d_k = B::float_mul(gather_rows::<B>(q, &to), d_logits);
    (sum_by::<B>(d_q, &to, edges.n_targets()), sum_by::<B>(d_k, edges.sources(), edges.n_sources()))
}

/// See [`GraphOps::edge_softmax_backward`](super::GraphOps::edge_softmax_backward).
pub fn edge_softmax_backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let d_logits = logit_gradient::<B>(column::<B>(alpha), column::<B>(grad), edges);
    dot_gradients::<B>(q, k, d_logits, edges)
}

/// See [`GraphOps::edge_attention`](super::GraphOps::edge_attention).
pub fn edge_attention<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let alpha = edge_softmax::<B>(q, k, edges);
    (propagate_weighted::<B>(alpha.clone(), v, edges), alpha)
}

/// See [`GraphOps::edge_attention_backward`](super::GraphOps::edge_attention_backward).
pub fn edge_attention_backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (d_alpha, d_v) = propagate_weighted_backward::<B>(alpha.clone(), v, grad, edges);
    let (d_q, d_k) = edge_softmax_backward::<B>(q, k, alpha, d_alpha, edges);
    (d_q, d_k, d_v)
}
