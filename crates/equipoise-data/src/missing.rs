//! The set of items that lack a modality.

use std::sync::Arc;

/// The items that lack a modality, ascending and distinct. Cloning is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(Arc<[u32]>);

impl Missing {
    /// A set of items.
    pub fn new(mut items: Vec<u32>) -> Missing {
        items.sort_unstable();
        items.dedup();
        Missing(items.into())
    }

    /// The items, ascending.
    pub fn items(&self) -> &[u32] {
        &self.0
    }

    /// Whether the item is among them.
    pub fn contains(&self, item: u32) -> bool {
        self.0.binary_search(&item).is_ok()
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no item lacks the modality.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
