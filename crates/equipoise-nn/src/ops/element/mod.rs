//! Operations on single values and single rows.

mod activation;
mod autodiff;
mod flex;
pub mod generic;

use super::declare::operations;
pub use activation::{Activation, LEAKY_SLOPE, SMALLEST_NORM};
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

operations! {
    /// Activations, gates and row normalisation, each one operation with a gradient of its own.
    pub trait ElementOps: Backend {
        /// `f(x)` per value.
        fn activate(x; f: Activation) -> FloatTensor;

        /// Gradient of [`activate`](Self::activate), from its output: each of these functions allows it.
        fn activate_backward(out, grad; f: Activation) -> FloatTensor;

        /// `x_r * (w_r base_r + gate_r)` per row: tables `x`, `base` and `gate` of `[rows, d]`, `weights` of `[rows, 1]`.
        fn gated(x, weights, base, gate) -> FloatTensor;

        /// Gradients of [`gated`](Self::gated): of `x`, `weights`, `base` and `gate`.
        fn gated_backward(x, weights, base, gate, grad)
            -> (FloatTensor, FloatTensor, FloatTensor, FloatTensor);

        /// `x / max(||x||, 1e-12)` per row, and the norms, `[rows, 1]`.
        fn normalise_rows(x) -> (FloatTensor, FloatTensor);

        /// Gradient of [`normalise_rows`](Self::normalise_rows), `(g - y <y, g>) / ||x||`; zero for a zero row.
        fn normalise_rows_backward(out, norms, grad) -> FloatTensor;
    }
}
