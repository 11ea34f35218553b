//! A constant sparse matrix with its transpose, for products forwards and backwards.

use equipoise_data::Attached;
use equipoise_data::graph::Csr;

/// A sparse matrix `S` for products `S X`, and `S^T` for their gradients.
#[derive(Clone, Debug)]
pub struct Propagation {
    forward: Csr,
    backward: Csr,
    attached: Attached,
}

impl Propagation {
    /// Takes a matrix and makes its transpose, `O(rows + entries)`.
    pub fn new(matrix: Csr) -> Propagation {
        Propagation { backward: matrix.transposed(), forward: matrix, attached: Attached::default() }
    }

    /// Only these rows of `S`: a product with them has the same rows as the product with `S`. `O(their entries + columns)`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of_rows(&self, rows: &[u32]) -> Propagation {
        Propagation::new(self.forward.of_rows(rows))
    }

    /// `S`.
    pub fn matrix(&self) -> &Csr {
        &self.forward
    }

    /// `S^T`.
    pub fn transposed(&self) -> &Csr {
        &self.backward
    }

    /// What others derive from the matrix and keep with it.
    pub fn attached(&self) -> &Attached {
        &self.attached
    }
}
