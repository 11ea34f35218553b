//! Adding items to a served model: read, checked, placed by the [maps](crate::new_items), written as a new version.

mod add;
mod features;
mod table;

pub use add::{AddItems, AddedReport, add_items};
pub use table::{NewItem, read_new_items};
