//! Constants that several operations take.

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
