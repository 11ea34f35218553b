//! Functions of one value, and the constants of operations on values and rows.

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
