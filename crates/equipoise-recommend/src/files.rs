//! Names of the files of a served model.

/// The final tables.
pub(crate) const TABLES: &str = "tables.safetensors";
/// Raw ids.
pub(crate) const VOCABULARY: &str = "vocabulary.json";
/// What is known of items.
pub(crate) const ITEMS: &str = "items.jsonl";
/// The linear map of baskets to users.
pub(crate) const FOLD_IN: &str = "fold_in.safetensors";
/// What new items need.
pub(crate) const NEW_ITEMS: &str = "new_items.safetensors";
/// How the model is served.
pub const SERVING: &str = "serving.json";

/// All of them.
pub(crate) const FILES: [&str; 6] = [TABLES, VOCABULARY, ITEMS, FOLD_IN, NEW_ITEMS, SERVING];
