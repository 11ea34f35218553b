//! Partition functions of inner products.

use crate::support::{
    assert_close, assert_same_on_any_number_of_threads, differences, dot, row, table, wide, widths,
};
use equipoise_kernels::partition::{PartitionOperands, log_partition, log_partition_backward};
use proptest::prelude::*;

struct Tables {
    a: Vec<f32>,
    b: Vec<f32>,
    offsets: Vec<f32>,
    width: usize,
}

impl Tables {
    fn new([n, m, width]: [usize; 3], seed: u64) -> Tables {
        Tables {
            a: table(n * width, seed),
            b: table(m * width, seed ^ 1),
            offsets: table(m, seed ^ 2),
            width,
        }
    }

    fn rows(&self) -> PartitionOperands<'_> {
        PartitionOperands { a: &self.a, b: &self.b, offsets: &self.offsets, width: self.width }
    }

    fn forward(&self) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.a.len() / self.width];
        log_partition(self.rows(), &mut out);
        out
    }

    fn backward(&self, out: &[f32], grad: &[f32]) -> [Vec<f32>; 2] {
        let [mut d_a, mut d_b] = [&self.a, &self.b].map(|x| vec![f32::NAN; x.len()]);
        log_partition_backward(self.rows(), out, grad, &mut d_a, &mut d_b);
        [d_a, d_b]
    }
}

fn naive(a: &[f64], b: &[f64], offsets: &[f64], width: usize) -> Vec<f64> {
    let terms = |a: &[f64]| -> f64 {
        offsets.iter().enumerate().map(|(s, o)| (dot(a, row(b, width, s)) + o).exp()).sum()
    };
    a.chunks_exact(width).map(|a| terms(a).ln()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_follow_the_definition(n in 0usize..140, m in 1usize..40, width in widths(), seed: u64) {
        let tables = Tables::new([n, m, width], seed);
        let [a, b, offsets] = [&tables.a, &tables.b, &tables.offsets].map(|x| wide(x));
        assert_close(&tables.forward(), &naive(&a, &b, &offsets, width), 1e-5);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss(n in 0usize..8, m in 1usize..8, seed: u64) {
        let tables = Tables::new([n, m, 3], seed);
        let grad = table(n, seed ^ 3);
        let [a, b, offsets, weights] = [&tables.a, &tables.b, &tables.offsets, &grad].map(|x| wide(x));
        let loss = |a: &[f64], b: &[f64]| dot(&naive(a, b, &offsets, 3), &weights);
        let [d_a, d_b] = tables.backward(&tables.forward(), &grad);
        assert_close(&d_a, &differences(&a, |a| loss(a, &b)), 1e-5);
        assert_close(&d_b, &differences(&b, |b| loss(&a, b)), 1e-5);
    }
}

#[test]
fn gradients_add_up_over_blocks_and_groups() {
    let (n, m, width) = (600, 70, 5);
    let tables = Tables::new([n, m, width], 4);
    let (out, grad) = (tables.forward(), table(n, 5));
    let mut expected = [vec![0.0; n * width], vec![0.0; m * width]];
    let [all_a, all_b] = [&tables.a, &tables.b].map(|x| wide(x));
    for r in 0..n {
        for s in 0..m {
            let (a, b) = (row(&all_a, width, r), row(&all_b, width, s));
            let p = (dot(a, b) + f64::from(tables.offsets[s]) - f64::from(out[r])).exp() * f64::from(grad[r]);
            for c in 0..width {
                expected[0][r * width + c] += p * b[c];
                expected[1][s * width + c] += p * a[c];
            }
        }
    }
    for (found, expected) in tables.backward(&out, &grad).iter().zip(&expected) {
        assert_close(found, expected, 2e-5);
    }
}

#[test]
fn large_inner_products_do_not_overflow() {
    let tables = Tables { a: vec![30.0, -30.0], b: vec![10.0, 10.0], offsets: vec![0.0, 1.0], width: 1 };
    let both = (1.0 + 1f64.exp()).ln();
    assert_close(&tables.forward(), &[300.0 + both, -300.0 + both], 1e-6);
}

#[test]
fn without_rows_there_is_nothing() {
    let empty = Tables { a: vec![1.0], b: vec![], offsets: vec![], width: 1 };
    assert_eq!(empty.forward(), [f32::NEG_INFINITY]);
    assert_eq!(empty.backward(&[f32::NEG_INFINITY], &[1.0]), [vec![0.0], vec![]]);
}

#[test]
fn the_number_of_threads_does_not_show() {
    let tables = Tables::new([900, 330, 20], 1);
    let grad = table(900, 2);
    assert_same_on_any_number_of_threads(|| {
        let mut out = tables.forward();
        let gradients = tables.backward(&out, &grad);
        out.extend(gradients.concat());
        out
    });
}
