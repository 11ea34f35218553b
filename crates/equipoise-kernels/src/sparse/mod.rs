//! Products of sparse rows with a table, and inner products along the edges.
//!
//! A graph's weights stay where they were computed, one number per edge in the order of the target rows; the
//! transposed product of a backward pass reads them through the edge numbers of the transposed rows.

mod backward;
mod pattern;
mod product;

pub(crate) use backward::dots_of_rows;
pub use backward::{Weighted, edge_dots, spmm_backward};
pub use pattern::{BySource, SparseRows};
pub use product::{add_spmm_by_edge, spmm, spmm_and_sum, spmm_by_edge, spmm_onto, two_by_edge};
