//! Operations on single values and single rows.

mod autodiff;
mod flex;
pub mod generic;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0.01 x)`.
    LeakyRelu,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `tanh x`.
    Tanh,
}

/// The slope of a leaky ReLU below zero, the same in every published backbone here.
pub const LEAKY_SLOPE: f32 = 0.01;

/// Below this norm a row counts as zero.
pub const SMALLEST_NORM: f64 = 1e-12;

/// Activations, gates and row normalisation, each one operation with a gradient of its own.
#[backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
pub trait ElementOps: Backend {
    /// `f(x)` per value.
    fn activate(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self> {
        generic::activate::<Self>(x, f)
    }

    /// Gradient of [`activate`](Self::activate), from its output: each of these functions allows it.
    fn activate_backward(
        out: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        f: Activation,
    ) -> FloatTensor<Self> {
        generic::activate_backward::<Self>(out, grad, f)
    }

    /// `x_r * (w_r base_r + gate_r)` per row: tables `x`, `base` and `gate` of `[rows, d]`, `weights` of `[rows, 1]`.
    fn gated(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        base: FloatTensor<Self>,
        gate: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        generic::gated::<Self>(x, weights, base, gate)
    }

    /// Gradients of [`gated`](Self::gated): of `x`, `weights`, `base` and `gate`.
    fn gated_backward(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        base: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        generic::gated_backward::<Self>(x, weights, base, gate, grad)
    }

    /// `x / max(||x||, 1e-12)` per row, and the norms, `[rows, 1]`.
    fn normalise_rows(x: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        generic::normalise_rows::<Self>(x)
    }

    /// Gradient of [`normalise_rows`](Self::normalise_rows), `(g - y <y, g>) / ||x||`; zero for a zero row.
    fn normalise_rows_backward(
        out: FloatTensor<Self>,
        norms: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        generic::normalise_rows_backward::<Self>(out, norms, grad)
    }
}
