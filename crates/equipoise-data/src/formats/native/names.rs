//! Names of the files of the layout.

/// Interactions.
pub(super) const INTERACTIONS: &str = "interactions.parquet";
/// Raw user ids.
pub(super) const USERS: &str = "users.parquet";
/// Raw item ids.
pub(super) const ITEMS: &str = "items.parquet";
