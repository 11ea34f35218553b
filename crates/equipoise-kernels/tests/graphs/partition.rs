//! Logarithms of sums of exponentials.

use crate::support::{
    assert_close, assert_same_on_any_number_of_threads, differences, dot, table, wide, widths,
};
use equipoise_kernels::partition::{log_sum_exp, log_sum_exp_backward};
use proptest::prelude::*;

fn forward(x: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len() / width];
    log_sum_exp(x, width, &mut out);
    out
}

fn backward(x: &[f32], out: &[f32], width: usize, grad: &[f32]) -> Vec<f32> {
    let mut d_x = vec![f32::NAN; x.len()];
    log_sum_exp_backward(x, out, width, grad, &mut d_x);
    d_x
}

fn naive(x: &[f64], width: usize) -> Vec<f64> {
    x.chunks_exact(width).map(|row| row.iter().map(|x| x.exp()).sum::<f64>().ln()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_follow_the_definition(n in 0usize..40, width in widths(), seed: u64) {
        let x: Vec<f32> = table(n * width, seed).iter().map(|x| 30.0 * x).collect();
        assert_close(&forward(&x, width), &naive(&wide(&x), width), 1e-6);
    }

    #[test]
    fn gradient_is_the_slope_of_the_loss(n in 0usize..8, seed: u64) {
        let width = 5;
        let (x, grad) = (table(n * width, seed), table(n, seed ^ 1));
        let out = forward(&x, width);
        let weights = wide(&grad);
        let slopes = differences(&wide(&x), |x| dot(&naive(x, width), &weights));
        assert_close(&backward(&x, &out, width, &grad), &slopes, 1e-5);
    }
}

#[test]
fn large_logits_do_not_overflow() {
    let out = forward(&[300.0, 300.0, -300.0, -300.0], 2);
    assert_close(&out, &[300.0 + 2f64.ln(), -300.0 + 2f64.ln()], 1e-6);
}

#[test]
fn the_number_of_threads_does_not_show() {
    let (x, grad) = (table(500 * 70, 1), table(500, 2));
    assert_same_on_any_number_of_threads(|| forward(&x, 70));
    let out = forward(&x, 70);
    assert_same_on_any_number_of_threads(|| backward(&x, &out, 70, &grad));
}
