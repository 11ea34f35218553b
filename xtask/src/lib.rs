//! Reads the workspace itself: the modules of a crate, what their files import from each other, and circles among them.
//!
//! The tests of this crate hold the layout that `ARCHITECTURE.md` describes.

mod circles;
mod imports;
mod modules;

pub use circles::{Arrow, circles};
pub use imports::{Arrows, arrows};
pub use modules::{Import, Module, Modules, Name};
