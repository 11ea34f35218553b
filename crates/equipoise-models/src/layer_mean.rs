//! Propagation of id embeddings without parameters, and the mean over its layers.
//!
//! ```text
//! H_0 = [X_U ; X_I]      H_l = S H_(l-1)      C = 1/(L+1) sum_(l = 0..L) H_l          N x d
//! ```
//! with `S` the normalised adjacency of users and items. He et al., *LightGCN* (SIGIR 2020).

use crate::Pass;
use crate::requested::RequestedNodes;
use burn::tensor::Tensor;
use equipoise_nn::{Propagation, stack};
use std::sync::Arc;

/// `C` of every user and item, users first, from the tables `user.id` and `item.id`.
pub fn layer_mean(pass: &Pass, graph: &Arc<Propagation>, layers: usize) -> Tensor<2> {
    layer_mean_of(&RequestedNodes::all(pass.inputs().n_users), pass, graph, layers)
}

/// The requested rows of [`layer_mean`].
pub(crate) fn layer_mean_of(
    requested: &RequestedNodes,
    pass: &Pass,
    graph: &Arc<Propagation>,
    layers: usize,
) -> Tensor<2> {
    let ids = stack(pass.table("user.id"), pass.table("item.id"));
    requested.propagate_layers(graph, ids, &vec![1.0 / (layers + 1) as f32; layers + 1])
}
