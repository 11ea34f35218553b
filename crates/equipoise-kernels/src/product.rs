//! Matrix products on one thread: `out += lhs . rhs`, operands read with any strides.

use gemm::{Parallelism, gemm};

/// A row-major output.
pub struct Matrix<'a> {
    /// Row after row.
    pub data: &'a mut [f32],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

/// A matrix read with strides (in elements) between rows and between columns.
pub struct Strided<'a> {
    /// The values.
    pub data: &'a [f32],
    /// Elements from one row to the next.
    pub row: usize,
    /// Elements from one column to the next.
    pub column: usize,
}

impl Strided<'_> {
    fn check(&self, rows: usize, columns: usize) {
        if rows > 0 && columns > 0 {
            let last = (rows - 1) * self.row + (columns - 1) * self.column;
            assert!(last < self.data.len(), "product: operand too short");
        }
    }
}

/// `out += lhs . rhs` with inner size `inner`, on one thread.
///
/// # Panics
/// If a slice is too short for its shape.
pub fn product(out: Matrix, lhs: Strided, rhs: Strided, inner: usize) {
    lhs.check(out.rows, inner);
    rhs.check(inner, out.columns);
    assert_eq!(out.data.len(), out.rows * out.columns, "product: output length");
    // SAFETY: the asserts above keep every access inside the three slices, and `out` is exclusive.
    unsafe {
        gemm(
            out.rows,
            out.columns,
            inner,
            out.data.as_mut_ptr(),
            1,
            out.columns as isize,
            true,
            lhs.data.as_ptr(),
            lhs.column as isize,
            lhs.row as isize,
            rhs.data.as_ptr(),
            rhs.column as isize,
            rhs.row as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
