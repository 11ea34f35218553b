//! Custom operations as Burn backend extensions: on tables here, over edges in [`graph`], on single values
//! and rows in [`element`], on whole dense rows in [`dense`], on whole tables in [`table`], on numbers of edges in [`votes`].
//!
//! A backend that has no fast body inherits the generic one; [`Autodiff`](burn::backend::Autodiff) has a
//! hand-written gradient for each differentiable operation.

mod autodiff;
mod collect;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod cube;
pub mod dense;
pub mod element;
mod flex;
pub mod generic;
pub mod graph;
mod resident;
pub mod table;
pub mod votes;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use equipoise_data::{Features, Triples};
use equipoise_kernels::adam::AdamStep;
use std::sync::Arc;

/// Row indices of a table: shared, so that an operation's gradient can keep them at no cost.
pub type Rows = Arc<[u32]>;

/// How much each row's squared norm counts in a penalty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowWeights {
    /// One weight per row of the user table.
    pub users: Vec<f32>,
    /// One weight per row of the item table.
    pub items: Vec<f32>,
}

/// The operations in which a step's time goes. Shapes are `[rows, width]` unless said.
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait EquipoiseOps: Backend {
    /// `out[k] = table[rows[k]]`; rows are distinct. The table may be a number per row, `[rows]`.
    fn gather_rows(table: FloatTensor<Self>, rows: Rows) -> FloatTensor<Self> {
        generic::gather_rows::<Self>(table, &rows)
    }

    /// Gradient of [`gather_rows`](Self::gather_rows): a table of `height` rows, zero but for `rows`.
    fn scatter_rows(grad: FloatTensor<Self>, rows: Rows, height: usize) -> FloatTensor<Self> {
        generic::scatter_rows::<Self>(grad, &rows, height)
    }

    /// `out[k] = W e_{rows[k]} + b` with `weight [d, d_m]`, `bias [1, d]` and a frozen feature matrix.
    fn project_rows(
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: Features,
        rows: Rows,
    ) -> FloatTensor<Self> {
        generic::project_rows::<Self>(weight, bias, &features, &rows)
    }

    /// Weight gradient of [`project_rows`](Self::project_rows): `[d, d_m]`.
    fn project_rows_backward(grad: FloatTensor<Self>, features: Features, rows: Rows) -> FloatTensor<Self> {
        generic::project_rows_backward::<Self>(grad, &features, &rows)
    }

    /// `out[b] = <y_u, z_i - z_j>`, one value per triple; with `penalty`, one more value at the end,
    /// `sum_r w_r ||y_r||^2 + sum_r w_r ||z_r||^2`. Both in one operation, so that each table gets one gradient.
    fn margins(
        users: FloatTensor<Self>,
        items: FloatTensor<Self>,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> FloatTensor<Self> {
        generic::margins::<Self>(users, items, &triples, penalty.as_deref())
    }

    /// Gradients of [`margins`](Self::margins) with respect to the user and the item table.
    fn margins_backward(
        users: FloatTensor<Self>,
        items: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::margins_backward::<Self>(users, items, grad, &triples, penalty.as_deref())
    }

    /// `sum_r weights[r] ||x_r||^2`, shape `[1]`.
    fn weighted_square_sum(x: FloatTensor<Self>, weights: Arc<[f32]>) -> FloatTensor<Self> {
        generic::weighted_square_sum::<Self>(x, &weights)
    }

    /// Gradient of [`weighted_square_sum`](Self::weighted_square_sum), `grad` of shape `[1]`.
    fn weighted_square_sum_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        weights: Arc<[f32]>,
    ) -> FloatTensor<Self> {
        generic::weighted_square_sum_backward::<Self>(x, grad, &weights)
    }

    /// One Adam step; returns the new `(parameter, first moment, second moment)`. Not differentiable.
    fn adam_step(
        parameter: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        m: FloatTensor<Self>,
        v: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        generic::adam_step::<Self>(parameter, grad, m, v, step)
    }
}
