//! The leading right singular vectors of a matrix that is known by its products alone.
//!
//! A random start, a few rounds of `Q <- orth(A orth(A^T Q))` and one small eigenproblem find them (Halko, Martinsson
//! and Tropp, *Finding Structure with Randomness*, SIAM Review 2011). Where the matrix has at most [`EXACT`] columns,
//! the start spans everything and the result is exact.

use rayon::prelude::*;

use super::eigen;
use super::sums::{GROUP, add, dot, group};
use crate::random::Seed;

/// Up to this width all directions are followed.
const EXACT: usize = 256;

/// Directions followed beyond those asked for.
const MARGIN: usize = 32;

/// Values of a column that one thread works on.
const PIECE: usize = 2048;

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
/// entry of largest magnitude is positive; beyond the rank, rows are 0.
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
    let l = if width <= EXACT { most } else { (k + MARGIN).min(most) };
    let mut rng = Seed(0).stream(name);
    let start: Vec<f64> = (0..width * l).map(|_| 2.0 * rng.unit() - 1.0).collect();
    let mut basis = a.times(&start, l);
    orthonormalise(&mut basis, rows, l);
    for _ in 0..rounds {
        let mut back = a.transposed_times(&basis, l);
        orthonormalise(&mut back, width, l);
        basis = a.times(&back, l);
        orthonormalise(&mut basis, rows, l);
    }
    // B = Q^T A, kept as its transpose: width x l. The right singular vectors of B are those of A.
    let projected = a.transposed_times(&basis, l);
    let (values, vectors) = eigen::symmetric(gram(&projected, l), l);
    let mut directions = vec![0.0; k * width];
    for (v, out) in directions.chunks_exact_mut(width).enumerate() {
        // Beyond the rank there is no direction left: 0.
        if values[v] > 1e-14 * values[0].max(f64::MIN_POSITIVE) {
            let vector = &vectors[v * l..(v + 1) * l];
            direction(&projected, vector, values[v].sqrt(), out);
        }
    }
    directions
}

/// Makes the columns of `m` (`rows` x `l`) orthonormal; a column that depends on earlier ones becomes 0.
///
/// Gram-Schmidt, each column twice, which is as good as any method in floating point.
fn orthonormalise(m: &mut [f64], rows: usize, l: usize) {
    let mut columns = vec![0.0; l * rows];
    for (r, row) in m.chunks_exact(l).enumerate() {
        row.iter().enumerate().for_each(|(c, &v)| columns[c * rows + r] = v);
    }
    for c in 0..l {
        let (done, rest) = columns.split_at_mut(c * rows);
        let column = &mut rest[..rows];
        let before = dot(column, column).sqrt();
        for _ in 0..2 {
            let shares: Vec<f64> = done.par_chunks_exact(rows).map(|other| -dot(other, column)).collect();
            column.par_chunks_mut(PIECE).enumerate().for_each(|(piece, out)| {
                let place = piece * PIECE..piece * PIECE + out.len();
                for (others, shares) in done.chunks(GROUP * rows).zip(shares.chunks(GROUP)) {
                    add(out, shares, group(others, rows).map(|other| &other[place.clone()]));
                }
            });
        }
        let norm = dot(column, column).sqrt();
        let scale = if norm > 1e-12 * before { 1.0 / norm } else { 0.0 };
        column.iter_mut().for_each(|v| *v *= scale);
    }
    for (r, row) in m.chunks_exact_mut(l).enumerate() {
        row.iter_mut().enumerate().for_each(|(c, v)| *v = columns[c * rows + r]);
    }
}

/// `M^T M` for `M` with rows of length `l`: `l` x `l`.
fn gram(m: &[f64], l: usize) -> Vec<f64> {
    let mut out = vec![0.0; l * l];
    out.par_chunks_mut(l).enumerate().for_each(|(c, out)| {
        for rows in m.chunks(GROUP * l) {
            let factors: Vec<f64> = rows.chunks_exact(l).map(|row| row[c]).collect();
            add(out, &factors, group(rows, l));
        }
    });
    out
}

/// `M vector / norm`, its entry of largest magnitude made positive.
fn direction(m: &[f64], vector: &[f64], norm: f64, out: &mut [f64]) {
    let mut largest = 0f64;
    for (out, row) in out.iter_mut().zip(m.chunks_exact(vector.len())) {
        *out = dot(row, vector) / norm;
        if out.abs() > largest.abs() {
            largest = *out;
        }
    }
    if largest < 0.0 {
        out.iter_mut().for_each(|v| *v = -*v);
    }
}
