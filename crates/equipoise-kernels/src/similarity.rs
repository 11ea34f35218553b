//! How alike the rows of two tables are: quick blocks of inner products, and one precise inner product.

use crate::product::{Matrix, Strided, product};
use crate::vector::wide;

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

/// Inner product of two equally long slices in float64, in a fixed order: the same bits on every machine, and
/// no overflow.
///
/// # Panics
/// If the lengths differ.
pub fn precise_dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "dot: lengths");
    let mut out = 0.0;
    accumulate(a, b, &mut out);
    out
}

wide! {
    fn accumulate(a: &[f32], b: &[f32], out: &mut f64) {
        const LANES: usize = 16;
        let mut lanes = [0.0f64; LANES];
        let (a_main, a_rest) = a.as_chunks::<LANES>();
        let (b_main, b_rest) = b.as_chunks::<LANES>();
        for (x, y) in a_main.iter().zip(b_main) {
            for l in 0..LANES {
                lanes[l] += f64::from(x[l]) * f64::from(y[l]);
            }
        }
        for (lane, (x, y)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += f64::from(*x) * f64::from(*y);
        }
        *out = lanes.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_and_precise_dot_agree_on_exact_numbers() {
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
                assert_eq!((f64::from(found), precise_dot(x, y)), (naive, naive));
            }
        }
    }

    #[test]
    fn precise_dot_neither_overflows_nor_underflows() {
        assert_eq!(precise_dot(&[1e30, 1e-30], &[1e30, 1e-30]), 1e30f32 as f64 * 1e30f32 as f64);
        assert!(precise_dot(&[1e-30; 3], &[1e-30; 3]) > 2.9e-60);
    }
}
