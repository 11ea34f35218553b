//! A table in Markdown, CSV and HTML: ours beside the paper's.

mod csv;
mod edges;
mod markdown;
mod notes;
mod page;
mod pages;
mod parts_sheet;
mod sheet;
mod write;

pub use notes::Notes;
pub use pages::{Figure, Pages};
pub use sheet::{Entry, Sheet};
