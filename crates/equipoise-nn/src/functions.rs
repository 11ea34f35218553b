//! The custom operations on Burn tensors, differentiable.

use crate::ops::{EquipoiseOps, RowWeights, Rows, TripleIndex};
use burn::backend::Dispatch;
use burn::tensor::Tensor;
use equipoise_data::Features;
use std::sync::Arc;

/// Rows of a table: `[height, d] -> [rows.len(), d]`. Rows must be distinct and below `height`.
pub fn gather_rows(table: Tensor<2>, rows: &Rows) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::gather_rows(table.into_dispatch(), rows.clone()))
}

/// `W e_r + b` for the given rows of a frozen feature matrix: `weight [d, d_m]`, `bias [1, d]` -> `[rows.len(), d]`.
pub fn project_rows(weight: Tensor<2>, bias: Tensor<2>, features: &Features, rows: &Rows) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::project_rows(weight, bias, features.clone(), rows.clone()))
}

/// Margins `<y_u, z_i> - <y_u, z_j>` of triples: `users [a, d]`, `items [b, d]` -> `[triples.len()]`.
pub fn margins(users: Tensor<2>, items: Tensor<2>, triples: &Arc<TripleIndex>) -> Tensor<1> {
    let (users, items) = (users.into_dispatch(), items.into_dispatch());
    Tensor::from_dispatch(Dispatch::margins(users, items, triples.clone(), None))
}

/// [`margins`] with one more value at the end: `sum_r w_r ||y_r||^2 + sum_r w_r ||z_r||^2`.
pub fn margins_and_norm(
    users: Tensor<2>,
    items: Tensor<2>,
    triples: &Arc<TripleIndex>,
    weights: &Arc<RowWeights>,
) -> Tensor<1> {
    let (users, items) = (users.into_dispatch(), items.into_dispatch());
    Tensor::from_dispatch(Dispatch::margins(users, items, triples.clone(), Some(weights.clone())))
}

/// `sum_r weights[r] ||x_r||^2`, shape `[1]`.
pub fn weighted_square_sum(x: Tensor<2>, weights: &Arc<[f32]>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::weighted_square_sum(x.into_dispatch(), weights.clone()))
}
