//! Position embeddings for pictures of another size than those of the training.

use crate::vision::preprocess::{Kernel, cubic, taps};

/// How embeddings of one grid become those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// Cubic convolution with `a = -3/4` of the four nearest along each direction, those outside being the ones at the
    /// border.
    Plain,
    /// Cubic convolution with `a = -1/2`, smoothing where the grid shrinks.
    Smoothing,
}

/// Weights along one direction: for each place of the result, places of the source and their weights.
type Weights = Vec<Vec<(usize, f64)>>;

/// Embeddings `[side * side, width]` as `[rows * columns, width]`.
pub(super) fn interpolate(
    table: &[f32],
    side: usize,
    width: usize,
    (rows, columns): (usize, usize),
    how: Interpolation,
) -> Vec<f32> {
    let (down, across) = (weights(side, rows, how), weights(side, columns, how));
    let mut out = Vec::with_capacity(rows * columns * width);
    for row in &down {
        for column in &across {
            let mut sums = vec![0f64; width];
            for &(y, wy) in row {
                for &(x, wx) in column {
                    let source = &table[(y * side + x) * width..][..width];
                    sums.iter_mut().zip(source).for_each(|(sum, &v)| *sum += wy * wx * f64::from(v));
                }
            }
            out.extend(sums.iter().map(|&sum| sum as f32));
        }
    }
    out
}

fn weights(from: usize, to: usize, how: Interpolation) -> Weights {
    match how {
        Interpolation::Smoothing => taps(Kernel::Bicubic, from, to, 0..to)
            .map(|taps| (taps.first..).zip(taps.weights).collect())
            .collect(),
        Interpolation::Plain => (0..to).map(|place| four(from, to, place)).collect(),
    }
}

/// The four nearest places of `from` to place `place` of `to`.
fn four(from: usize, to: usize, place: usize) -> Vec<(usize, f64)> {
    let at = (place as f64 + 0.5) * from as f64 / to as f64 - 0.5;
    let floor = at.floor();
    (-1..3)
        .map(|step| {
            let near = floor + f64::from(step);
            (near.clamp(0.0, (from - 1) as f64) as usize, cubic((at - near).abs(), -0.75))
        })
        .collect()
}
