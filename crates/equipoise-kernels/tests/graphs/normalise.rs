//! Rows divided by their norm.

use crate::support::widths;
use crate::support::{assert_close, assert_same_on_any_number_of_threads, differences, dot, table, wide};
use equipoise_kernels::normalise::{normalise_rows, normalise_rows_backward};
use proptest::prelude::*;

fn forward(x: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut out, mut norms) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len() / width]);
    normalise_rows(x, width, &mut out, &mut norms);
    (out, norms)
}

fn backward(y: &[f32], norms: &[f32], width: usize, grad: &[f32]) -> Vec<f32> {
    let mut d_x = vec![f32::NAN; y.len()];
    normalise_rows_backward(y, norms, width, grad, &mut d_x);
    d_x
}

fn naive(x: &[f64], width: usize) -> Vec<f64> {
    let rows = x.chunks_exact(width);
    rows.flat_map(|row| row.iter().map(|x| x / dot(row, row).sqrt().max(1e-12))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_have_norm_one_and_their_norms_are_kept(n in 0usize..20, width in widths(), seed: u64) {
        let x: Vec<f32> = table(n * width, seed).iter().map(|x| 40.0 * x).collect();
        let (out, norms) = forward(&x, width);
        let x = wide(&x);
        assert_close(&out, &naive(&x, width), 1e-6);
        let expected: Vec<f64> = x.chunks_exact(width).map(|row| dot(row, row).sqrt()).collect();
        assert_close(&norms, &expected, 1e-6);
    }

    #[test]
    fn gradient_is_the_slope_of_the_loss(n in 0usize..8, seed: u64) {
        let width = 5;
        // Far enough from 0 for the differences: the first number of a row is at least 1.
        let mut x = table(n * width, seed);
        x.chunks_exact_mut(width).for_each(|row| row[0] += 2.0);
        let grad = table(n * width, seed ^ 1);
        let (y, norms) = forward(&x, width);
        let weights = wide(&grad);
        let slopes = differences(&wide(&x), |x| dot(&naive(x, width), &weights));
        assert_close(&backward(&y, &norms, width, &grad), &slopes, 1e-5);
    }

    #[test]
    fn gradient_follows_the_formula_at_any_width(n in 0usize..20, width in widths(), seed: u64) {
        let (x, grad) = (table(n * width, seed), table(n * width, seed ^ 1));
        let (y, norms) = forward(&x, width);
        let (y64, grad64) = (wide(&y), wide(&grad));
        let mut expected = Vec::new();
        for (r, (y, g)) in y64.chunks_exact(width).zip(grad64.chunks_exact(width)).enumerate() {
            let along = dot(y, g);
            expected.extend(y.iter().zip(g).map(|(y, g)| (g - y * along) / f64::from(norms[r])));
        }
        // Rows of width 1 have a gradient of 0, met up to rounding of `g / norm`.
        let least = norms.iter().fold(1.0f32, |a, &b| a.min(b));
        assert_close(&backward(&y, &norms, width, &grad), &expected, 1e-6 / f64::from(least));
    }
}

#[test]
fn zero_and_tiny_rows_stay_and_have_no_gradient() {
    let x = [0.0, 0.0, 3e-13, 4e-13, 3.0, 4.0, 3e-12, 4e-12];
    let (out, norms) = forward(&x, 2);
    assert_close(&out, &[0.0, 0.0, 0.3, 0.4, 0.6, 0.8, 0.6, 0.8], 1e-6);
    assert_eq!(&norms[..1], [0.0]);
    let d_x = backward(&out, &norms, 2, &[1.0; 8]);
    assert_eq!(&d_x[..4], [0.0; 4]);
    assert_close(&d_x[4..6], &[0.032, -0.024], 1e-6);
    assert!(d_x[6] > 1e10);
}

#[test]
fn the_number_of_threads_does_not_show() {
    let (x, grad) = (table(2000 * 64, 1), table(2000 * 64, 2));
    assert_same_on_any_number_of_threads(|| {
        let (mut all, norms) = forward(&x, 64);
        let d_x = backward(&all, &norms, 64, &grad);
        all.extend(norms);
        all.extend(d_x);
        all
    });
}
