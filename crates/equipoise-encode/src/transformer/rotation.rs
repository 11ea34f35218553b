//! Positions as rotations of queries and keys.
//!
//! ```text
//! theta_k = base^(-2 k / d),  k < d / 2
//! (x_k, x_{k + d/2})  <-  (x_k cos(t theta_k) - x_{k + d/2} sin(t theta_k),  x_{k + d/2} cos(t theta_k) + x_k sin(t theta_k))
//! ```
//!
//! for a row `x` of `d` columns at position `t`, so that the product of a query and a key depends on their distance alone.
//! Source: Su et al. 2021, *RoFormer: Enhanced Transformer with Rotary Position Embedding*; pairs are half a row apart, as in
//! the models that are read here.

/// Sines and cosines by position.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    /// `(cos, sin)` of `t theta_k`: `positions x d / 2`.
    angles: Vec<(f32, f32)>,
    /// Columns of a head.
    d: usize,
}

impl Rotation {
    /// Rotations of rows of `d` columns at positions below `positions`.
    ///
    /// # Panics
    /// If `d` is odd or 0.
    pub(crate) fn new(d: usize, positions: usize, base: f64) -> Rotation {
        assert!(d > 0 && d.is_multiple_of(2), "rotation: an even number of columns");
        let theta: Vec<f64> = (0..d / 2).map(|k| base.powf(-2.0 * k as f64 / d as f64)).collect();
        let angles = (0..positions).flat_map(|t| {
            theta.iter().map(move |theta| {
                let (sin, cos) = (t as f64 * theta).sin_cos();
                (cos as f32, sin as f32)
            })
        });
        Rotation { angles: angles.collect(), d }
    }

    /// Turns each head of `rows`, one after another, to position `t`.
    pub(crate) fn turn(&self, t: usize, rows: &mut [f32]) {
        let half = self.d / 2;
        let angles = &self.angles[t * half..][..half];
        for row in rows.chunks_exact_mut(self.d) {
            let (first, second) = row.split_at_mut(half);
            for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(angles) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_depend_on_the_distance_alone_and_lengths_are_kept() {
        let rotation = Rotation::new(8, 40, 100.0);
        let at = |row: &[f32], t: usize| {
            let mut turned = row.to_vec();
            rotation.turn(t, &mut turned);
            turned
        };
        let (q, k): (Vec<f32>, Vec<f32>) =
            (0..8).map(|n| ((n * 5 % 7) as f32, (n * 3 % 5) as f32 - 1.0)).unzip();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert_eq!(at(&q, 0), q);
        for distance in [0, 1, 9] {
            let near = dot(&at(&q, distance), &at(&k, 0));
            let far = dot(&at(&q, 30 + distance), &at(&k, 30));
            assert!((near - far).abs() < 1e-4, "{distance}: {near} {far}");
        }
        assert!((dot(&at(&q, 3), &k) - dot(&q, &k)).abs() > 0.1);
        assert!((dot(&at(&q, 17), &at(&q, 17)) - dot(&q, &q)).abs() < 1e-3);
    }
}
