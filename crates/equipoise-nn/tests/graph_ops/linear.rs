//! Linear maps of rows, with and without what follows, and partition functions.

use crate::dense::Table;
use crate::support::{agree, numbers, table};
use burn::tensor::Tensor;
use equipoise_data::{Seed, Stream};
use equipoise_nn::functions;
use proptest::prelude::*;
use std::sync::Arc;

/// `x W^T + 1 b`, plus the tables that there are.
fn sums(t: &[Table]) -> Table {
    let (x, weight, bias) = (&t[0], &t[1], &t[2]);
    let mut out = Table::zeros(x.rows, weight.rows);
    for r in 0..x.rows {
        for c in 0..weight.rows {
            let product: f64 = x.row(r).iter().zip(weight.row(c)).map(|(x, w)| x * w).sum();
            out.values[r * weight.rows + c] = product + bias.values[c];
        }
    }
    for added in t.iter().skip(3) {
        out.values.iter_mut().zip(&added.values).for_each(|(sum, e)| *sum += e);
    }
    out
}

fn leaky(t: Table) -> Table {
    let values = t.values.iter().map(|x| if *x > 0.0 { *x } else { f64::from(0.01f32) * x }).collect();
    Table { values, ..t }
}

/// Multiples of 1/8 and biases halfway between two multiples of 1/64: no sum comes near the kink at 0.
fn away_from_the_kink(rows: usize, k: usize, d: usize, s: &mut Stream) -> [Table; 5] {
    let eighths =
        |t: Table| Table { values: t.values.iter().map(|x| (x * 8.0).round() / 8.0).collect(), ..t };
    let [x, weight, mut bias, first, second] =
        [(rows, k), (d, k), (1, d), (rows, d), (rows, d)].map(|(rows, width)| eighths(table(rows, width, s)));
    bias.values.iter_mut().for_each(|b| *b += 1.0 / 128.0);
    [x, weight, bias, first, second]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_linear_map_is_the_product_and_its_bias(rows in 1usize..9, k in 1usize..9, d in 1usize..9, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let [x, weight, bias, first, second] = away_from_the_kink(rows, k, d, &mut s);
        let clones = |t: &[Tensor<2>]| [t[0].clone(), t[1].clone(), t[2].clone()];
        let tables = [x, weight, bias];
        let run = |t: &[Tensor<2>]| {
            let [x, weight, bias] = clones(t);
            functions::affine(x, weight, bias)
        };
        agree(&tables, &mut s, run, sums);
        let run = |t: &[Tensor<2>]| {
            let [x, weight, bias] = clones(t);
            functions::affine_leaky(x, weight, bias)
        };
        agree(&tables, &mut s, run, |t| leaky(sums(t)));
        let [x, weight, bias] = tables;
        let run = |t: &[Tensor<2>]| {
            let [x, weight, bias] = clones(t);
            functions::affine_added_leaky(x, weight, bias, [t[3].clone(), t[4].clone()])
        };
        agree(&[x, weight, bias, first, second], &mut s, run, |t| leaky(sums(t)));
    }

    #[test]
    fn a_partition_function_is_the_logarithm_of_the_sum(rows in 1usize..9, others in 1usize..34, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (a, b, offsets) = (table(rows, 4, &mut s), table(others, 4, &mut s), numbers(others, &mut s));
        let offsets: Arc<[f32]> = offsets.into();
        let naive = |t: &[Table]| {
            let logit = |r: usize, s: usize| {
                t[0].row(r).iter().zip(t[1].row(s)).map(|(a, b)| a * b).sum::<f64>() + f64::from(offsets[s])
            };
            let of_row = |r: usize| (0..t[1].rows).map(|s| logit(r, s).exp()).sum::<f64>().ln();
            Table::column((0..t[0].rows).map(of_row).collect())
        };
        agree(&[a, b], &mut s, |t| functions::log_partition(t[0].clone(), t[1].clone(), &offsets), naive);
    }
}
