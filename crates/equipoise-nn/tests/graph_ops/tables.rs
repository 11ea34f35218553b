//! Sums over layers, attention with additions, and whole tables joined, cut and added.

use crate::dense::{Table, matrix, softmax, weighted};
use crate::graphs::{edge_sets, matrices};
use crate::support::{agree, table};
use burn::tensor::Tensor;
use equipoise_data::graph::Edges;
use equipoise_data::{Seed, Stream};
use equipoise_nn::{Propagation, functions};
use proptest::prelude::*;
use std::sync::Arc;

fn sum(a: &Table, b: &Table, scale: f64) -> Table {
    let values = a.values.iter().zip(&b.values).map(|(a, b)| scale * (a + b)).collect();
    Table { values, ..*a }
}

fn stacked(a: &Table, b: &Table) -> Table {
    Table { rows: a.rows + b.rows, width: a.width, values: [a.values.clone(), b.values.clone()].concat() }
}

/// Edge sets between the same nodes.
fn among_nodes(s: &mut Stream) -> Vec<Arc<Edges>> {
    edge_sets(s).into_iter().filter(|e| e.n_targets() == e.n_sources()).collect()
}

/// The same edges, some of them from a second table of as many sources.
fn moved(edges: &Edges, s: &mut Stream) -> Arc<Edges> {
    let n = edges.n_sources() as u32;
    let sources = edges.sources().iter().map(|&source| if s.unit() < 0.5 { source + n } else { source });
    Arc::new(Edges::new(2 * edges.n_sources(), edges.indptr().to_vec(), sources.collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn layers_of_a_matrix_are_its_powers_by_their_coefficients(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for sparse in matrices(&mut s).into_iter().filter(|m| m.n() == m.n_columns()) {
            let (dense, x) = (matrix(&sparse), table(sparse.n(), width, &mut s));
            let propagation = Arc::new(Propagation::new(sparse));
            for coefficients in [&[0.5][..], &[1.0, 1.0, 2.0], &[0.25, 0.0, 1.0, 0.5]] {
                let run = |t: &[Tensor<2>]| functions::propagate_layers(&propagation, t[0].clone(), coefficients);
                agree(std::slice::from_ref(&x), &mut s, run, |t| {
                    let (mut power, mut out) = (t[0].clone(), Table::zeros(t[0].rows, width));
                    for c in coefficients {
                        let term = sum(&power, &Table::zeros(power.rows, width), f64::from(*c));
                        out = sum(&out, &term, 1.0);
                        power = dense.times(&power);
                    }
                    out
                });
            }
        }
    }

    #[test]
    fn layers_of_weighted_edges_are_powers_of_the_matrix_of_weights(
        width in 1usize..21,
        layers in 0usize..4,
        seed: u64,
    ) {
        let mut s = Seed(seed).stream("test");
        for e in among_nodes(&mut s) {
            let tables = [table(e.len(), 1, &mut s), table(e.n_sources(), width, &mut s)];
            // Without layers the weights are not read.
            let tables = if layers == 0 { &tables[1..] } else { &tables[..] };
            let ones = crate::support::tensor(&vec![1.0; e.len()], [e.len()]);
            agree(
                tables,
                &mut s,
                |t| match t {
                    [weights, x] => {
                        functions::weighted_layers(&e, weights.clone().reshape([e.len()]), x.clone(), layers)
                    }
                    _ => functions::weighted_layers(&e, ones.clone(), t[0].clone(), layers),
                },
                |t| {
                    let x = t.last().unwrap();
                    let a = weighted(&e, &t[0].values[..e.len().min(t[0].values.len())]);
                    let mut out = x.clone();
                    for _ in 0..layers {
                        out = sum(x, &a.times(&out), 1.0);
                    }
                    out
                },
            );
        }
    }

    #[test]
    fn residual_attention_is_attention_and_its_queries(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let tables = [e.n_targets(), e.n_sources()].map(|rows| table(rows, width, &mut s));
            let run = |t: &[Tensor<2>]| functions::residual_attention(&e, t[0].clone(), t[1].clone());
            let heard = |q: &Table, x: &Table| sum(q, &weighted(&e, &softmax(&e, q, x)).times(x), 1.0);
            agree(&tables, &mut s, run, |t| heard(&t[0], &t[1]));
            if e.n_targets() == e.n_sources() {
                let run = |t: &[Tensor<2>]| functions::residual_attention(&e, t[0].clone(), t[0].clone());
                agree(&tables[..1], &mut s, run, |t| heard(&t[0], &t[0]));
            }
        }
    }

    #[test]
    fn mixed_attention_is_attention_to_both_tables(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in among_nodes(&mut s) {
            let e = moved(&e, &mut s);
            let tables = [(); 2].map(|()| table(e.n_targets(), width, &mut s));
            let run = |t: &[Tensor<2>]| functions::mixed_attention(&e, t[0].clone(), t[1].clone());
            agree(&tables, &mut s, run, |t| {
                let told = stacked(&t[0], &t[1]);
                weighted(&e, &softmax(&e, &t[0], &told)).times(&told)
            });
        }
    }

    #[test]
    fn tables_are_joined_cut_and_blended(above in 0usize..9, below in 1usize..9, width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let tables = [above.max(1), below, below].map(|rows| table(rows, width, &mut s));
        agree(
            &tables[..2],
            &mut s,
            |t| functions::stack(t[0].clone(), t[1].clone()),
            |t| stacked(&t[0], &t[1]),
        );
        let rows = above.min(below - 1)..below;
        agree(
            &tables[1..2],
            &mut s,
            |t| functions::range_of_rows(t[0].clone(), rows.clone()),
            |t| {
                let values = t[0].values[rows.start * width..rows.end * width].to_vec();
                Table { rows: rows.len(), width, values }
            },
        );
        for scale in [1.0, 0.25] {
            agree(
                &tables[1..],
                &mut s,
                |t| functions::blend(t[0].clone(), t[1].clone(), scale),
                |t| sum(&t[0], &t[1], f64::from(scale)),
            );
        }
    }
}
