//! Sparse products and inner products along edges.

use crate::support::{Graph, assert_close, assert_same_on_any_number_of_threads, dot, graphs, row, table};
use crate::support::{wide, widths};
use equipoise_kernels::sparse::{
    Weighted, add_spmm_by_edge, edge_dots, spmm, spmm_and_sum, spmm_backward, spmm_by_edge, spmm_onto,
    two_by_edge,
};
use proptest::prelude::*;

/// `out_target = sum value x_source` over `(target, source)` pairs, in float64.
fn naive(n: usize, pairs: &[(usize, usize)], values: &[f32], x: &[f32], width: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * width];
    for (&(t, s), &value) in pairs.iter().zip(values) {
        for c in 0..width {
            out[t * width + c] += f64::from(value) * f64::from(x[s * width + c]);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spmm_is_the_sum_over_the_entries_and_overwrites(graph in graphs(), width in widths(), seed: u64) {
        let values = table(graph.n_edges(), seed);
        let x = table(graph.n_sources * width, seed ^ 1);
        let mut out = vec![f32::NAN; graph.n_targets * width];
        spmm(graph.rows(), &values, &x, width, &mut out);
        assert_close(&out, &naive(graph.n_targets, &graph.pairs(), &values, &x, width), 1e-5);
    }

    #[test]
    fn spmm_by_edge_is_the_transposed_product(graph in graphs(), width in widths(), seed: u64) {
        let values = table(graph.n_edges(), seed);
        let x = table(graph.n_targets * width, seed ^ 1);
        let mut out = vec![f32::NAN; graph.n_sources * width];
        let transposed = graph.by_source();
        spmm_by_edge(transposed.rows, transposed.edges, &values, &x, width, &mut out);
        let pairs: Vec<_> = graph.pairs().into_iter().map(|(t, s)| (s, t)).collect();
        assert_close(&out, &naive(graph.n_sources, &pairs, &values, &x, width), 1e-5);
    }

    #[test]
    fn the_transposed_product_can_be_added(graph in graphs(), width in widths(), seed: u64) {
        let values = table(graph.n_edges(), seed);
        let x = table(graph.n_targets * width, seed ^ 1);
        let base = table(graph.n_sources * width, seed ^ 2);
        let (mut out, transposed) = (base.clone(), graph.by_source());
        add_spmm_by_edge(transposed.rows, transposed.edges, &values, &x, width, &mut out);
        let pairs: Vec<_> = graph.pairs().into_iter().map(|(t, s)| (s, t)).collect();
        let product = naive(graph.n_sources, &pairs, &values, &x, width);
        let expected: Vec<f64> = base.iter().zip(product).map(|(&b, p)| f64::from(b) + p).collect();
        assert_close(&out, &expected, 1e-5);
    }

    #[test]
    fn two_transposed_products_are_their_sum(graph in graphs(), width in widths(), seed: u64) {
        let values = [table(graph.n_edges(), seed), table(graph.n_edges(), seed ^ 1)];
        let tables = [2, 3].map(|k| table(graph.n_targets * width, seed ^ k));
        let base = table(graph.n_sources * width, seed ^ 4);
        let pairs: Vec<_> = graph.pairs().into_iter().map(|(t, s)| (s, t)).collect();
        let product = |k: usize| naive(graph.n_sources, &pairs, &values[k], &tables[k], width);
        let sums: Vec<f64> = product(0).iter().zip(product(1)).map(|(a, b)| a + b).collect();
        let back = graph.by_source();
        let values = (values[0].as_slice(), values[1].as_slice());
        let tables = (tables[0].as_slice(), tables[1].as_slice());
        let mut out = vec![f32::NAN; base.len()];
        two_by_edge(back.rows, back.edges, values, tables, (width, false), &mut out);
        assert_close(&out, &sums, 1e-5);
        out.copy_from_slice(&base);
        two_by_edge(back.rows, back.edges, values, tables, (width, true), &mut out);
        let expected: Vec<f64> = base.iter().zip(sums).map(|(&b, p)| f64::from(b) + p).collect();
        assert_close(&out, &expected, 1e-5);
    }

    #[test]
    fn both_gradients_equal_the_inner_products_and_the_transposed_product(
        graph in graphs(),
        width in widths(),
        seed: u64,
    ) {
        let (t, s) = (graph.n_targets * width, graph.n_sources * width);
        let (values, x, grad) = (table(graph.n_edges(), seed), table(s, seed ^ 1), table(t, seed ^ 2));
        let (mut d_values, mut d_x) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; s]);
        let back = graph.by_source();
        let of = Weighted { back, values: &values, x: &x, width };
        spmm_backward(of, &grad, None, &mut d_values, &mut d_x);
        let (mut dots, mut product) = (vec![f32::NAN; graph.n_edges()], vec![f32::NAN; s]);
        edge_dots(graph.rows(), &grad, &x, width, &mut dots);
        spmm_by_edge(back.rows, back.edges, &values, &grad, width, &mut product);
        prop_assert_eq!((&d_values, &d_x), (&dots, &product));
        // Onto a base, with what was there before.
        let base = table(s, seed ^ 3);
        let mut sums = dots.clone();
        spmm_backward(of, &grad, Some(&base), &mut sums, &mut d_x);
        prop_assert_eq!(sums, dots.iter().map(|x| x + x).collect::<Vec<_>>());
        let onto = |(b, p): (&f32, &f32)| f64::from(*b) + f64::from(*p);
        assert_close(&d_x, &base.iter().zip(&product).map(onto).collect::<Vec<_>>(), 1e-5);
    }

    #[test]
    fn a_product_goes_onto_a_table_or_is_summed_with_it(graph in graphs(), width in widths(), seed: u64) {
        let (t, s) = (graph.n_targets * width, graph.n_sources * width);
        let (values, x, base) = (table(graph.n_edges(), seed), table(s, seed ^ 1), table(t, seed ^ 2));
        let [mut product, mut out, mut sum] = [(); 3].map(|()| vec![f32::NAN; t]);
        spmm(graph.rows(), &values, &x, width, &mut product);
        spmm_and_sum(graph.rows(), &values, &x, &base, width, (&mut out, &mut sum));
        prop_assert_eq!(&out, &product);
        prop_assert_eq!(&sum, &base.iter().zip(&product).map(|(b, p)| b + p).collect::<Vec<_>>());
        spmm_onto(graph.rows(), &values, &x, (0.5, &base), width, &mut out);
        let onto = |(b, p): (&f32, &f32)| 0.5 * f64::from(*b) + f64::from(*p);
        assert_close(&out, &base.iter().zip(&product).map(onto).collect::<Vec<_>>(), 1e-5);
    }

    #[test]
    fn edge_dots_are_inner_products_of_both_ends(graph in graphs(), width in widths(), seed: u64) {
        let targets = table(graph.n_targets * width, seed);
        let sources = table(graph.n_sources * width, seed ^ 1);
        let mut out = vec![f32::NAN; graph.n_edges()];
        edge_dots(graph.rows(), &targets, &sources, width, &mut out);
        let (targets, sources) = (wide(&targets), wide(&sources));
        let ends = graph.pairs().into_iter();
        let expected: Vec<f64> =
            ends.map(|(t, s)| dot(row(&targets, width, t), row(&sources, width, s))).collect();
        assert_close(&out, &expected, 1e-5);
    }
}

#[test]
fn a_column_sums_its_entries_in_order_whatever_the_width() {
    let graph = Graph::large();
    let values = table(graph.n_edges(), 3);
    let x = table(graph.n_sources * 71, 4);
    let mut out = vec![0.0; graph.n_targets * 71];
    spmm(graph.rows(), &values, &x, 71, &mut out);
    let mut sums = vec![0.0f32; graph.n_targets * 71];
    for ((t, s), value) in graph.pairs().into_iter().zip(&values) {
        for c in 0..71 {
            sums[t * 71 + c] += value * x[s * 71 + c];
        }
    }
    assert_eq!(out, sums);
}

#[test]
fn the_number_of_threads_does_not_show() {
    let graph = Graph::large();
    let (values, width) = (table(graph.n_edges(), 1), 64);
    let (targets, sources) = (table(graph.n_targets * width, 2), table(graph.n_sources * width, 3));
    assert_same_on_any_number_of_threads(|| {
        let mut out = vec![0.0; graph.n_targets * width];
        spmm(graph.rows(), &values, &sources, width, &mut out);
        out
    });
    assert_same_on_any_number_of_threads(|| {
        let mut out = vec![0.0; graph.n_sources * width];
        let transposed = graph.by_source();
        spmm_by_edge(transposed.rows, transposed.edges, &values, &targets, width, &mut out);
        out
    });
    assert_same_on_any_number_of_threads(|| {
        let mut out = vec![0.0; graph.n_edges()];
        edge_dots(graph.rows(), &targets, &sources, width, &mut out);
        out
    });
    assert_same_on_any_number_of_threads(|| {
        let (mut d_values, mut d_x) = (vec![0.0; graph.n_edges()], vec![0.0; sources.len()]);
        let of = Weighted { back: graph.by_source(), values: &values, x: &sources, width };
        spmm_backward(of, &targets, None, &mut d_values, &mut d_x);
        [d_values, d_x].concat()
    });
}

#[test]
#[should_panic(expected = "number of values")]
fn too_few_values_are_refused() {
    let graph = Graph::new(2, 2, vec![(0, 1), (1, 0)]);
    spmm(graph.rows(), &[1.0], &[0.0; 4], 2, &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "out of range")]
fn a_column_beyond_the_table_is_refused() {
    let graph = Graph::new(2, 3, vec![(0, 2), (1, 0)]);
    spmm(graph.rows(), &[1.0, 1.0], &[0.0; 16], 8, &mut [0.0; 16]);
}
