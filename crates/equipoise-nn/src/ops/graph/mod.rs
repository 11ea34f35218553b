//! Operations over edges: no table of edges x width is ever made by the fast bodies.

pub mod composed;
pub mod edges;
mod shared_tables;

pub use composed::ComposedOps;
pub use edges::GraphOps;
pub use shared_tables::SharedTables;
