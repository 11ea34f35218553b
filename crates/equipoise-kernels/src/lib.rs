//! The loops in which the time goes: slices in, slices out, no tensor library.
//!
//! Every kernel splits its work at boundaries that depend on the sizes alone, never on the number of
//! threads, and reduces in a fixed order: the same inputs give the same bits on one core or many.
//!
//! | kernel | what it computes |
//! |---|---|
//! | [`gather`] | rows of a table, and their gradient scattered back |
//! | [`project`] | rows of a frozen feature matrix through a linear map, and the weight gradient |
//! | [`margins`] | `<y_u, z_i> - <y_u, z_j>` of triples, and both gradients |
//! | [`norms`] | weighted sums of squared row norms |
//! | [`adam`] | one fused Adam step |

pub mod adam;
pub mod gather;
pub mod margins;
pub mod norms;
pub mod project;
mod vector;

pub use vector::dot;
