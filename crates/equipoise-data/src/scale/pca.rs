//! Principal components.
//!
//! With `A` the features less their mean row (`I` x `d`), the components are the leading right singular vectors of
//! `A`, which `subspace` finds.
//!
//! Sums run in a fixed order, in f64 and without fused operations: the bits depend on the features alone. That is why
//! the products are written here: library kernels add in an order that the processor decides.

use std::borrow::Cow;

use rayon::prelude::*;

use super::subspace::{LinearMap, leading_directions};
use super::sums::{GROUP, add, group};
use crate::features::Features;

/// Rounds of the power iteration.
const ROUNDS: usize = 2;

/// Rows (or columns) of `A` that share one pass over the other factor.
const TILE: usize = 8;

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
    let components = leading_directions(&centred, k, ROUNDS, "pca");
    let width = features.width();
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
            for (first, x) in x.chunks(GROUP * l).enumerate() {
                let columns = first * GROUP..(first * GROUP + GROUP).min(width);
                for (out, row) in out.chunks_exact_mut(l).zip(rows.chunks_exact(width)) {
                    let (factors, count) = centred(&row[columns.clone()], &self.mean[columns.clone()]);
                    add(out, &factors[..count], group(x, l));
                }
            }
        });
        out
    }

    fn transposed_times(&self, q: &[f64], l: usize) -> Vec<f64> {
        let width = self.width;
        let mut out = vec![0.0; width * l];
        out.par_chunks_mut(TILE * l).enumerate().for_each(|(tile, out)| {
            let columns = tile * TILE..(tile * TILE + TILE).min(width);
            let rows = self.values.chunks(GROUP * width);
            for (rows, q) in rows.zip(q.chunks(GROUP * l)) {
                for (out, c) in out.chunks_exact_mut(l).zip(columns.clone()) {
                    let (mut factors, mut count) = ([0.0; GROUP], 0);
                    for row in rows.chunks_exact(width) {
                        factors[count] = f64::from(row[c]) - self.mean[c];
                        count += 1;
                    }
                    add(out, &factors[..count], group(q, l));
                }
            }
        });
        out
    }
}

/// Values less their means, and how many there are: at most [`GROUP`].
fn centred(values: &[f32], mean: &[f64]) -> ([f64; GROUP], usize) {
    let mut factors = [0.0; GROUP];
    for ((factor, &value), mean) in factors.iter_mut().zip(values).zip(mean) {
        *factor = f64::from(value) - mean;
    }
    (factors, values.len())
}

#[cfg(test)]
mod tests {
    use super::super::sums::dot;
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
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let f = features(200, 300);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| project(&f, 8))
        };
        assert!(with(1) == with(3));
    }

    #[test]
    fn constant_features_have_no_component() {
        let f = Features::new(4, 3, vec![2.0; 12]).expect("finite");
        assert_eq!(project(&f, 2), [0.0; 8]);
    }
}
