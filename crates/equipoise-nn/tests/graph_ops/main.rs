//! Operations over edges, activations and row normalisation: outputs and gradients against dense float64
//! computations, and each fast body against the generic one.

mod bodies;
mod dense;
mod edge_scalars;
mod elements;
mod graphs;
mod linear;
mod support;
mod tables;
mod views;

use dense::{Table, matrix, weighted};
use equipoise_data::Seed;
use equipoise_data::graph::Edges;
use equipoise_nn::{Propagation, functions};
use graphs::{edge_sets, matrices};
use proptest::prelude::*;
use std::sync::Arc;
use support::{agree, leaf, numbers, table, vector};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_product_with_a_sparse_matrix_is_one_with_the_dense_matrix(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for sparse in matrices(&mut s) {
            let (dense, x) = (matrix(&sparse), table(sparse.n_columns(), width, &mut s));
            let propagation = Arc::new(Propagation::new(sparse));
            agree(
                &[x],
                &mut s,
                |t| functions::propagate(&propagation, t[0].clone()),
                |t| dense.times(&t[0]),
            );
        }
    }

    #[test]
    fn a_weighted_sum_over_edges_is_a_product_with_the_matrix_of_weights(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [table(e.len(), 1, &mut s), table(e.n_sources(), width, &mut s)];
            agree(
                &tables,
                &mut s,
                |t| functions::propagate_weighted(&e, t[0].clone().reshape([e.len()]), t[1].clone()),
                |t| weighted(&e, &t[0].values).times(&t[1]),
            );
        }
    }

    #[test]
    fn a_softmax_over_edges_is_that_of_each_row_of_the_dense_logits(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [table(e.n_targets(), width, &mut s), table(e.n_sources(), width, &mut s)];
            agree(
                &tables,
                &mut s,
                |t| functions::edge_softmax(&e, t[0].clone(), t[1].clone()),
                |t| Table::column(dense::softmax(&e, &t[0], &t[1])),
            );
        }
    }

    #[test]
    fn attention_over_edges_is_dense_attention_where_there_are_edges(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [e.n_targets(), e.n_sources(), e.n_sources()].map(|rows| table(rows, width, &mut s));
            agree(
                &tables,
                &mut s,
                |t| functions::edge_attention(&e, t[0].clone(), t[1].clone(), t[2].clone()),
                |t| weighted(&e, &dense::softmax(&e, &t[0], &t[1])).times(&t[2]),
            );
        }
    }

    #[test]
    fn tables_that_are_one_and_the_same_get_the_sum_of_their_gradients(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [e.n_targets(), e.n_sources()].map(|rows| table(rows, width, &mut s));
            agree(
                &tables,
                &mut s,
                |t| functions::edge_attention(&e, t[0].clone(), t[1].clone(), t[1].clone()),
                |t| weighted(&e, &dense::softmax(&e, &t[0], &t[1])).times(&t[1]),
            );
            if e.n_targets() != e.n_sources() {
                continue;
            }
            agree(
                &tables[..1],
                &mut s,
                |t| functions::edge_attention(&e, t[0].clone(), t[0].clone(), t[0].clone()),
                |t| weighted(&e, &dense::softmax(&e, &t[0], &t[0])).times(&t[0]),
            );
            agree(
                &tables[..1],
                &mut s,
                |t| functions::edge_softmax(&e, t[0].clone(), t[0].clone()),
                |t| Table::column(dense::softmax(&e, &t[0], &t[0])),
            );
        }
    }

    /// Logits of a thousand, whose exponentials are beyond float32; eighths, so that they are exact there.
    #[test]
    fn large_logits_neither_overflow_nor_lose_digits(seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [e.n_targets(), e.n_sources()].map(|rows| {
                let mut t = table(rows, 5, &mut s);
                t.values.iter_mut().for_each(|x| *x = (*x * 160.0).round() / 8.0);
                t
            });
            let [q, k] = [&tables[0], &tables[1]].map(leaf);
            let found = vector(functions::edge_softmax(&e, q, k).inner());
            support::close("weights", &found, &dense::softmax(&e, &tables[0], &tables[1]));
            for t in 0..e.n_targets() {
                let into = &found[e.indptr()[t]..e.indptr()[t + 1]];
                prop_assert!(into.is_empty() || (into.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{into:?}");
            }
        }
    }

    #[test]
    fn a_target_without_edges_gets_exactly_zero_and_gives_no_gradient(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        // Targets 0 and 2 hear nothing, source 1 is heard by nobody.
        let e = Arc::new(Edges::new(3, vec![0, 0, 2, 2], vec![0, 2]));
        let [q, k, v] = [(); 3].map(|()| leaf(&table(3, width, &mut s)));
        let out = functions::edge_attention(&e, q.clone(), k.clone(), v.clone());
        let gradients = (out.clone() * support::tensor(&numbers(3 * width, &mut s), [3, width])).sum().backward();
        let row = |t: Vec<f32>, r: usize| t[r * width..][..width].to_vec();
        let zeros = vec![0.0; width];
        let out = vector(out.inner());
        prop_assert_eq!((row(out.clone(), 0), row(out, 2)), (zeros.clone(), zeros.clone()));
        let [d_q, d_k, d_v] = [q, k, v].map(|x| vector(x.grad(&gradients).unwrap()));
        prop_assert_eq!((row(d_q.clone(), 0), row(d_q, 2)), (zeros.clone(), zeros.clone()));
        prop_assert_eq!((row(d_k, 1), row(d_v, 1)), (zeros.clone(), zeros));
    }
}
