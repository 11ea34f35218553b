//! Weighted sums of squared row norms: the L2 penalty on the rows of a batch.

use crate::dot;

/// `sum_r weights[r] * ||x_r||^2` over the rows of a row-major table, accumulated in float64.
pub fn weighted_square_sum(x: &[f32], width: usize, weights: &[f32]) -> f32 {
    let rows = x.chunks_exact(width).zip(weights).filter(|(_, w)| **w != 0.0);
    rows.map(|(row, &w)| f64::from(w) * f64::from(dot(row, row))).sum::<f64>() as f32
}

/// Adds the gradient of [`weighted_square_sum`] times `scale`: `out_r += 2 * scale * weights[r] * x_r`.
pub fn weighted_square_sum_backward(x: &[f32], width: usize, weights: &[f32], scale: f32, out: &mut [f32]) {
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for ((row, out), &w) in rows.zip(weights).filter(|(_, w)| **w != 0.0) {
        for (o, v) in out.iter_mut().zip(row) {
            *o += 2.0 * scale * w * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_row_by_its_weight() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(weighted_square_sum(&x, 2, &[2.0, 0.0, 1.0]), 2.0 * 5.0 + 61.0);
        let mut grad = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        weighted_square_sum_backward(&x, 2, &[2.0, 0.0, 1.0], 0.5, &mut grad);
        assert_eq!(grad, [2.0, 4.0, 0.0, 0.0, 6.0, 6.0]);
    }
}
