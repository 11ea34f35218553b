//! A constant sparse matrix with its transpose, for products forwards and backwards.

use equipoise_data::DeviceCache;
use equipoise_data::graph::Csr;

/// A sparse matrix `S` for products `S X`, and `S^T` for their gradients.
#[derive(Clone, Debug)]
pub struct Propagation {
    forward: Csr,
    backward: Csr,
    device_cache: DeviceCache,
}

impl Propagation {
    /// Takes a matrix and makes its transpose, `O(rows + entries)`.
    pub fn new(matrix: Csr) -> Propagation {
        Propagation { backward: matrix.transposed(), forward: matrix, device_cache: DeviceCache::default() }
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

    /// Copies of the matrix on devices.
    pub fn device_cache(&self) -> &DeviceCache {
        &self.device_cache
    }
}
