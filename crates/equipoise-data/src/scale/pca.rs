//! Principal components.
//!
//! With `A` the features less their mean row (`I` x `d`), the components are the leading right singular vectors of
//! `A`. `subspace` finds a few of them; where many are asked for, they are the eigenvectors of `A^T A`.
//!
//! Sums run in f64 and in an order that no thread decides. The product of a row with the components is written here: a row has
//! the same bits alone, as a new item comes, as among others, which the blocks of a library's product do not promise.

use std::borrow::Cow;
use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::subspace::{EXACT, LinearMap, leading, leading_directions, signed};
use crate::features::Features;

/// Rounds of the power iteration.
const ROUNDS: usize = 2;

/// The iteration does more work than `A^T A` where more than one column in so many is asked for.
const FEW: usize = 4;

/// Rows of `A` that share one pass over the other factor.
const TILE: usize = 8;

/// Columns of `A` that one thread works on.
const COLUMNS: usize = 256;

/// Rows of `A` that are centred at a time.
const ROWS: usize = 512;

/// Rows added at a time.
const GROUP: usize = 4;

/// The features less their mean, as a matrix to multiply with.
pub(super) struct Centred<'a> {
    values: Cow<'a, [f32]>,
    width: usize,
    mean: Cow<'a, [f64]>,
}

/// Rows less the mean row times the first `k` components: `I` x `k`, largest variance first. In each component the
/// entry of largest magnitude is positive. `k` is at most the width and the number of rows.
pub(super) fn project(features: &Features, k: usize) -> Vec<f32> {
    let (mean, by_column) = fitted(features, k);
    clamped(Centred::of(features.values(), Cow::Owned(mean)).times(&by_column, k))
}

/// The mean row, and the components by column of `A`: `d` x `k`.
pub(super) fn fitted(features: &Features, k: usize) -> (Vec<f64>, Vec<f64>) {
    let centred = Centred::new(features);
    let (rows, width) = (centred.rows(), features.width());
    let components = if rows >= width && (width <= EXACT || k * FEW > width) {
        signed(&leading(centred.gram().as_ref(), k, rows).1, k)
    } else {
        leading_directions(&centred, k, ROUNDS, "pca")
    };
    let by_column =
        (0..width).flat_map(|c| (0..k).map(move |v| v * width + c)).map(|p| components[p]).collect();
    (centred.mean.into_owned(), by_column)
}

/// As float32, values beyond its range at its ends.
pub(super) fn clamped(values: Vec<f64>) -> Vec<f32> {
    let largest = f64::from(f32::MAX);
    values.into_iter().map(|v| v.clamp(-largest, largest) as f32).collect()
}

impl Centred<'_> {
    fn new(features: &Features) -> Centred<'_> {
        let mut mean = vec![0f64; features.width()];
        let rows = features.rows() as f64;
        features.each_row(|row| mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / rows));
        Centred::of(features.values(), Cow::Owned(mean))
    }
}

impl<'a> Centred<'a> {
    /// Rows less this mean row.
    pub(super) fn of(values: Cow<'a, [f32]>, mean: Cow<'a, [f64]>) -> Centred<'a> {
        Centred { values, width: mean.len(), mean }
    }

    /// The columns of `A` that a block of a result belongs to.
    fn columns(&self, block: usize) -> Range<usize> {
        block * COLUMNS..(block * COLUMNS + COLUMNS).min(self.width)
    }

    /// A result of one block per [`columns`](Self::columns), each of them a sum over the rows of `A`: `add` is told the block,
    /// the transpose of some rows and the number of the first of them, and adds what they are worth.
    fn summed(
        &self,
        shape: impl Fn(Range<usize>) -> (usize, usize),
        add: impl Fn(MatMut<'_, f64>, Range<usize>, MatRef<'_, f64>, usize) + Sync,
    ) -> Vec<Mat<f64>> {
        let shapes = (0..self.width.div_ceil(COLUMNS)).map(|block| shape(self.columns(block)));
        let mut blocks: Vec<Mat<f64>> = shapes.map(|(rows, columns)| Mat::zeros(rows, columns)).collect();
        for (part, rows) in self.values.chunks(ROWS * self.width).enumerate() {
            let value = |c: usize, r: usize| f64::from(rows[r * self.width + c]) - self.mean[c];
            let transposed = Mat::from_fn(self.width, rows.len() / self.width, value);
            blocks.par_iter_mut().enumerate().for_each(|(block, sum)| {
                add(sum.as_mut(), self.columns(block), transposed.as_ref(), part * ROWS);
            });
        }
        blocks
    }

    /// `A^T A`, of which the lower triangle has its values.
    fn gram(&self) -> Mat<f64> {
        let below = |columns: &Range<usize>| columns.start..self.width;
        let blocks = self.summed(
            |columns| (below(&columns).len(), columns.len()),
            |sum, columns, rows, _| {
                let left = rows.subrows(columns.start, below(&columns).len());
                let right = rows.subrows(columns.start, columns.len()).transpose();
                matmul(sum, Accum::Add, left, right, 1.0, Par::Seq);
            },
        );
        let mut gram = Mat::zeros(self.width, self.width);
        for (n, block) in blocks.iter().enumerate() {
            let first = n * COLUMNS;
            gram.submatrix_mut(first, first, block.nrows(), block.ncols()).copy_from(block);
        }
        gram
    }
}

impl LinearMap for Centred<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn times(&self, x: &[f64], l: usize) -> Vec<f64> {
        let width = self.width;
        let mut out = vec![0.0; self.rows() * l];
        let tiles = out.par_chunks_mut(TILE * l).zip(self.values.par_chunks(TILE * width));
        tiles.for_each(|(out, rows)| {
            for (group, x) in x.chunks(GROUP * l).enumerate() {
                let columns = group * GROUP..(group * GROUP + GROUP).min(width);
                for (out, row) in out.chunks_exact_mut(l).zip(rows.chunks_exact(width)) {
                    let mut factors = [0.0; GROUP];
                    for (factor, c) in factors.iter_mut().zip(columns.clone()) {
                        *factor = f64::from(row[c]) - self.mean[c];
                    }
                    add(out, factors, x);
                }
            }
        });
        out
    }

    fn transposed_times(&self, q: &[f64], l: usize) -> Vec<f64> {
        let blocks = self.summed(
            |columns| (columns.len(), l),
            |sum, columns, rows, first| {
                let q = MatRef::from_row_major_slice(&q[first * l..][..rows.ncols() * l], rows.ncols(), l);
                matmul(sum, Accum::Add, rows.subrows(columns.start, columns.len()), q, 1.0, Par::Seq);
            },
        );
        let mut out = vec![0.0; self.width * l];
        for (out, block) in out.chunks_mut(COLUMNS * l).zip(&blocks) {
            MatMut::from_row_major_slice_mut(out, block.nrows(), l).copy_from(block);
        }
        out
    }
}

equipoise_kernels::wide! {
    /// `out += factors[0] * rows[0]`, then the next, ...: at most [`GROUP`] rows, each as long as `out`.
    fn add(out: &mut [f64], factors: [f64; GROUP], rows: &[f64]) {
        let n = out.len();
        match rows.len() / n {
            GROUP => {
                let [x, y, z, w] = std::array::from_fn(|k| &rows[k * n..][..n]);
                let [a, b, c, d] = factors;
                for (k, out) in out.iter_mut().enumerate() {
                    *out = (((*out + a * x[k]) + b * y[k]) + c * z[k]) + d * w[k];
                }
            }
            _ => {
                for (factor, row) in factors.iter().zip(rows.chunks_exact(n)) {
                    out.iter_mut().zip(row).for_each(|(out, x)| *out += factor * x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    /// Rows with variances 4^-c along known orthogonal directions, far from 0.
    fn features(rows: usize, width: usize) -> Features {
        let mut rng = Seed(3).stream("features");
        let values = (0..rows).flat_map(|_| {
            let latent: Vec<f64> = (0..6).map(|c| (rng.unit() - 0.5) * 0.5f64.powi(c)).collect();
            let noise: Vec<f64> = (0..width).map(|_| 1e-4 * (rng.unit() - 0.5)).collect();
            let cell = move |c: usize| {
                let mixed: f64 =
                    latent.iter().enumerate().map(|(k, v)| v * f64::from(u8::from(c % 6 == k))).sum();
                (100.0 + mixed + noise[c]) as f32
            };
            (0..width).map(cell).collect::<Vec<f32>>()
        });
        let values: Vec<f32> = values.collect();
        Features::new(rows, width, values).expect("finite")
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn column(scores: &[f32], k: usize, c: usize) -> Vec<f64> {
        scores.chunks_exact(k).map(|row| f64::from(row[c])).collect()
    }

    #[test]
    fn components_are_uncorrelated_and_hold_the_variance_in_falling_order() {
        for width in [30, 300] {
            let f = features(400, width);
            let scores = project(&f, 6);
            let columns: Vec<Vec<f64>> = (0..6).map(|c| column(&scores, 6, c)).collect();
            let variances: Vec<f64> = columns.iter().map(|c| dot(c, c)).collect();
            for (a, first) in columns.iter().enumerate() {
                assert!(first.iter().sum::<f64>().abs() < 1e-2, "centred");
                for (b, second) in columns.iter().enumerate().take(a) {
                    let correlation = dot(first, second) / (variances[a] * variances[b]).sqrt();
                    assert!(correlation.abs() < 1e-4, "{a} {b}: {correlation}");
                }
            }
            assert!(variances.is_sorted_by(|a, b| a > b), "{variances:?}");
            let centred = Centred::new(&f);
            let all: f64 = f
                .values()
                .chunks(width)
                .flatten()
                .zip(centred.mean.iter().cycle())
                .map(|(&v, m)| (f64::from(v) - m).powi(2))
                .sum();
            let kept: f64 = variances.iter().sum();
            assert!(kept / all > 0.999 && kept / all < 1.000_001, "{width}: {}", kept / all);
        }
    }

    #[test]
    fn all_components_keep_every_distance() {
        let f = features(9, 5);
        let scores = project(&f, 5);
        for (i, j) in [(0, 1), (3, 8), (2, 7)] {
            let distance =
                |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>();
            let (before, after) =
                (distance(&f.row(i), &f.row(j)), distance(&scores[i * 5..][..5], &scores[j * 5..][..5]));
            assert!((before - after).abs() < 1e-5 * before, "{before} {after}");
        }
    }

    #[test]
    fn many_components_begin_with_the_few_and_end_with_the_rank() {
        // Two blocks of columns, two of rows.
        let f = features(ROWS + 88, COLUMNS + 44);
        let (few, many) = (project(&f, 6), project(&f, 100));
        for (few, many) in few.chunks(6).zip(many.chunks(100)) {
            assert!(few.iter().zip(many).all(|(a, b)| (a - b).abs() < 1e-5), "{few:?} {:?}", &many[..6]);
        }
        let repeated: Vec<f32> =
            f.values().chunks(COLUMNS + 44).flat_map(|row| [&row[..3]; 100].concat()).collect();
        let scores = project(&Features::new(f.rows(), 300, repeated).expect("finite"), 80);
        assert!(scores.chunks(80).all(|row| row[3..].iter().all(|&v| v == 0.0)), "rank 3");
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let f = features(700, 300);
        for k in [8, 200] {
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                pool.install(|| project(&f, k))
            };
            assert!(with(1) == with(3), "{k}");
        }
    }

    #[test]
    fn constant_features_have_no_component() {
        let f = Features::new(4, 3, vec![2.0; 12]).expect("finite");
        assert_eq!(project(&f, 2), [0.0; 8]);
    }
}
