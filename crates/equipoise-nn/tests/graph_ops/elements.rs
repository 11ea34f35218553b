//! Activations, gates and row normalisation.

use crate::dense::Table;
use crate::support::{agree, leaf, table, vector};
use burn::tensor::Tensor;
use equipoise_data::Seed;
use equipoise_nn::functions;
use proptest::prelude::*;

/// The same rows divided by their norms; rows that were zero stay so whatever is added to them.
pub fn normalised(t: &Table, zero: &[bool]) -> Table {
    let mut out = t.clone();
    for (row, zero) in out.values.chunks_mut(t.width).zip(zero) {
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.iter_mut().for_each(|x| *x = if *zero { 0.0 } else { *x / norm });
    }
    out
}

fn each(t: &Table, f: impl Fn(f64) -> f64) -> Table {
    Table { values: t.values.iter().map(|x| f(*x)).collect(), ..*t }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn normalised_rows_are_rows_over_their_norms(rows in 1usize..9, width in 1usize..34, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let mut x = table(rows, width, &mut s);
        let zero: Vec<bool> = (0..rows).map(|_| s.unit() < 0.3).collect();
        for (row, zero) in x.values.chunks_mut(width).zip(&zero) {
            // Away from zero, where the derivative is not one.
            row[0] = if *zero { 0.0 } else { row[0].signum() * (0.25 + row[0].abs()) };
            row[1..].iter_mut().filter(|_| *zero).for_each(|x| *x = 0.0);
        }
        // Float32 rounds the shifted entries.
        x = each(&x, |x| f64::from(x as f32));
        agree(&[x], &mut s, |t| functions::normalise_rows(t[0].clone()), |t| normalised(&t[0], &zero));
    }

    #[test]
    fn gated_rows_are_their_formula(rows in 1usize..9, width in 1usize..34, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let tables = [width, 1, width, width].map(|width| table(rows, width, &mut s));
        let run = |t: &[Tensor<2>]| functions::gated(t[0].clone(), t[1].clone(), t[2].clone(), t[3].clone());
        agree(&tables, &mut s, run, |t| {
            let mut out = t[0].clone();
            for (at, x) in out.values.iter_mut().enumerate() {
                *x *= t[1].values[at / width] * t[2].values[at] + t[3].values[at];
            }
            out
        });
    }

    #[test]
    fn activations_are_their_formulas(rows in 1usize..9, width in 1usize..34, seed: u64) {
        type Pair = (fn(Tensor<2>) -> Tensor<2>, fn(f64) -> f64);
        let pairs: [Pair; 3] = [
            (functions::leaky_relu, |x| if x > 0.0 { x } else { f64::from(0.01f32) * x }),
            (functions::sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (functions::tanh, f64::tanh),
        ];
        let mut s = Seed(seed).stream("test");
        // Beyond 0.02 of the kink at zero, up to 8.
        let x = each(&table(rows, width, &mut s), |x| f64::from((8.0 * (x + 0.0025 * x.signum())) as f32));
        for (run, formula) in pairs {
            agree(std::slice::from_ref(&x), &mut s, |t| run(t[0].clone()), |t| each(&t[0], formula));
        }
    }
}

/// Value and slope of `f` at each of `x`.
fn slopes(f: fn(Tensor<2>) -> Tensor<2>, x: &[f64]) -> (Vec<f32>, Vec<f32>) {
    let x = leaf(&Table::column(x.to_vec()));
    let out = f(x.clone());
    let gradients = out.clone().sum().backward();
    (vector(out.inner()), vector(x.grad(&gradients).unwrap()))
}

#[test]
fn a_leaky_relu_has_its_lower_slope_at_zero() {
    assert_eq!(
        slopes(functions::leaky_relu, &[0.0, 2.0, -2.0]),
        (vec![0.0, 2.0, -0.02], vec![0.01, 1.0, 0.01])
    );
}

#[test]
fn far_out_sigmoid_and_tanh_are_flat_and_finite() {
    let far = [-1e4, -200.0, 200.0, 1e4];
    assert_eq!(slopes(functions::sigmoid, &far), (vec![0.0, 0.0, 1.0, 1.0], vec![0.0; 4]));
    assert_eq!(slopes(functions::tanh, &far), (vec![-1.0, -1.0, 1.0, 1.0], vec![0.0; 4]));
}

#[test]
fn a_row_below_the_least_norm_gets_no_gradient() {
    let x = leaf(&Table { rows: 3, width: 2, values: vec![0.0, 0.0, 5e-13, 0.0, 3.0, 4.0] });
    let out = functions::normalise_rows(x.clone());
    let gradients = (out.clone() * crate::support::tensor(&[1.0; 6], [3, 2])).sum().backward();
    assert_eq!(vector(out.inner()), [0.0, 0.0, 0.5, 0.0, 0.6, 0.8]);
    let found = vector(x.grad(&gradients).unwrap());
    assert_eq!(found[..4], [0.0; 4]);
    // (g - y <y, g>) / ||x|| with y = (0.6, 0.8), <y, g> = 1.4.
    crate::support::close("gradient", &found[4..], &[0.16 / 5.0, -0.12 / 5.0]);
}
