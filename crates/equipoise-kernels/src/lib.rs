//! The loops in which the time goes: slices in, slices out, no tensor library.
//!
//! Every kernel splits its work at boundaries that depend on the sizes alone, never on the number of
//! threads, and reduces in a fixed order: the same inputs give the same bits on one core or many.
//!
//! | kernel | what it computes |
//! |---|---|
//! | [`gather`] | rows of a table, and their gradient scattered back |
//! | [`product`] | matrix products on one thread |
//! | [`project`] | rows of a frozen feature matrix through a linear map, and the weight gradient |
//! | [`margins`] | `<y_u, z_i> - <y_u, z_j>` of triples, and both gradients |
//! | [`norms`] | weighted sums of squared row norms |
//! | [`sparse`] | sparse rows times a table, and inner products along edges |
//! | [`softmax`] | softmax over the edges of each row, and its gradient |
//! | [`attention`] | edge attention in one pass over the target rows, and its gradients |
//! | [`activate`] | leaky ReLU, sigmoid, tanh, and their gradients |
//! | [`gated`] | rows through a gate with a weighted part, and all gradients |
//! | [`exponential`] | `exp`, vectorised |
//! | [`normalise`] | rows divided by their norm, and the gradient |
//! | [`scores`] | inner products with a table that was packed once |
//! | [`similarity`] | blocks of inner products of rows, and an exact cosine |
//! | [`affine`] | rows through a small linear map and a leaky ReLU, and all gradients |
//! | [`partition`] | `ln sum exp` of a row's inner products with a table, and both gradients |
//! | [`tables`] | whole tables joined, padded and added up |
//! | [`votes`] | one number per edge: weighed by its sender, the larger of two |
//! | [`adam`] | one fused Adam step |

pub mod activate;
pub mod adam;
pub mod affine;
mod ahead;
pub mod attention;
pub mod exponential;
mod fused;
pub mod gated;
pub mod gather;
pub mod margins;
pub mod normalise;
pub mod norms;
mod outer;
pub mod partition;
pub mod product;
pub mod project;
mod rows;
pub mod scores;
pub mod similarity;
pub mod softmax;
pub mod sparse;
pub mod tables;
mod tiles;
mod vector;
pub mod votes;

pub use vector::dot;
