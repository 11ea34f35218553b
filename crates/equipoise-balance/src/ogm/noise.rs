//! Gaussian noise of a gradient's own size, in the rows that have one.

use equipoise_data::Stream;
use equipoise_nn::init::standard_normal;

/// Added to every standard deviation, so that there is some noise always.
const LEAST: f64 = 1e-8;

/// Whether a row has any gradient.
fn touched(row: &[f32]) -> bool {
    row.iter().any(|&v| v != 0.0)
}

/// Sample standard deviation (`n - 1` below the line) of the values in rows that are not all zero; 0 for fewer
/// than two values.
pub fn spread(gradient: &[f32], width: usize) -> f64 {
    let rows = || gradient.chunks_exact(width).filter(|row| touched(row)).flatten().map(|&v| f64::from(v));
    let count = rows().count();
    if count < 2 {
        return 0.0;
    }
    let mean = rows().sum::<f64>() / count as f64;
    (rows().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1) as f64).sqrt()
}

/// `N(0, (spread + 1e-8)^2)` in every place of the rows that are not all zero, 0 elsewhere. Row-major, rows of
/// `width`.
pub fn noise(gradient: &[f32], width: usize, stream: &mut Stream) -> Vec<f32> {
    let deviation = spread(gradient, width) + LEAST;
    let mut out = vec![0.0; gradient.len()];
    for (row, out) in gradient.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        if touched(row) {
            out.iter_mut().for_each(|v| *v = (deviation * standard_normal(stream)) as f32);
        }
    }
    out
}
