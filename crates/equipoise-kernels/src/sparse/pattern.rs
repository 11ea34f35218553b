//! Where the entries of a sparse matrix are, by row and by column.

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
