//! What every training step does: rows of tables and of features, margins of triples, penalties, Adam.

mod autodiff;
mod flex;
pub mod generic;

use super::arguments::{RowWeights, Rows};
use super::declare::operations;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use equipoise_data::{Features, Triples};
use equipoise_kernels::adam::AdamStep;
use std::sync::Arc;

operations! {
    /// The operations that take most of a step's time. Shapes are `[rows, width]` unless said otherwise.
    pub trait StepOps: Backend {
        /// `out[k] = table[rows[k]]`; rows are distinct. The table may be a number per row, `[rows]`.
        fn gather_rows(table; rows: Rows) -> FloatTensor;

        /// Gradient of [`gather_rows`](Self::gather_rows): a table of `height` rows, zero but for `rows`.
        fn scatter_rows(grad; rows: Rows, height: usize) -> FloatTensor;

        /// `out[k] = W e_{rows[k]} + b` with `weight [d, d_m]`, `bias [1, d]` and a frozen feature matrix.
        fn project_rows(weight, bias; features: Features, rows: Rows) -> FloatTensor;

        /// Weight gradient of [`project_rows`](Self::project_rows): `[d, d_m]`.
        fn project_rows_backward(grad; features: Features, rows: Rows) -> FloatTensor;

        /// `out[b] = <y_u, z_i - z_j>`, one value per triple; with `penalty`, one more value at the end,
        /// `sum_r w_r ||y_r||^2 + sum_r w_r ||z_r||^2`. Both in one operation, so that each table gets one gradient.
        fn margins(users, items; triples: Arc<Triples>, penalty: Option<Arc<RowWeights>>) -> FloatTensor;

        /// Gradients of [`margins`](Self::margins): of the user table and of the item table.
        fn margins_backward(users, items, grad; triples: Arc<Triples>, penalty: Option<Arc<RowWeights>>)
            -> (FloatTensor, FloatTensor);

        /// `sum_r weights[r] ||x_r||^2`, shape `[1]`.
        fn weighted_square_sum(x; weights: Arc<[f32]>) -> FloatTensor;

        /// Gradient of [`weighted_square_sum`](Self::weighted_square_sum), `grad` of shape `[1]`.
        fn weighted_square_sum_backward(x, grad; weights: Arc<[f32]>) -> FloatTensor;

        /// One Adam step; returns the new `(parameter, first moment, second moment)`. Not differentiable.
        fn adam_step(parameter, grad, m, v; step: AdamStep) -> (FloatTensor, FloatTensor, FloatTensor);
    }
}
