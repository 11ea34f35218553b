//! Edge attention and its gradients.

use crate::softmax;
use crate::support::{Graph, assert_close, assert_same_on_any_number_of_threads, differences, dot, graphs};
use crate::support::{row, table, wide, widths};
use equipoise_kernels::attention::{Attention, AttentionGradients, attend, attend_backward};
use proptest::prelude::*;

/// Queries, keys and values of random numbers.
struct Tables {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    width: usize,
}

impl Tables {
    fn new(graph: &Graph, width: usize, seed: u64) -> Tables {
        let (t, s) = (graph.n_targets * width, graph.n_sources * width);
        Tables { q: table(t, seed), k: table(s, seed ^ 1), v: table(s, seed ^ 2), width }
    }

    fn slices(&self) -> Attention<'_> {
        Attention { q: &self.q, k: &self.k, v: &self.v, more: &[], width: self.width, residual: false }
    }

    fn attend(&self, graph: &Graph) -> (Vec<f32>, Vec<f32>) {
        let (mut alpha, mut out) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; self.q.len()]);
        attend(graph.rows(), self.slices(), &mut alpha, &mut out);
        (alpha, out)
    }

    /// `[d_q, d_k, d_v]`.
    fn backward(&self, graph: &Graph, alpha: &[f32], grad: &[f32]) -> [Vec<f32>; 3] {
        let [mut q, mut k, mut v] = [&self.q, &self.k, &self.v].map(|x| vec![f32::NAN; x.len()]);
        let gradients = AttentionGradients { q: &mut q, k: &mut k, v: &mut v };
        attend_backward(graph.rows(), graph.by_source(), self.slices(), alpha, grad, gradients);
        [q, k, v]
    }
}

/// The definition in float64: weights and outputs.
fn naive(graph: &Graph, q: &[f64], k: &[f64], v: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    let pairs = graph.pairs();
    let logits: Vec<f64> = pairs.iter().map(|&(t, s)| dot(row(q, width, t), row(k, width, s))).collect();
    let alpha = softmax::naive(graph.indptr(), &logits);
    let mut out = vec![0.0; q.len()];
    for (&(t, s), alpha) in pairs.iter().zip(&alpha) {
        (0..width).for_each(|c| out[t * width + c] += alpha * v[s * width + c]);
    }
    (alpha, out)
}

/// The gradients by their formulas in float64.
fn naive_backward(graph: &Graph, tables: &Tables, alpha: &[f32], grad: &[f32]) -> [Vec<f64>; 3] {
    let [q, k, v, alpha, grad] = [&tables.q, &tables.k, &tables.v, alpha, grad].map(wide);
    let (width, pairs) = (tables.width, graph.pairs());
    let d_alpha: Vec<f64> =
        pairs.iter().map(|&(t, s)| dot(row(&grad, width, t), row(&v, width, s))).collect();
    let d_logits = softmax::naive_backward(graph.indptr(), &alpha, &d_alpha);
    let [mut d_q, mut d_k, mut d_v] = [&q, &k, &v].map(|x| vec![0.0; x.len()]);
    for (e, &(t, s)) in pairs.iter().enumerate() {
        for c in 0..width {
            let (to, from) = (t * width + c, s * width + c);
            d_q[to] += d_logits[e] * k[from];
            d_k[from] += d_logits[e] * q[to];
            d_v[from] += alpha[e] * grad[to];
        }
    }
    [d_q, d_k, d_v]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outputs_are_means_of_values_by_softmax_of_inner_products(
        graph in graphs(),
        width in widths(),
        seed: u64,
    ) {
        let tables = Tables::new(&graph, width, seed);
        let (alpha, out) = tables.attend(&graph);
        let [q, k, v] = [&tables.q, &tables.k, &tables.v].map(|x| wide(x));
        let (expected_alpha, expected) = naive(&graph, &q, &k, &v, width);
        assert_close(&alpha, &expected_alpha, 1e-5);
        assert_close(&out, &expected, 1e-5);
    }

    #[test]
    fn gradients_follow_their_formulas(graph in graphs(), width in widths(), seed: u64) {
        let tables = Tables::new(&graph, width, seed);
        let (alpha, _) = tables.attend(&graph);
        let grad = table(tables.q.len(), seed ^ 3);
        let expected = naive_backward(&graph, &tables, &alpha, &grad);
        for (found, expected) in tables.backward(&graph, &alpha, &grad).iter().zip(&expected) {
            assert_close(found, expected, 2e-5);
        }
    }

    #[test]
    fn sources_of_two_tables_are_those_of_one(graph in graphs(), width in widths(), cut in 0usize..9, seed: u64) {
        let (q, told) = (table(graph.n_targets * width, seed), table(graph.n_sources * width, seed ^ 1));
        let (near, far) = told.split_at(cut.min(graph.n_sources) * width);
        let run = |k: &[f32], more: &[f32]| {
            let tables = Attention { q: &q, k, v: k, more, width, residual: false };
            let (mut alpha, mut out) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; q.len()]);
            attend(graph.rows(), tables, &mut alpha, &mut out);
            let (mut d_q, mut d_told) = (vec![f32::NAN; q.len()], vec![f32::NAN; told.len()]);
            let gradients = AttentionGradients { q: &mut d_q, k: &mut d_told, v: &mut [] };
            // Without near sources an empty gradient would mean another thing.
            if !told.is_empty() && !k.is_empty() {
                attend_backward(graph.rows(), graph.by_source(), tables, &alpha, &out, gradients);
            }
            (alpha, out, d_q, d_told)
        };
        let (alpha, out, ..) = run(&told, &[]);
        let apart = run(near, far);
        prop_assert_eq!((&alpha, &out), (&apart.0, &apart.1));
        if !near.is_empty() {
            prop_assert_eq!(run(&told, &[]), apart);
        }
    }

    #[test]
    fn queries_that_are_the_near_sources_get_all_gradients_at_once(
        graph in graphs(),
        width in widths(),
        seed: u64,
    ) {
        prop_assume!(graph.n_targets <= graph.n_sources);
        let told = table(graph.n_sources * width, seed);
        let (near, far) = told.split_at(graph.n_targets * width);
        let tables = Attention { q: near, k: near, v: near, more: far, width, residual: false };
        let (mut alpha, mut out) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; near.len()]);
        attend(graph.rows(), tables, &mut alpha, &mut out);
        let grad = table(near.len(), seed ^ 3);
        let mut sum = vec![f32::NAN; told.len()];
        let gradients = AttentionGradients { q: &mut sum, k: &mut [], v: &mut [] };
        attend_backward(graph.rows(), graph.by_source(), tables, &alpha, &grad, gradients);
        let apart = Tables { q: near.to_vec(), k: told.clone(), v: told.clone(), width };
        let [d_q, mut d_k, d_v] = naive_backward(&graph, &apart, &alpha, &grad);
        for (sum, part) in d_k.iter_mut().zip(d_v) {
            *sum += part;
        }
        d_k.iter_mut().zip(d_q).for_each(|(sum, part)| *sum += part);
        assert_close(&sum, &d_k, 2e-5);
    }

    #[test]
    fn a_residual_is_the_query_and_its_gradient(graph in graphs(), width in widths(), seed: u64) {
        let tables = Tables::new(&graph, width, seed);
        let (alpha, out) = tables.attend(&graph);
        let residual = Attention { residual: true, ..tables.slices() };
        let (mut same, mut sum) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; out.len()]);
        attend(graph.rows(), residual, &mut same, &mut sum);
        prop_assert_eq!(&alpha, &same);
        let expected: Vec<f64> = out.iter().zip(&tables.q).map(|(o, q)| f64::from(*o) + f64::from(*q)).collect();
        assert_close(&sum, &expected, 1e-5);
        let grad = table(out.len(), seed ^ 3);
        let [d_q, d_k, d_v] = tables.backward(&graph, &alpha, &grad);
        let [mut q, mut k, mut v] = [&tables.q, &tables.k, &tables.v].map(|x| vec![f32::NAN; x.len()]);
        let gradients = AttentionGradients { q: &mut q, k: &mut k, v: &mut v };
        attend_backward(graph.rows(), graph.by_source(), residual, &alpha, &grad, gradients);
        let expected: Vec<f64> = d_q.iter().zip(&grad).map(|(d, g)| f64::from(*d) + f64::from(*g)).collect();
        assert_close(&q, &expected, 2e-5);
        prop_assert_eq!((k, v), (d_k, d_v));
    }

    #[test]
    fn an_empty_slice_has_its_gradient_added_to_the_one_before(graph in graphs(), width in widths(), seed: u64) {
        let tables = Tables::new(&graph, width, seed);
        let (alpha, _) = tables.attend(&graph);
        let grad = table(tables.q.len(), seed ^ 3);
        let [d_q, d_k, d_v] = naive_backward(&graph, &tables, &alpha, &grad);
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let backward = |q: &mut [f32], k: &mut [f32]| {
            let gradients = AttentionGradients { q, k, v: &mut [] };
            attend_backward(graph.rows(), graph.by_source(), tables.slices(), &alpha, &grad, gradients);
        };
        let [mut q, mut k] = [&tables.q, &tables.k].map(|x| vec![f32::NAN; x.len()]);
        backward(&mut q, &mut k);
        assert_close(&q, &d_q, 2e-5);
        assert_close(&k, &sum(&d_k, &d_v), 2e-5);
        if q.len() == k.len() {
            backward(&mut q, &mut []);
            assert_close(&q, &sum(&d_q, &sum(&d_k, &d_v)), 2e-5);
        }
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss(graph in graphs(), seed: u64) {
        let width = 3;
        let tables = Tables::new(&graph, width, seed);
        let (alpha, _) = tables.attend(&graph);
        let grad = table(tables.q.len(), seed ^ 3);
        let [q, k, v, weights] = [&tables.q, &tables.k, &tables.v, &grad].map(|x| wide(x));
        let loss = |q: &[f64], k: &[f64], v: &[f64]| dot(&naive(&graph, q, k, v, width).1, &weights);
        let [d_q, d_k, d_v] = tables.backward(&graph, &alpha, &grad);
        assert_close(&d_q, &differences(&q, |q| loss(q, &k, &v)), 2e-5);
        assert_close(&d_k, &differences(&k, |k| loss(&q, k, &v)), 2e-5);
        assert_close(&d_v, &differences(&v, |v| loss(&q, &k, v)), 2e-5);
    }

    #[test]
    fn equal_keys_give_each_source_the_same_weight(graph in graphs(), width in widths(), seed: u64) {
        let mut tables = Tables::new(&graph, width, seed);
        let key = table(width, seed ^ 4);
        tables.k = key.repeat(graph.n_sources);
        let (alpha, _) = tables.attend(&graph);
        for bounds in graph.indptr().windows(2) {
            let equal = 1.0 / (bounds[1] - bounds[0]) as f32;
            alpha[bounds[0]..bounds[1]].iter().for_each(|a| assert!((a - equal).abs() <= f32::EPSILON * equal));
        }
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let graph = Graph::large();
    let tables = Tables::new(&graph, 64, 9);
    let grad = table(tables.q.len(), 10);
    assert_same_on_any_number_of_threads(|| {
        let (mut all, out) = tables.attend(&graph);
        let gradients = tables.backward(&graph, &all, &grad);
        all.extend(out);
        all.extend(gradients.concat());
        all
    });
}

#[test]
fn many_tasks_compute_what_one_loop_does() {
    let graph = Graph::large();
    let tables = Tables::new(&graph, 16, 11);
    let (alpha, out) = tables.attend(&graph);
    let [q, k, v] = [&tables.q, &tables.k, &tables.v].map(|x| wide(x));
    assert_close(&out, &naive(&graph, &q, &k, &v, 16).1, 1e-5);
    let grad = table(tables.q.len(), 12);
    let expected = naive_backward(&graph, &tables, &alpha, &grad);
    for (found, expected) in tables.backward(&graph, &alpha, &grad).iter().zip(&expected) {
        assert_close(found, expected, 1e-4);
    }
}
