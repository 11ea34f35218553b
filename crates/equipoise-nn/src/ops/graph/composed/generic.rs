//! Each operation from the simpler operations of the same backend.

use crate::Propagation;
use crate::ops::graph::edges::GraphOps;
use crate::ops::graph::shared_tables::SharedTables;
use crate::ops::table::generic as table;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// See [`ComposedOps::propagate_layers`](super::ComposedOps::propagate_layers): by Horner's rule.
pub fn propagate_layers<B: GraphOps>(
    x: FloatTensor<B>,
    propagation: Arc<Propagation>,
    coefficients: Arc<[f32]>,
    transposed: bool,
) -> FloatTensor<B> {
    let term = |c: &f32| B::float_mul_scalar(x.clone(), (*c).into());
    let next = |sum, c| B::float_add(B::propagate(sum, propagation.clone(), transposed), term(c));
    let (last, before) = coefficients.split_last().expect("there is a coefficient");
    before.iter().rev().fold(term(last), next)
}

/// See [`ComposedOps::weighted_layers`](super::ComposedOps::weighted_layers).
pub fn weighted_layers<B: GraphOps>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: Arc<Edges>,
    layers: usize,
) -> FloatTensor<B> {
    let next = |(hop, sum), _| weighted_hop::<B>(weights.clone(), hop, sum, edges.clone());
    (0..layers).fold((x.clone(), x), next).1
}

/// See [`ComposedOps::weighted_hop`](super::ComposedOps::weighted_hop).
pub fn weighted_hop<B: GraphOps>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    base: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let hop = B::propagate_weighted(weights, x, edges);
    (hop.clone(), B::float_add(base, hop))
}

/// See [`ComposedOps::weighted_hop_backward`](super::ComposedOps::weighted_hop_backward).
pub fn weighted_hop_backward<B: GraphOps>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    base: FloatTensor<B>,
    d_weights: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (more, d_x) = B::propagate_weighted_backward(weights, x, grad, edges);
    (B::float_add(d_weights, more), B::float_add(base, d_x))
}

/// See [`ComposedOps::residual_attention`](super::ComposedOps::residual_attention).
pub fn residual_attention<B: GraphOps>(
    q: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (out, alpha) = B::edge_attention(q.clone(), x.clone(), x, edges);
    (B::float_add(q, out), alpha)
}

/// See [`ComposedOps::residual_attention_backward`](super::ComposedOps::residual_attention_backward).
pub fn residual_attention_backward<B: GraphOps>(
    q: FloatTensor<B>,
    x: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
    shared: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shared = if shared { SharedTables::All } else { SharedTables::KeysAndValues };
    let (d_q, d_x, _) = B::edge_attention_backward(q, x.clone(), x, alpha, grad.clone(), edges, shared);
    (B::float_add(d_q, grad), d_x)
}

/// See [`ComposedOps::mixed_attention`](super::ComposedOps::mixed_attention).
pub fn mixed_attention<B: GraphOps>(
    own: FloatTensor<B>,
    mix: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let both = table::stack::<B>(own.clone(), mix);
    B::edge_attention(own, both.clone(), both, edges)
}

/// See [`ComposedOps::mixed_attention_backward`](super::ComposedOps::mixed_attention_backward).
pub fn mixed_attention_backward<B: GraphOps>(
    own: FloatTensor<B>,
    mix: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let n = own.shape()[0];
    let both = table::stack::<B>(own.clone(), mix);
    let (k, v) = (both.clone(), both);
    let (d_q, d_both, _) =
        B::edge_attention_backward(own, k, v, alpha, grad, edges, SharedTables::KeysAndValues);
    let height = d_both.shape()[0];
    let of_own = table::range_of_rows::<B>(d_both.clone(), 0, n);
    (B::float_add(d_q, of_own), table::range_of_rows::<B>(d_both, n, height))
}
