//! Sparse matrices in compressed rows: a pattern of rows and columns, and the same with values.

use equipoise_kernels::sparse::SparseRows;
use std::ops::Range;

/// Where the entries of a sparse matrix are: row by row, the columns of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsrPattern {
    n_columns: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
}

/// The transpose of a pattern, and which entry of the pattern each of its entries is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransposedPattern {
    /// One row for each column of the pattern; columns ascend within a row.
    pub pattern: CsrPattern,
    /// Entry `e` of the transpose is entry `entries[e]` of the pattern.
    pub entries: Vec<u32>,
}

impl CsrPattern {
    /// The pattern whose row `r` has the columns `indices[indptr[r]..indptr[r + 1]]`.
    ///
    /// # Panics
    /// If the bounds do not run from 0 to the number of entries.
    pub fn new(n_columns: usize, indptr: Vec<usize>, indices: Vec<u32>) -> CsrPattern {
        assert_eq!(indptr.first(), Some(&0), "bounds start at 0");
        assert_eq!(indptr.last(), Some(&indices.len()), "bounds end at the number of entries");
        CsrPattern { n_columns, indptr, indices }
    }

    /// No rows yet, room for this many rows and entries.
    pub(crate) fn with_capacity(rows: usize, n_columns: usize, entries: usize) -> CsrPattern {
        let mut indptr = Vec::with_capacity(rows + 1);
        indptr.push(0);
        CsrPattern { n_columns, indptr, indices: Vec::with_capacity(entries) }
    }

    /// Adds an entry to the row that is being written.
    #[inline]
    pub(crate) fn push(&mut self, column: u32) {
        self.indices.push(column);
    }

    /// Ends the row that is being written.
    pub(crate) fn end_row(&mut self) {
        self.indptr.push(self.indices.len());
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Number of entries.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// Row bounds: the entries of row `r` are `indptr[r]..indptr[r + 1]`.
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// Column of each entry.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The entries of a row.
    ///
    /// # Panics
    /// If `row` is not below [`n_rows`](Self::n_rows).
    #[inline]
    pub fn entries(&self, row: usize) -> Range<usize> {
        self.indptr[row]..self.indptr[row + 1]
    }

    /// The columns of a row.
    ///
    /// # Panics
    /// If `row` is not below [`n_rows`](Self::n_rows).
    #[inline]
    pub fn row(&self, row: usize) -> &[u32] {
        &self.indices[self.entries(row)]
    }

    /// The pattern of these rows, in their order, and the entry of this pattern that each of its entries is.
    ///
    /// # Panics
    /// If a row is not below [`n_rows`](Self::n_rows).
    pub fn of_rows(&self, rows: &[u32]) -> (CsrPattern, Vec<usize>) {
        let length = rows.iter().map(|&row| self.entries(row as usize).len()).sum();
        let mut some = CsrPattern::with_capacity(rows.len(), self.n_columns, length);
        let mut entries = Vec::with_capacity(length);
        for &row in rows {
            some.indices.extend_from_slice(self.row(row as usize));
            entries.extend(self.entries(row as usize));
            some.end_row();
        }
        (some, entries)
    }

    /// Number of entries of each column.
    pub fn column_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_columns];
        for &column in &self.indices {
            counts[column as usize] += 1;
        }
        counts
    }

    /// The transpose. A pair that occurs twice keeps its order. Counting sort, `O(rows + columns + entries)`.
    ///
    /// # Panics
    /// If a column is not below [`n_columns`](Self::n_columns), or rows or entries exceed the `u32` numbers.
    ///
    /// # Examples
    /// ```
    /// use equipoise_data::graph::CsrPattern;
    /// // Rows {0, 2} and {2} of three columns.
    /// let transposed = CsrPattern::new(3, vec![0, 2, 3], vec![0, 2, 2]).transposed();
    /// assert_eq!(transposed.pattern, CsrPattern::new(2, vec![0, 1, 1, 3], vec![0, 0, 1]));
    /// assert_eq!(transposed.entries, [0, 1, 2]);
    /// ```
    pub fn transposed(&self) -> TransposedPattern {
        assert!(
            u32::try_from(self.nnz().max(self.indptr.len())).is_ok(),
            "{} entries in {} rows exceed the u32 numbers",
            self.nnz(),
            self.n_rows()
        );
        let mut bounds = vec![0; self.n_columns + 1];
        for &column in &self.indices {
            bounds[column as usize + 1] += 1;
        }
        for c in 0..self.n_columns {
            bounds[c + 1] += bounds[c];
        }
        let mut next = bounds.clone();
        let (mut rows, mut entries) = (vec![0; self.nnz()], vec![0; self.nnz()]);
        for row in 0..self.n_rows() {
            for (e, &column) in self.entries(row).zip(self.row(row)) {
                let place = &mut next[column as usize];
                (rows[*place], entries[*place]) = (row as u32, e as u32);
                *place += 1;
            }
        }
        let pattern = CsrPattern { n_columns: self.n_rows(), indptr: bounds, indices: rows };
        TransposedPattern { pattern, entries }
    }

    /// The rows as the kernels take them.
    pub fn sparse_rows(&self) -> SparseRows<'_> {
        SparseRows { indptr: &self.indptr, columns: &self.indices }
    }
}

/// A matrix in compressed rows, columns ascending within a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    pattern: CsrPattern,
    values: Vec<f32>,
}

impl Csr {
    /// No rows yet, room for this many rows and entries.
    pub(crate) fn with_capacity(rows: usize, n_columns: usize, entries: usize) -> Csr {
        let pattern = CsrPattern::with_capacity(rows, n_columns, entries);
        Csr { pattern, values: Vec::with_capacity(entries) }
    }

    /// Adds an entry to the row that is being written.
    #[inline]
    pub(crate) fn push(&mut self, column: u32, value: f32) {
        self.pattern.push(column);
        self.values.push(value);
    }

    /// Ends the row that is being written.
    pub(crate) fn end_row(&mut self) {
        self.pattern.end_row();
    }

    /// Where the entries are.
    pub fn pattern(&self) -> &CsrPattern {
        &self.pattern
    }

    /// Number of rows; of a square matrix, also of columns.
    pub fn n(&self) -> usize {
        self.pattern.n_rows()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.pattern.n_columns
    }

    /// Number of stored entries.
    pub fn nnz(&self) -> usize {
        self.pattern.nnz()
    }

    /// Row bounds: row `n` is `indptr[n]..indptr[n + 1]` of the other two arrays.
    pub fn indptr(&self) -> &[usize] {
        &self.pattern.indptr
    }

    /// Column of each entry.
    pub fn indices(&self) -> &[u32] {
        &self.pattern.indices
    }

    /// Value of each entry.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Columns and values of one row.
    ///
    /// # Panics
    /// If `row` is not below [`n`](Self::n).
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let values = &self.values[self.pattern.entries(row)];
        self.pattern.row(row).iter().copied().zip(values.iter().copied())
    }

    /// The matrix of these rows, in their order.
    ///
    /// # Panics
    /// If a row is not below [`n`](Self::n).
    pub fn of_rows(&self, rows: &[u32]) -> Csr {
        let (pattern, entries) = self.pattern.of_rows(rows);
        Csr { pattern, values: entries.iter().map(|&entry| self.values[entry]).collect() }
    }

    /// The transpose, as the backward pass of a product needs it.
    ///
    /// # Panics
    /// If rows or entries exceed the `u32` numbers.
    pub fn transposed(&self) -> Csr {
        let TransposedPattern { pattern, entries } = self.pattern.transposed();
        Csr { pattern, values: entries.iter().map(|&entry| self.values[entry as usize]).collect() }
    }
}
