//! Elementwise functions against float64.

use crate::support::{assert_close, assert_same_on_any_number_of_threads, differences, dot, table, wide};
use equipoise_kernels::{activate, exponential};
use proptest::prelude::*;

/// Every float32 pattern of a stride that meets all exponents and signs, within `[-bound, bound]`.
fn sweep(bound: f32) -> Vec<f32> {
    let all = (0..=u32::MAX / 4099).map(|k| f32::from_bits(k * 4099));
    all.filter(|x| x.abs() <= bound).chain([0.0, -0.0, bound, -bound]).collect()
}

fn apply(x: &[f32], f: impl Fn(&[f32], &mut [f32])) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len()];
    f(x, &mut out);
    out
}

/// The largest relative error where the true value is a normal float32; elsewhere both must be next to zero.
fn worst(x: &[f32], found: &[f32], truth: impl Fn(f64) -> f64) -> f64 {
    let mut worst = 0.0f64;
    for (&x, &found) in x.iter().zip(found) {
        let truth = truth(f64::from(x));
        let error = (f64::from(found) - truth).abs();
        if truth.abs() >= f64::from(f32::MIN_POSITIVE) {
            worst = worst.max(error / truth.abs());
        } else {
            assert!(error < 2e-45, "at {x}: {found}");
        }
    }
    worst
}

#[test]
fn exp_is_right_wherever_its_result_is_a_number() {
    let x: Vec<f32> = sweep(1000.0).into_iter().filter(|&x| x < 88.72).collect();
    let found = apply(&x, exponential::exp);
    let error = worst(&x, &found, f64::exp);
    assert!(error < 1e-7, "{error}");
}

#[test]
fn exp_of_extremes_is_zero_infinity_or_nan() {
    let x = [-1e4, f32::NEG_INFINITY, -104.5, 89.0, 1e4, f32::INFINITY, f32::NAN, 0.0];
    let found = apply(&x, exponential::exp);
    assert_eq!(found[..6], [0.0, 0.0, 0.0, f32::INFINITY, f32::INFINITY, f32::INFINITY]);
    assert!(found[6].is_nan());
    assert_eq!(found[7], 1.0);
}

#[test]
fn sigmoid_and_tanh_are_right_from_tiny_to_huge_numbers() {
    let x = sweep(1e4);
    let found = apply(&x, activate::sigmoid);
    let error =
        worst(&x, &found, |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) });
    assert!(error < 2e-7, "sigmoid {error}");
    let found = apply(&x, activate::tanh);
    let error = worst(&x, &found, f64::tanh);
    assert!(error < 2e-7, "tanh {error}");
}

#[test]
fn far_out_the_limits_are_met() {
    let x = [-1e4, 1e4, f32::NEG_INFINITY, f32::INFINITY, 0.0];
    assert_eq!(apply(&x, activate::sigmoid), [0.0, 1.0, 0.0, 1.0, 0.5]);
    assert_eq!(apply(&x, activate::tanh), [-1.0, 1.0, -1.0, 1.0, 0.0]);
    assert!(apply(&[f32::NAN], activate::sigmoid)[0].is_nan());
    assert!(apply(&[f32::NAN], activate::tanh)[0].is_nan());
}

#[test]
fn leaky_relu_keeps_the_positive_and_shrinks_the_rest() {
    let x = [2.0, 0.0, -3.0, 1e4, -1e4];
    assert_eq!(apply(&x, |x, out| activate::leaky_relu(x, 0.01, out)), [2.0, 0.0, -0.03, 1e4, -100.0]);
    let grad = [1.0, 1.0, 2.0, -1.0, -1.0];
    let found = apply(&x, |x, out| activate::leaky_relu_backward(x, 0.01, &grad, out));
    assert_eq!(found, [1.0, 0.01, 0.02, -1.0, -0.01]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gradients_are_the_slopes(n in 0usize..70, scale in prop::sample::select(vec![0.5f32, 3.0, 9.0]), seed: u64) {
        // Away from the kink at 0, which the differences would straddle.
        let x: Vec<f32> = table(n, seed).iter().map(|x| scale * (x + 0.001f32.copysign(*x))).collect();
        let grad = table(n, seed ^ 1);
        let (x64, weights) = (wide(&x), wide(&grad));
        let slopes = |f: fn(f64) -> f64| {
            differences(&x64, |x| dot(&x.iter().map(|&x| f(x)).collect::<Vec<_>>(), &weights))
        };
        let d = apply(&x, |x, out| activate::leaky_relu_backward(x, 0.2, &grad, out));
        assert_close(&d, &slopes(|x| x.max(0.2 * x)), 1e-6);
        let y = apply(&x, activate::sigmoid);
        let d = apply(&y, |y, out| activate::sigmoid_backward(y, &grad, out));
        assert_close(&d, &slopes(|x| 1.0 / (1.0 + (-x).exp())), 1e-6);
        let y = apply(&x, activate::tanh);
        let d = apply(&y, |y, out| activate::tanh_backward(y, &grad, out));
        assert_close(&d, &slopes(f64::tanh), 1e-6);
    }
}

#[test]
fn the_place_in_the_slice_and_the_number_of_threads_do_not_show() {
    let x: Vec<f32> = table(50_001, 3).iter().map(|x| 12.0 * x).collect();
    for f in [exponential::exp, activate::sigmoid, activate::tanh] {
        assert_same_on_any_number_of_threads(|| apply(&x, f));
        let (whole, shifted) = (apply(&x, f), apply(&x[3..], f));
        assert_eq!(whole[3..], shifted);
    }
    assert_same_on_any_number_of_threads(|| {
        let mut all = apply(&x, |y, out| activate::tanh_backward(y, &x, out));
        all.extend(apply(&x, |y, out| activate::sigmoid_backward(y, &x, out)));
        all.extend(apply(&x, |x, out| activate::leaky_relu(x, 0.01, out)));
        all.extend(apply(&x, |x2, out| activate::leaky_relu_backward(x2, 0.01, &x, out)));
        all
    });
}
