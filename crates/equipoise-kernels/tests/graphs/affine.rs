//! Rows through a linear map and a leaky ReLU.

use crate::support::{assert_close, assert_same_on_any_number_of_threads, dot, row, table, wide};
use equipoise_kernels::affine::{Affine, AffineGradients, affine, affine_backward};
use proptest::prelude::*;

const SLOPE: f32 = 0.01;

struct Case {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// What may be added: the second table only after the first.
    added: [Vec<f32>; 2],
    grad: Vec<f32>,
    k: usize,
    d: usize,
}

impl Case {
    fn new(n: usize, k: usize, d: usize, seed: u64) -> Case {
        let [x, weight, bias] = [(n * k, 0), (d * k, 1), (d, 2)].map(|(len, s)| table(len, seed ^ s));
        let added = [3, 5].map(|s| table(n * d, seed ^ s));
        Case { x, weight, bias, added, grad: table(n * d, seed ^ 4), k, d }
    }

    fn map(&self, leaky: bool) -> Affine<'_> {
        Affine { weight: &self.weight, bias: &self.bias, slope: leaky.then_some(SLOPE) }
    }

    /// With so many tables added.
    fn forward(&self, leaky: bool, adds: usize) -> Vec<f32> {
        let mut y = vec![f32::NAN; self.grad.len()];
        let added: Vec<&[f32]> = self.added[..adds].iter().map(Vec::as_slice).collect();
        affine(self.map(leaky), &self.x, &added, &mut y);
        y
    }

    /// Gradients of `x`, weight, bias and what is added.
    fn backward(&self, leaky: bool, y: &[f32]) -> [Vec<f32>; 4] {
        let lengths = [self.x.len(), self.weight.len(), self.bias.len(), self.grad.len()];
        let [mut x, mut weight, mut bias, mut added] = lengths.map(|n| vec![f32::NAN; n]);
        let gradients =
            AffineGradients { x: &mut x, weight: &mut weight, bias: &mut bias, added: &mut added };
        affine_backward(self.map(leaky), &self.x, y, &self.grad, gradients);
        [x, weight, bias, added]
    }

    fn naive(&self, leaky: bool, adds: usize) -> Vec<f64> {
        let [x, weight, bias] = [&self.x, &self.weight, &self.bias].map(|t| wide(t));
        let value = |at: usize| {
            let (r, c) = (at / self.d, at % self.d);
            let sum = dot(row(&x, self.k, r), row(&weight, self.k, c)) + bias[c];
            let sum = sum + self.added[..adds].iter().map(|e| f64::from(e[at])).sum::<f64>();
            if leaky && sum <= 0.0 { f64::from(SLOPE) * sum } else { sum }
        };
        (0..self.grad.len()).map(value).collect()
    }

    fn naive_backward(&self, leaky: bool, y: &[f32]) -> [Vec<f64>; 4] {
        let (x, weight) = (wide(&self.x), wide(&self.weight));
        let slope = |y: &f32| if leaky && *y <= 0.0 { f64::from(SLOPE) } else { 1.0 };
        let g: Vec<f64> = self.grad.iter().zip(y).map(|(g, y)| f64::from(*g) * slope(y)).collect();
        let [mut d_x, mut d_weight, mut d_bias] = [x.len(), weight.len(), self.d].map(|n| vec![0.0; n]);
        for (at, g) in g.iter().enumerate() {
            let (r, c) = (at / self.d, at % self.d);
            d_bias[c] += g;
            for i in 0..self.k {
                d_x[r * self.k + i] += g * weight[c * self.k + i];
                d_weight[c * self.k + i] += g * x[r * self.k + i];
            }
        }
        [d_x, d_weight, d_bias, g]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn outputs_and_gradients_are_those_of_the_formulas(
        n in prop_oneof![0usize..6, 250usize..260, 4090usize..4100],
        k in 1usize..9,
        d in 1usize..9,
        leaky: bool,
        adds in 0usize..3,
        seed: u64,
    ) {
        let case = Case::new(n, k, d, seed);
        let y = case.forward(leaky, adds);
        assert_close(&y, &case.naive(leaky, adds), 1e-5);
        for (found, expected) in case.backward(leaky, &y).iter().zip(case.naive_backward(leaky, &y)) {
            assert_close(found, &expected, 1e-4);
        }
    }
}

#[test]
fn gradients_not_wanted_are_left_out_and_change_no_other() {
    let case = Case::new(300, 5, 4, 1);
    let y = case.forward(true, 2);
    let (mut weight, mut bias) = (vec![f32::NAN; 20], vec![f32::NAN; 4]);
    let gradients = AffineGradients { x: &mut [], weight: &mut weight, bias: &mut bias, added: &mut [] };
    affine_backward(case.map(true), &case.x, &y, &case.grad, gradients);
    let [_, all_weight, all_bias, _] = case.backward(true, &y);
    assert_eq!((weight, bias), (all_weight, all_bias));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let case = Case::new(9000, 16, 8, 2);
    assert_same_on_any_number_of_threads(|| case.forward(true, 2));
    let y = case.forward(true, 2);
    assert_same_on_any_number_of_threads(|| case.backward(true, &y).concat());
}
