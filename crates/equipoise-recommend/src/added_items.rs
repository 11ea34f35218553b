//! What a served model says of items that were added after its training.

use serde::{Deserialize, Serialize};

/// Items that were added to a served model after its training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedItems {
    /// How many, all times together. They are the last rows.
    pub items: usize,
    /// BLAKE3 hash of the ids and rows, over what was added before: it tells one version from another.
    pub hash: String,
}
