//! Where the distillation losses rest, where they stay finite, and their slopes.

use burn::tensor::{Tensor, TensorData};
use equipoise_balance::losses::{GenericLog, cross_entropy, hinge, kl, squared};
use proptest::prelude::*;

/// Values per triple, and the slope of their sum.
fn slopes(student: &[f32], loss: impl Fn(Tensor<1>) -> Tensor<1>) -> (Vec<f32>, Vec<f32>) {
    let device = equipoise_nn::device("cpu").unwrap();
    let leaf: Tensor<1> = Tensor::from_data(TensorData::new(student.to_vec(), [student.len()]), &device);
    let leaf = leaf.autodiff().require_grad();
    let out = loss(leaf.clone());
    let gradients = out.clone().sum().backward();
    let vector = |t: Tensor<1>| t.into_data().try_into_vec::<f32>().unwrap();
    (vector(out.inner()), vector(leaf.grad(&gradients).unwrap()))
}

fn exact(s: Tensor<1>, t: &[f32], tau: f64) -> Tensor<1> {
    cross_entropy(s, t, tau, GenericLog::Exact)
}

/// `H(sig(z))` in double precision.
fn entropy(z: f64) -> f64 {
    let p = 1.0 / (1.0 + (-z).exp());
    z.max(0.0) + (-z.abs()).exp().ln_1p() - p * z
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

proptest! {
    #[test]
    fn a_student_at_its_teacher_has_no_hinge_loss_and_no_slope(t in proptest::collection::vec(-5.0f32..5.0, 1..9)) {
        let (loss, slope) = slopes(&t, |s| hinge(s, &t));
        prop_assert!(loss.iter().chain(&slope).all(|v| *v == 0.0));
    }

    #[test]
    fn the_hinge_pushes_below_the_teacher_and_is_silent_above(s in -5.0f32..5.0, t in -5.0f32..5.0) {
        prop_assume!(s != t);
        let (loss, slope) = slopes(&[s], |s| hinge(s, &[t]));
        let expected = if s < t { (t - s, -1.0) } else { (0.0, 0.0) };
        prop_assert_eq!((loss[0], slope[0]), expected);
    }

    #[test]
    fn the_generic_loss_is_least_at_the_teacher_where_it_is_the_entropy(
        t in -3.0f32..3.0, away in 0.05f32..3.0, tau in 0.1f64..1.0,
    ) {
        let (at, slope) = slopes(&[t], |s| exact(s, &[t], tau));
        let z = f64::from(t) / tau;
        prop_assert!((f64::from(at[0]) - entropy(z)).abs() < 1e-5 * (1.0 + z.abs()), "{} {}", at[0], entropy(z));
        prop_assert!(slope[0].abs() < 1e-5 / tau as f32, "slope {} at the teacher", slope[0]);
        let (around, _) = slopes(&[t - away, t + away], |s| exact(s, &[t, t], tau));
        prop_assert!(around.iter().all(|l| *l >= at[0] - 1e-5 * (1.0 + z.abs() as f32)));
    }

    #[test]
    fn slopes_of_the_generic_loss_and_its_divergence_are_the_printed_ones(
        s in -2.0f32..2.0, t in -2.0f32..2.0, tau in 0.1f64..1.0,
    ) {
        let expected = (sigmoid(f64::from(s) / tau) - sigmoid(f64::from(t) / tau)) / tau;
        for loss in [exact as fn(Tensor<1>, &[f32], f64) -> Tensor<1>, kl] {
            let (_, slope) = slopes(&[s], |s| loss(s, &[t], tau));
            prop_assert!((f64::from(slope[0]) - expected).abs() < 1e-5 / tau, "{} {expected}", slope[0]);
        }
        let (divergence, _) = slopes(&[s], |s| kl(s, &[t], tau));
        prop_assert!(divergence[0] >= -2e-5, "a divergence is not negative: {}", divergence[0]);
    }

    #[test]
    fn the_squared_loss_pulls_both_ways(s in -5.0f32..5.0, t in -5.0f32..5.0) {
        let (loss, slope) = slopes(&[s], |s| squared(s, &[t]));
        prop_assert!((loss[0] - (t - s) * (t - s)).abs() < 1e-4);
        prop_assert!((slope[0] - 2.0 * (s - t)).abs() < 1e-4);
    }
}

#[test]
fn the_generic_loss_and_its_slope_are_finite_at_huge_margins() {
    let (s, t) = ([1e4, 1e4, -1e4, -1e4, 0.0f32], [1e4, -1e4, 1e4, -1e4, 1e4f32]);
    let (loss, slope) = slopes(&s, |s| exact(s, &t, 1.0));
    let expected = [0.0, 1e4, 1e4, 0.0, std::f32::consts::LN_2];
    loss.iter().zip(expected).for_each(|(l, e)| assert!((l - e).abs() < 1e-2, "{loss:?}"));
    slope
        .iter()
        .zip([0.0, 1.0, -1.0, 0.0, -0.5f32])
        .for_each(|(g, e)| assert!((g - e).abs() < 1e-6, "{slope:?}"));
}

#[test]
fn the_released_logarithms_are_capped_and_lose_their_slope_when_saturated() {
    let (s, t) = ([-1e3, 1e3, 1e3, -1e3, 20.0f32], [1e3, -1e3, 1e3, -1e3, -0.5f32]);
    let (loss, slope) = slopes(&s, |s| cross_entropy(s, &t, 1.0, GenericLog::Released));
    let cap = -(1e-8f32.ln());
    let expected = [cap, cap, 0.0, 0.0, cap * 0.622_459_3];
    loss.iter().zip(expected).for_each(|(l, e)| assert!((l - e).abs() < 1e-3, "{loss:?}"));
    assert!(slope.iter().all(|g| *g == 0.0), "{slope:?}");
    let (near, _) = slopes(&[0.3], |s| cross_entropy(s, &[0.5], 1.0, GenericLog::Released));
    let (wanted, _) = slopes(&[0.3], |s| exact(s, &[0.5], 1.0));
    assert!((near[0] - wanted[0]).abs() < 1e-5, "both agree away from saturation");
}

#[test]
fn equal_items_cost_ln_2_and_teach_nothing() {
    for tau in [0.1, 1.0] {
        let (loss, slope) = slopes(&[0.0], |s| exact(s, &[0.0], tau));
        assert!((loss[0] - std::f32::consts::LN_2).abs() < 1e-7, "{loss:?}");
        assert_eq!(slope[0], 0.0);
    }
}
