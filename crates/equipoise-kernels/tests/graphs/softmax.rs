//! Softmax over the edges of each row.

use crate::support::{Graph, assert_close, assert_same_on_any_number_of_threads, differences, dot};
use crate::support::{graphs, table, wide};
use equipoise_kernels::softmax::{segment_softmax, segment_softmax_backward};
use proptest::prelude::*;

/// The definition, in float64.
pub fn naive(indptr: &[usize], logits: &[f64]) -> Vec<f64> {
    let mut alpha = Vec::with_capacity(logits.len());
    for bounds in indptr.windows(2) {
        let row = &logits[bounds[0]..bounds[1]];
        let max = row.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let total: f64 = row.iter().map(|l| (l - max).exp()).sum::<f64>() + 1e-16;
        alpha.extend(row.iter().map(|l| (l - max).exp() / total));
    }
    alpha
}

/// `d_l = alpha (d_alpha - sum alpha d_alpha)`, in float64.
pub fn naive_backward(indptr: &[usize], alpha: &[f64], d_alpha: &[f64]) -> Vec<f64> {
    let mut out = Vec::with_capacity(alpha.len());
    for bounds in indptr.windows(2) {
        let (a, d) = (&alpha[bounds[0]..bounds[1]], &d_alpha[bounds[0]..bounds[1]]);
        let mean = dot(a, d);
        out.extend(a.iter().zip(d).map(|(a, d)| a * (d - mean)));
    }
    out
}

fn softmax(graph: &Graph, logits: &[f32]) -> Vec<f32> {
    let mut alpha = vec![f32::NAN; logits.len()];
    segment_softmax(graph.indptr(), logits, &mut alpha);
    alpha
}

fn backward(graph: &Graph, alpha: &[f32], d_alpha: &[f32]) -> Vec<f32> {
    let mut d_logits = vec![f32::NAN; alpha.len()];
    segment_softmax_backward(graph.indptr(), alpha, d_alpha, &mut d_logits);
    d_logits
}

fn logits(graph: &Graph, scale: f32, seed: u64) -> Vec<f32> {
    table(graph.n_edges(), seed).into_iter().map(|l| scale * l).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_follow_the_definition_and_sum_to_one(
        graph in graphs(),
        scale in prop::sample::select(vec![0.0f32, 1.0, 30.0, 1e4]),
        seed: u64,
    ) {
        let logits = logits(&graph, scale, seed);
        let alpha = softmax(&graph, &logits);
        assert_close(&alpha, &naive(graph.indptr(), &wide(&logits)), 2e-6);
        for bounds in graph.indptr().windows(2).filter(|b| b[0] < b[1]) {
            let total: f64 = alpha[bounds[0]..bounds[1]].iter().map(|&a| f64::from(a)).sum();
            prop_assert!((total - 1.0).abs() < 1e-6, "{total}");
        }
    }

    #[test]
    fn gradient_follows_the_formula_and_the_differences(graph in graphs(), seed: u64) {
        let (logits, grad) = (logits(&graph, 3.0, seed), table(graph.n_edges(), seed ^ 1));
        let alpha = softmax(&graph, &logits);
        let found = backward(&graph, &alpha, &grad);
        let (logits, grad) = (wide(&logits), wide(&grad));
        assert_close(&found, &naive_backward(graph.indptr(), &wide(&alpha), &grad), 1e-6);
        let slopes = differences(&logits, |l| dot(&naive(graph.indptr(), l), &grad));
        assert_close(&found, &slopes, 1e-5);
    }
}

#[test]
fn a_long_row_sums_to_one_too() {
    let graph = Graph::large();
    let alpha = softmax(&graph, &logits(&graph, 2.0, 5));
    let total: f64 = alpha[graph.indptr()[700]..graph.indptr()[701]].iter().map(|&a| f64::from(a)).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total}");
}

#[test]
fn the_number_of_threads_does_not_show() {
    let graph = Graph::large();
    assert_same_on_any_number_of_threads(|| {
        let mut alpha = softmax(&graph, &logits(&graph, 2.0, 5));
        let d_logits = backward(&graph, &alpha, &table(graph.n_edges(), 6));
        alpha.extend(d_logits);
        alpha
    });
}
