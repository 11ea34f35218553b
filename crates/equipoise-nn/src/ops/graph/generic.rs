//! Each operation from plain Burn operations: correct on every backend, at the price of tables of
//! edges x width.

use super::Alike;
use crate::Propagation;
use crate::ops::generic::zeros;
use crate::ops::resident::{resident_indices, resident_values};
use crate::ops::votes::generic::larger;
use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{IndexingUpdateOp, Shape};
use equipoise_data::graph::{Csr, Edges};

/// Added to a softmax's denominator.
const EPSILON: f64 = 1e-16;

/// The row of every entry.
pub(in crate::ops) fn rows_of(indptr: &[usize]) -> Vec<u32> {
    let row = |r: usize| std::iter::repeat_n(r as u32, indptr[r + 1] - indptr[r]);
    (0..indptr.len() - 1).flat_map(row).collect()
}

/// One end of every edge, as row numbers on a device.
pub(in crate::ops) struct End<B: Backend> {
    rows: IntTensor<B>,
    height: usize,
}

impl<B: Backend> End<B> {
    fn targets(edges: &Edges, device: &Device<B>) -> End<B> {
        let make = || rows_of(edges.indptr());
        let rows = resident_indices::<B>(edges.attached(), "targets", device, make);
        End { rows, height: edges.n_targets() }
    }

    pub(in crate::ops) fn sources(edges: &Edges, device: &Device<B>) -> End<B> {
        let make = || edges.sources().to_vec();
        let rows = resident_indices::<B>(edges.attached(), "sources", device, make);
        End { rows, height: edges.n_sources() }
    }

    /// Per edge, the row of `x` at this end.
    pub(in crate::ops) fn of(&self, x: FloatTensor<B>) -> FloatTensor<B> {
        B::float_select(x, 0, self.rows.clone())
    }

    /// Per node, the sum of the rows of `x` of the edges that have this end there.
    pub(in crate::ops) fn sum(&self, x: FloatTensor<B>) -> FloatTensor<B> {
        let out = zeros::<B, _>([self.height, x.shape()[1]], &x.device());
        B::float_select_assign(out, 0, self.rows.clone(), x, IndexingUpdateOp::Add)
    }
}

pub(in crate::ops) fn column<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n, 1]))
}

pub(in crate::ops) fn flat<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n]))
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
    let (matrix, side): (&Csr, &str) = match transposed {
        true => (propagation.transposed(), "transposed"),
        false => (propagation.matrix(), "matrix"),
    };
    let (device, owner) = (x.device(), propagation.attached());
    let rows = |end: &str, make: &dyn Fn() -> Vec<u32>| {
        resident_indices::<B>(owner, &format!("{side} {end}"), &device, make)
    };
    let to = End::<B> { rows: rows("rows", &|| rows_of(matrix.indptr())), height: matrix.indptr().len() - 1 };
    let from = End::<B> { rows: rows("columns", &|| matrix.indices().to_vec()), height: x.shape()[0] };
    let shape = [matrix.nnz(), 1];
    let weights =
        resident_values::<B>(owner, &format!("{side} values"), &device, shape, || matrix.values().to_vec());
    to.sum(B::float_mul(from.of(x), weights))
}

/// See [`GraphOps::propagate_weighted`](super::GraphOps::propagate_weighted).
pub fn propagate_weighted<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: &Edges,
) -> FloatTensor<B> {
    let device = x.device();
    let (to, from) = (End::<B>::targets(edges, &device), End::<B>::sources(edges, &device));
    to.sum(B::float_mul(from.of(x), column::<B>(weights)))
}

/// See [`GraphOps::propagate_weighted_backward`](super::GraphOps::propagate_weighted_backward).
pub fn propagate_weighted_backward<B: Backend>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: &Edges,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device = x.device();
    let (to, from) = (End::<B>::targets(edges, &device), End::<B>::sources(edges, &device));
    let g = to.of(grad);
    let d_weights = dots::<B>(g.clone(), from.of(x));
    let d_x = from.sum(B::float_mul(g, column::<B>(weights)));
    (flat::<B>(d_weights), d_x)
}

/// See [`GraphOps::edge_softmax`](super::GraphOps::edge_softmax).
pub fn edge_softmax<B: Backend>(q: FloatTensor<B>, k: FloatTensor<B>, edges: &Edges) -> FloatTensor<B> {
    let device = q.device();
    let (to, from) = (End::<B>::targets(edges, &device), End::<B>::sources(edges, &device));
    let logits = dots::<B>(to.of(q), from.of(k));
    let shift = row_maxima::<B>(logits.clone(), edges);
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
        B::float_select(x, 0, resident_indices::<B>(edges.attached(), name, &device, make))
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
    edges: &Edges,
    alike: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device = q.device();
    let (to, from) = (End::<B>::targets(edges, &device), End::<B>::sources(edges, &device));
    let d_logits = logit_gradient::<B>(column::<B>(alpha), column::<B>(grad), &to);
    let d_q = B::float_mul(from.of(k), d_logits.clone());
    let d_k = B::float_mul(to.of(q), d_logits);
    let (d_q, d_k) = (to.sum(d_q), from.sum(d_k));
    if alike { (B::float_add(d_q, d_k.clone()), d_k) } else { (d_q, d_k) }
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
    alike: Alike,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (d_alpha, d_v) = propagate_weighted_backward::<B>(alpha.clone(), v, grad, edges);
    let (d_q, d_k) = edge_softmax_backward::<B>(q, k, alpha, d_alpha, edges, alike == Alike::All);
    match alike {
        Alike::Apart => (d_q, d_k, d_v),
        Alike::KeysAndValues => (d_q, B::float_add(d_k, d_v.clone()), d_v),
        Alike::All => (B::float_add(d_q, d_v.clone()), d_k, d_v),
    }
}
