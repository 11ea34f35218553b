//! The leading right singular vectors of a matrix that is known by its products alone.
//!
//! A random start, a few rounds of `Q <- orth(A orth(A^T Q))` and one small eigenproblem find them (Halko, Martinsson
//! and Tropp, *Finding Structure with Randomness*, SIAM Review 2011). Where the matrix has at most [`EXACT`] columns,
//! the start spans everything and the result is exact.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::eigen::{gram, orthonormal, symmetric};
use crate::random::Seed;

/// Up to this width all directions are followed.
pub(super) const EXACT: usize = 256;

/// Directions followed beyond those asked for.
const MARGIN: usize = 32;

/// Entries of a direction that are this close to its largest, relative to it, count as equal to it: rounding does not
/// decide which of them is positive.
const TIE: f64 = 1e-6;

/// A matrix `A` of `rows` x `width`. Its products must add in an order that no thread decides.
pub trait LinearMap {
    /// Rows of `A`.
    fn rows(&self) -> usize;

    /// Columns of `A`.
    fn width(&self) -> usize;

    /// `A X` for `X` of `width` x `l`, row-major.
    fn times(&self, x: &[f64], l: usize) -> Vec<f64>;

    /// `A^T Q` for `Q` of `rows` x `l`, row-major.
    fn transposed_times(&self, q: &[f64], l: usize) -> Vec<f64>;
}

/// The first `k` right singular vectors of `a`, one per row: `k` x `width`, largest singular value first. In each the
/// entry of largest magnitude is positive, or the first of several that are equal up to rounding; beyond the rank, rows are 0.
///
/// `rounds` of the power iteration sharpen the result where singular values fall slowly. The random start depends on
/// `name` alone.
///
/// # Panics
/// If `k` exceeds the width or the number of rows.
pub fn leading_directions(a: &impl LinearMap, k: usize, rounds: usize, name: &str) -> Vec<f64> {
    let (rows, width) = (a.rows(), a.width());
    let most = width.min(rows);
    assert!(k <= most, "leading_directions: {k} of at most {most}");
    if k == 0 {
        return Vec::new();
    }
    let l = if width <= EXACT { most } else { (k + MARGIN).min(most) };
    let mut rng = Seed(0).stream(name);
    let start: Vec<f64> = (0..width * l).map(|_| 2.0 * rng.unit() - 1.0).collect();
    let mut basis = orthonormalised(&a.times(&start, l), l);
    for _ in 0..rounds {
        let back = orthonormalised(&a.transposed_times(&basis, l), l);
        basis = orthonormalised(&a.times(&back, l), l);
    }
    // B = Q^T A, kept as its transpose: width x l. The right singular vectors of B are those of A.
    let projected = a.transposed_times(&basis, l);
    let projected = MatRef::from_row_major_slice(&projected, width, l).to_owned();
    let (values, vectors) = leading(gram(projected.as_ref()).as_ref(), k, rows.max(width));
    let mut directions = Mat::zeros(width, values.len());
    matmul(&mut directions, Accum::Replace, &projected, &vectors, 1.0, Par::Seq);
    for (mut direction, value) in directions.col_iter_mut().zip(&values) {
        direction /= faer::Scale(value.sqrt());
    }
    signed(&directions, k)
}

/// The eigenvalues of a Gram matrix of `count` sums or fewer, of which the lower triangle is read, and their vectors: at most
/// `k`, and none beyond the rank, where eigenvalues are the rounding errors of others.
pub(super) fn leading(gram: MatRef<'_, f64>, k: usize, count: usize) -> (Vec<f64>, Mat<f64>) {
    let (mut values, mut vectors) = symmetric(gram);
    let least = count as f64 * f64::EPSILON * values[0].max(f64::MIN_POSITIVE);
    let rank = values.iter().take_while(|&&value| value > least).count();
    let kept = rank.min(k);
    values.truncate(kept);
    vectors.truncate(gram.nrows(), kept);
    (values, vectors)
}

/// Directions, one per column, as `k` rows with the sign that [`leading_directions`] gives them; rows without a direction are 0.
pub(super) fn signed(directions: &Mat<f64>, k: usize) -> Vec<f64> {
    let mut rows = Vec::with_capacity(k * directions.nrows());
    for direction in directions.col_iter() {
        let largest = direction.iter().fold(0f64, |most, v| most.max(v.abs()));
        let first = direction.iter().find(|v| v.abs() >= largest * (1.0 - TIE));
        let sign = if first.is_some_and(|&v| v < 0.0) { -1.0 } else { 1.0 };
        rows.extend(direction.iter().map(|v| sign * v));
    }
    rows.resize(k * directions.nrows(), 0.0);
    rows
}

/// An orthonormal basis of the columns of `m`, which has rows of length `l`, in the same layout.
fn orthonormalised(m: &[f64], l: usize) -> Vec<f64> {
    let rows = m.len() / l;
    let basis = orthonormal(MatRef::from_row_major_slice(m, rows, l));
    let mut out = vec![0.0; m.len()];
    MatMut::from_row_major_slice_mut(&mut out, rows, l).copy_from(&basis);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_does_not_decide_the_sign_of_a_direction() {
        let column = |a: f64, b: f64| signed(&Mat::from_fn(3, 1, |r, _| [0.1, a, b][r]), 2);
        assert_eq!(column(-0.7, 0.7 + 1e-12), [-0.1, 0.7, -0.7 - 1e-12, 0.0, 0.0, 0.0]);
        assert_eq!(column(-0.7 - 1e-12, 0.7), [-0.1, 0.7 + 1e-12, -0.7, 0.0, 0.0, 0.0]);
        assert_eq!(column(-0.6, 0.7), [0.1, -0.6, 0.7, 0.0, 0.0, 0.0]);
    }
}
