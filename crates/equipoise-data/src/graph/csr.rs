//! Sparse matrices.

/// A matrix in compressed rows, columns ascending within a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    pub(crate) n_columns: usize,
    pub(crate) indptr: Vec<usize>,
    pub(crate) indices: Vec<u32>,
    pub(crate) values: Vec<f32>,
}

impl Csr {
    /// No rows yet, room for this many rows and entries.
    pub(crate) fn with_capacity(rows: usize, n_columns: usize, entries: usize) -> Csr {
        let mut indptr = Vec::with_capacity(rows + 1);
        indptr.push(0);
        let (indices, values) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        Csr { n_columns, indptr, indices, values }
    }

    /// Number of rows; of a square matrix, also of columns.
    pub fn n(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Number of stored entries.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// Row bounds: row `n` is `indptr[n]..indptr[n + 1]` of the other two arrays.
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// Column of each entry.
    pub fn indices(&self) -> &[u32] {
        &self.indices
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
        let range = self.indptr[row]..self.indptr[row + 1];
        let columns = self.indices[range.clone()].iter().copied();
        columns.zip(self.values[range].iter().copied())
    }

    /// The matrix of these rows, in their order.
    ///
    /// # Panics
    /// If a row is not below [`n`](Self::n).
    pub fn of_rows(&self, rows: &[u32]) -> Csr {
        let bounds = |row: u32| self.indptr[row as usize]..self.indptr[row as usize + 1];
        let entries = rows.iter().map(|&row| bounds(row).len()).sum();
        let mut some = Csr::with_capacity(rows.len(), self.n_columns, entries);
        for &row in rows {
            some.indices.extend_from_slice(&self.indices[bounds(row)]);
            some.values.extend_from_slice(&self.values[bounds(row)]);
            some.indptr.push(some.indices.len());
        }
        some
    }

    /// The transpose, as the backward pass of a product needs it; counting sort, `O(n + nnz)`.
    pub fn transposed(&self) -> Csr {
        let (indptr, indices, entries) = self.transposed_with_edges();
        let values = entries.iter().map(|&e| self.values[e as usize]).collect();
        Csr { n_columns: self.n(), indptr, indices, values }
    }

    /// The pattern of the transpose as `(indptr, columns, edges)`: see [`transpose`].
    pub fn transposed_with_edges(&self) -> (Vec<usize>, Vec<u32>, Vec<u32>) {
        transpose(self.n_columns, &self.indptr, &self.indices)
    }
}

/// The transpose of a pattern in compressed rows, which has `n_columns` columns: `(indptr, columns, edges)`,
/// where entry `e` of the transpose is entry `edges[e]` of the pattern. Columns ascend within a row; a pair
/// met twice keeps its order. Counting sort, `O(rows + n_columns + entries)`.
///
/// # Panics
/// If a column is not below `n_columns`, the bounds do not fit, or rows or entries exceed the `u32` numbers.
///
/// # Examples
/// ```
/// // Rows {0, 2} and {2} of three columns.
/// let (indptr, columns, edges) = equipoise_data::graph::transpose(3, &[0, 2, 3], &[0, 2, 2]);
/// assert_eq!((indptr, columns, edges), (vec![0, 1, 1, 3], vec![0, 0, 1], vec![0, 1, 2]));
/// ```
pub fn transpose(n_columns: usize, indptr: &[usize], columns: &[u32]) -> (Vec<usize>, Vec<u32>, Vec<u32>) {
    assert_eq!(indptr.last(), Some(&columns.len()), "bounds end at the number of entries");
    assert!(
        u32::try_from(columns.len().max(indptr.len())).is_ok(),
        "{} entries in {} rows exceed the u32 numbers",
        columns.len(),
        indptr.len() - 1
    );
    let mut bounds = vec![0; n_columns + 1];
    for &column in columns {
        bounds[column as usize + 1] += 1;
    }
    for c in 0..n_columns {
        bounds[c + 1] += bounds[c];
    }
    let mut next = bounds.clone();
    let mut rows = vec![0; columns.len()];
    let mut edges = vec![0; columns.len()];
    for (row, range) in indptr.windows(2).enumerate() {
        for (e, &column) in (range[0]..range[1]).zip(&columns[range[0]..range[1]]) {
            let place = &mut next[column as usize];
            (rows[*place], edges[*place]) = (row as u32, e as u32);
            *place += 1;
        }
    }
    (bounds, rows, edges)
}
