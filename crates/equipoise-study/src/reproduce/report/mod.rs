//! A table in Markdown, CSV and HTML: ours beside the paper's.

mod csv;
mod markdown;
mod notes;
mod page;
mod pages;
mod sheet;
mod write;

pub use notes::Notes;
pub use pages::{Figure, Pages};
pub use sheet::{Entry, Sheet};
