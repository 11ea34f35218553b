//! Dense matrix products on the calling thread. Every product that is not fused with other work goes through [`product`].

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

/// `out = a b^T`: all inner products between the rows of `a` (`n x width`) and of `b` (`m x width`), `out` of
/// `n x m`, on the calling thread.
///
/// A number's bits depend on where it stands in the block and on the machine; its error does not exceed
/// `width * 2^-23 * ||a_i|| ||b_j||`.
///
/// # Panics
/// If the lengths do not fit.
pub fn inner_products(a: &[f32], b: &[f32], width: usize, out: &mut [f32]) {
    let (rows, columns) = (a.len() / width, b.len() / width);
    assert!(a.len() == rows * width && b.len() == columns * width, "inner products: whole rows");
    assert_eq!(out.len(), rows * columns, "inner products: output length");
    out.fill(0.0);
    product(
        Matrix { data: out, rows, columns },
        Strided { data: a, row: width, column: 1 },
        Strided { data: b, row: 1, column: width },
        width,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_products_of_rows_are_exact_on_whole_numbers() {
        let table = |rows: usize, width: usize, step: usize| -> Vec<f32> {
            (0..rows * width).map(|k| ((k * step) % 17) as f32 - 8.0).collect()
        };
        for (n, m, width) in [(1, 1, 1), (3, 70, 5), (40, 9, 67)] {
            let (a, b) = (table(n, width, 5), table(m, width, 7));
            let mut out = vec![f32::NAN; n * m];
            inner_products(&a, &b, width, &mut out);
            for (k, &found) in out.iter().enumerate() {
                let (x, y) = (&a[k / m * width..][..width], &b[k % m * width..][..width]);
                let naive: f64 = x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum();
                assert_eq!((f64::from(found), crate::precise_dot(x, y)), (naive, naive));
            }
        }
    }
}
