//! Variants of a linear map.

/// What a linear map is followed by, and which of its gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffineKind {
    /// Whether a leaky ReLU follows.
    pub leaky: bool,
    /// Whether the gradient of the input is wanted.
    pub wants_x: bool,
    /// Whether the gradient of what is added is wanted: every table has the same.
    pub wants_added: bool,
}
