//! Square sparse matrices.

/// A square matrix in compressed rows, columns ascending within a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr {
    pub(crate) indptr: Vec<usize>,
    pub(crate) indices: Vec<u32>,
    pub(crate) values: Vec<f32>,
}

impl Csr {
    /// Number of rows and of columns.
    pub fn n(&self) -> usize {
        self.indptr.len() - 1
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

    /// The transpose, as the backward pass of a product needs it; counting sort, `O(n + nnz)`.
    pub fn transposed(&self) -> Csr {
        let mut indptr = vec![0; self.indptr.len()];
        for &column in &self.indices {
            indptr[column as usize + 1] += 1;
        }
        for n in 0..self.n() {
            indptr[n + 1] += indptr[n];
        }
        let mut next = indptr.clone();
        let mut indices = vec![0; self.nnz()];
        let mut values = vec![0.0; self.nnz()];
        for row in 0..self.n() {
            for (column, value) in self.row(row) {
                let place = next[column as usize];
                (indices[place], values[place]) = (row as u32, value);
                next[column as usize] += 1;
            }
        }
        Csr { indptr, indices, values }
    }
}
