//! Sums over layers and attention with additions from the simpler operations of the same backend.

use super::{Alike, GraphOps};
use crate::Propagation;
use crate::ops::table::generic as table;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// See [`GraphOps::propagate_layers`]: by Horner's rule.
pub fn propagate_layers<B: GraphOps>(
    x: FloatTensor<B>,
    propagation: &Arc<Propagation>,
    coefficients: &[f32],
    transposed: bool,
) -> FloatTensor<B> {
    let term = |c: &f32| B::float_mul_scalar(x.clone(), (*c).into());
    let next = |sum, c| B::float_add(B::propagate(sum, propagation.clone(), transposed), term(c));
    let (last, before) = coefficients.split_last().expect("there is a coefficient");
    before.iter().rev().fold(term(last), next)
}

/// See [`GraphOps::weighted_layers`].
pub fn weighted_layers<B: GraphOps>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: &Arc<Edges>,
    layers: usize,
) -> FloatTensor<B> {
    let next = |(hop, sum), _| B::weighted_hop(weights.clone(), hop, sum, edges.clone());
    (0..layers).fold((x.clone(), x), next).1
}

/// See [`GraphOps::weighted_hop`].
pub fn weighted_hop<B: GraphOps>(
    weights: FloatTensor<B>,
    x: FloatTensor<B>,
    base: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let hop = B::propagate_weighted(weights, x, edges);
    (hop.clone(), B::float_add(base, hop))
}

/// See [`GraphOps::weighted_hop_backward`].
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

/// See [`GraphOps::residual_attention`].
pub fn residual_attention<B: GraphOps>(
    q: FloatTensor<B>,
    x: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (out, alpha) = B::edge_attention(q.clone(), x.clone(), x, edges);
    (B::float_add(q, out), alpha)
}

/// See [`GraphOps::residual_attention_backward`].
pub fn residual_attention_backward<B: GraphOps>(
    q: FloatTensor<B>,
    x: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
    alike: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let alike = if alike { Alike::All } else { Alike::KeysAndValues };
    let (d_q, d_x, _) = B::edge_attention_backward(q, x.clone(), x, alpha, grad.clone(), edges, alike);
    (B::float_add(d_q, grad), d_x)
}

/// See [`GraphOps::mixed_attention`].
pub fn mixed_attention<B: GraphOps>(
    own: FloatTensor<B>,
    mix: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let told = table::stack::<B>(own.clone(), mix);
    B::edge_attention(own, told.clone(), told, edges)
}

/// See [`GraphOps::mixed_attention_backward`].
pub fn mixed_attention_backward<B: GraphOps>(
    own: FloatTensor<B>,
    mix: FloatTensor<B>,
    alpha: FloatTensor<B>,
    grad: FloatTensor<B>,
    edges: Arc<Edges>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let n = own.shape()[0];
    let told = table::stack::<B>(own.clone(), mix);
    let (k, v) = (told.clone(), told);
    let (d_q, d_told, _) = B::edge_attention_backward(own, k, v, alpha, grad, edges, Alike::KeysAndValues);
    let height = d_told.shape()[0];
    let of_own = table::range_of_rows::<B>(d_told.clone(), 0, n);
    (B::float_add(d_q, of_own), table::range_of_rows::<B>(d_told, n, height))
}
