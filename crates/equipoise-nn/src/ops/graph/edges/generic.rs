//! Each operation from plain Burn operations: correct on every backend, at the price of tables of edges x width.

use crate::Propagation;
use crate::ops::device_constants::{constant_indices, constant_table};
use crate::ops::graph::shared_tables::SharedTables;
use crate::ops::plain::{column, flat, zeros};
use burn::backend::tensor::{BoolTensor, Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata, get_device_settings};
use burn::tensor::IndexingUpdateOp;
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// Added to a softmax's denominator.
const EPSILON: f64 = 1e-16;

/// The row of every entry.
pub(in crate::ops) fn rows_of(indptr: &[usize]) -> Vec<u32> {
    let row = |r: usize| std::iter::repeat_n(r as u32, indptr[r + 1] - indptr[r]);
    (0..indptr.len() - 1).flat_map(row).collect()
}

/// One end of every edge, as row numbers on a device.
struct End<B: Backend> {
    rows: IntTensor<B>,
    height: usize,
}

impl<B: Backend> End<B> {
    fn targets(edges: &Edges, device: &Device<B>) -> End<B> {
        let make = || rows_of(edges.indptr());
        let rows = constant_indices::<B>(edges.device_cache(), "targets", device, make);
        End { rows, height: edges.n_targets() }
    }

    fn sources(edges: &Edges, device: &Device<B>) -> End<B> {
        let make = || edges.sources().to_vec();
        let rows = constant_indices::<B>(edges.device_cache(), "sources", device, make);
        End { rows, height: edges.n_sources() }
    }

    /// Per edge, the row of `x` at this end.
    fn of(&self, x: FloatTensor<B>) -> FloatTensor<B> {
        B::float_select(x, 0, self.rows.clone())
    }

    /// Per node, the sum of the rows of `x` of the edges that have this end there.
    fn sum(&self, x: FloatTensor<B>) -> FloatTensor<B> {
        let out = zeros::<B, _>([self.height, x.shape()[1]], &x.device());
        B::float_select_assign(out, 0, self.rows.clone(), x, IndexingUpdateOp::Add)
    }
}

/// `<a_row, b_row>` per row, `[rows, 1]`.
fn dots<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sum_dim(B::float_mul(a, b), 1)
}

/// See [`GraphOps::propagate`](super::GraphOps::propagate).
pub fn propagate<B: Backend>(
    x: FloatTensor<B>,
    propagation: Arc<Propagation>,
    transposed: bool,
) -> FloatTensor<B> {
    let (matrix, side) =
        if transposed { (propagation.transposed(), "transposed") } else { (propagation.matrix(), "matrix") };
    let (device, owner) = (x.device(), propagation.device_cache());
    let rows = |end: &str, make: &dyn Fn() -> Vec<u32>| {
        constant_indices::<B>(owner, &format!("{side} {end}"), &device, make)
    };
    let to = End::<B> { rows: rows("rows", &|| rows_of(matrix.indptr())), height: matrix.indptr().len() - 1 };
    let from = End::<B> { rows: rows("columns", &|| matrix.indices().to_vec()), height: x.shape()[0] };
    let shape = [matrix.nnz(), 1];
    let weights =
        constant_table::<B>(owner, &format!("{side} values"), &device, shape, || matrix.values().to_vec());
    to.sum(B::float_mul(from.of(x), weights))
}

/// See [`GraphOps::propagate_weighted`](super::GraphOps::propagate_weighted).
pub fn propagate_weighted<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: Arc<Edges>,
) -> FloatTensor<B> {
    let device = x.device();
    let (to, from) = (End::<B>::targets(&edges, &device), End::<B>::sources(&edges, &device));
    to.sum(B::float_mul(from.of(x), column::<B>(weights)))
}

/// See [`GraphOps::propagate_weighted_backward`](super::GraphOps::propagate_weighted_backward).
pub fn propagate_weighted_backward<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device = x.device();
    let (to, from) = (End::<B>::targets(&edges, &device), End::<B>::sources(&edges, &device));
    let g = to.of(grad);
    let d_weights = dots::<B>(g.clone(), from.of(x));
    let d_x = from.sum(B::float_mul(g, column::<B>(weights)));
    (flat::<B>(d_weights), d_x)
}

/// See [`GraphOps::edge_softmax`](super::GraphOps::edge_softmax).
pub fn edge_softmax<B: Backend>(q: FloatTensor<B>, k: FloatTensor<B>, edges: Arc<Edges>) -> FloatTensor<B> {
    let device = q.device();
    let (to, from) = (End::<B>::targets(&edges, &device), End::<B>::sources(&edges, &device));
    let logits = dots::<B>(to.of(q), from.of(k));
    let shift = row_maxima::<B>(logits.clone(), &edges);
    let weights = B::float_exp(B::float_sub(logits, shift));
    let sums = B::float_add_scalar(to.sum(weights.clone()), EPSILON.into());
    flat::<B>(B::float_div(weights, to.of(sums)))
}

/// The largest value of its row, per edge. Comparing with the edge 1, 2, 4, ... places on reaches every edge
/// of a row, as there is no maximum by index among the plain operations.
fn row_maxima<B: Backend>(logits: FloatTensor<B>, edges: &Edges) -> FloatTensor<B> {
    let (device, indptr) = (logits.device(), edges.indptr());
    let longest = indptr.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
    let select = |x: FloatTensor<B>, name: &str, other: &dyn Fn(usize, usize) -> usize| {
        let make = || rows_of(indptr).iter().enumerate().map(|(e, &r)| other(e, r as usize) as u32).collect();
        B::float_select(x, 0, constant_indices::<B>(edges.device_cache(), name, &device, make))
    };
    let (mut maxima, mut reach) = (logits, 1);
    while reach < longest {
        let on = select(maxima.clone(), &format!("{reach} on"), &|e, r| (e + reach).min(indptr[r + 1] - 1));
        maxima = larger::<B>(maxima, on);
        reach *= 2;
    }
    select(maxima, "first", &|_, r| indptr[r])
}

/// Gradient of the softmax's input from that of its output, `[edges, 1]` each.
fn logit_gradient<B: Backend>(alpha: FloatTensor<B>, grad: FloatTensor<B>, to: &End<B>) -> FloatTensor<B> {
    let mean = to.sum(B::float_mul(alpha.clone(), grad.clone()));
    B::float_mul(alpha, B::float_sub(grad, to.of(mean)))
}

/// See [`GraphOps::edge_softmax_backward`](super::GraphOps::edge_softmax_backward).
pub fn edge_softmax_backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
    shared: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device = q.device();
    let (to, from) = (End::<B>::targets(&edges, &device), End::<B>::sources(&edges, &device));
    let d_logits = logit_gradient::<B>(column::<B>(alpha), column::<B>(grad), &to);
    let d_q = B::float_mul(from.of(k), d_logits.clone());
    let d_k = B::float_mul(to.of(q), d_logits);
    let (d_q, d_k) = (to.sum(d_q), from.sum(d_k));
    if shared { (B::float_add(d_q, d_k.clone()), d_k) } else { (d_q, d_k) }
}

/// See [`GraphOps::edge_attention`](super::GraphOps::edge_attention).
pub fn edge_attention<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let alpha = edge_softmax::<B>(q, k, edges.clone());
    (propagate_weighted::<B>(alpha.clone(), v, edges), alpha)
}

/// See [`GraphOps::edge_attention_backward`](super::GraphOps::edge_attention_backward).
pub fn edge_attention_backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
    shared: SharedTables,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (d_alpha, d_v) = propagate_weighted_backward::<B>(alpha.clone(), v, grad, edges.clone());
    let (d_q, d_k) = edge_softmax_backward::<B>(q, k, alpha, d_alpha, edges, shared == SharedTables::All);
    match shared {
        SharedTables::None => (d_q, d_k, d_v),
        SharedTables::KeysAndValues => (d_q, B::float_add(d_k, d_v.clone()), d_v),
        SharedTables::All => (B::float_add(d_q, d_v.clone()), d_k, d_v),
    }
}

/// See [`GraphOps::by_sender`](super::GraphOps::by_sender).
pub fn by_sender<B: Backend>(
    values: FloatTensor<B>,
    worth: FloatTensor<B>,
    edges: Arc<Edges>,
) -> FloatTensor<B> {
    let of_edges = End::<B>::sources(&edges, &worth.device()).of(worth);
    B::float_mul(values, flat::<B>(of_edges))
}

/// See [`GraphOps::by_sender_backward`](super::GraphOps::by_sender_backward).
pub fn by_sender_backward<B: Backend>(
    values: FloatTensor<B>,
    worth: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let per_edge = column::<B>(B::float_mul(values, grad.clone()));
    let d_worth = End::<B>::sources(&edges, &worth.device()).sum(per_edge);
    (by_sender::<B>(grad, worth, edges), d_worth)
}

/// Where `b` is larger.
fn is_second<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> BoolTensor<B> {
    let bools = get_device_settings::<B>(&a.device()).bool_dtype;
    B::float_greater(b, a, bools)
}

/// See [`GraphOps::larger`](super::GraphOps::larger).
pub fn larger<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    let second = is_second::<B>(a.clone(), b.clone());
    B::float_mask_where(a, second, b)
}

/// See [`GraphOps::larger_backward`](super::GraphOps::larger_backward).
pub fn larger_backward<B: Backend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let second = is_second::<B>(a, b);
    let none = zeros::<B, _>([grad.shape()[0]], &grad.device());
    let d_a = B::float_mask_where(grad.clone(), second.clone(), none.clone());
    (d_a, B::float_mask_where(none, second, grad))
}
