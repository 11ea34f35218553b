//! The loops that take most of the time: slices in, slices out, no tensor library.
//!
//! Every kernel splits its work at boundaries that depend on the sizes alone, never on the number of
//! threads, and reduces in a fixed order: the same inputs give the same bits on one core or many.
//!
//! | module | what it computes |
//! |---|---|
//! | [`activate`] | leaky ReLU, sigmoid, tanh, and their gradients |
//! | [`adam`] | one fused Adam step |
//! | [`affine`] | rows through a small linear map and a leaky ReLU, and all gradients |
//! | [`attention`] | edge attention in one pass over the target rows, and its gradients |
//! | [`edge_scalars`] | one number per edge: multiplied by a weight of its source, the larger of two |
//! | [`exponential`] | `exp`, vectorised |
//! | [`features`] | frozen feature matrices as they are stored, float32 or float16 |
//! | [`gated`] | rows through a gate with a weighted part, and all gradients |
//! | [`gather`] | rows of a table, and their gradient scattered back |
//! | [`margins`] | `<y_u, z_i> - <y_u, z_j>` of triples, and both gradients |
//! | [`normalise`] | rows divided by their norm, and the gradient |
//! | [`norms`] | weighted sums of squared row norms |
//! | [`partition`] | `ln sum exp` of a row's inner products with a table, and both gradients |
//! | [`product`] | dense matrix products on the calling thread |
//! | [`project`] | rows of a frozen feature matrix through a linear map, and the weight gradient |
//! | [`scores`] | inner products with a table that was packed once |
//! | [`softmax`] | softmax over the edges of each row, and its gradient |
//! | [`sparse`] | sparse rows times a table, and inner products along edges |
//! | [`tables`] | whole tables joined, padded and added up |
//! | [`triples`] | users with two items each, as the margins read them |
//!
//! Shared by them, and private: `fused` (sums of products in registers), `outer` (sums of outer products), `prefetch`
//! (requesting memory before it is read), `rows` (tasks over sparse rows), `tiles` (small tiles of a product), `vector`
//! (short loops that the compiler vectorises, of which [`dot`], [`precise_dot`] and [`wide!`] are public).

pub mod activate;
pub mod adam;
pub mod affine;
pub mod attention;
pub mod edge_scalars;
pub mod exponential;
pub mod features;
mod fused;
pub mod gated;
pub mod gather;
pub mod margins;
pub mod normalise;
pub mod norms;
mod outer;
pub mod partition;
mod prefetch;
pub mod product;
pub mod project;
mod rows;
pub mod scores;
pub mod softmax;
pub mod sparse;
pub mod tables;
mod tiles;
pub mod triples;
mod vector;

pub use vector::{dot, precise_dot};
