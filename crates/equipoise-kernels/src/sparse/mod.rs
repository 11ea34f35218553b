//! Products of sparse rows with a table, and inner products along the edges.
//!
//! A graph's weights stay where they were computed, one number per edge in the order of the target rows; the
//! transposed product of a backward pass reads them through the edge numbers of the transposed rows.

mod backward;
mod product;

pub(crate) use backward::dots_of_rows;
pub use backward::{Weighted, edge_dots, spmm_backward};
pub use product::{add_spmm_by_edge, spmm, spmm_and_sum, spmm_by_edge, spmm_onto, two_by_edge};

use std::ops::Range;

/// The pattern of a sparse matrix in compressed rows, without values: the edges of a graph, by target.
#[derive(Clone, Copy, Debug)]
pub struct SparseRows<'a> {
    /// Row bounds, one more than there are rows, ascending from 0: the entries of row `r` are
    /// `indptr[r]..indptr[r + 1]`.
    pub indptr: &'a [usize],
    /// Column of each entry.
    pub columns: &'a [u32],
}

impl<'a> SparseRows<'a> {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of entries.
    pub fn n_edges(&self) -> usize {
        self.columns.len()
    }

    #[inline(always)]
    pub(crate) fn edges(&self, row: usize) -> Range<usize> {
        self.indptr[row]..self.indptr[row + 1]
    }

    pub(crate) fn check(&self) {
        let (first, last) = (self.indptr.first(), self.indptr.last());
        assert!(first == Some(&0), "sparse rows: bounds start at 0");
        assert_eq!(last, Some(&self.columns.len()), "sparse rows: bounds end at the number of entries");
    }
}

/// The edges by source: the transpose of the rows by target.
#[derive(Clone, Copy, Debug)]
pub struct BySource<'a> {
    /// One row per source, whose columns are targets.
    pub rows: SparseRows<'a>,
    /// Number of each entry among the entries by target.
    pub edges: &'a [u32],
}
