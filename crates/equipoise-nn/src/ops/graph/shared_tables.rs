//! Operands of an attention that are one tensor.

/// Which of an attention's tables are one tensor. Their gradients are computed as one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedTables {
    /// None.
    None,
    /// Keys and values.
    KeysAndValues,
    /// All three.
    All,
}
