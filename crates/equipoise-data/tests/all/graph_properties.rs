//! What the normalisations promise, on random graphs with isolated users and items.

use equipoise_data::Interactions;
use equipoise_data::graph::{Bipartite, Csr, Normalisation};
use proptest::prelude::*;

const USERS: usize = 7;
const ITEMS: usize = 6;
const NODES: usize = USERS + ITEMS;

fn graph() -> impl Strategy<Value = Bipartite> {
    // The last user and the last item are always isolated.
    let (users, items) = (USERS as u32 - 1, ITEMS as u32 - 1);
    prop::collection::vec((0..users, 0..items), 0..40)
        .prop_map(|pairs| Bipartite::new(&Interactions::from_pairs(USERS, ITEMS, &pairs).0))
}

fn dense(matrix: &Csr) -> Vec<[f32; NODES]> {
    let mut rows = vec![[0.0; NODES]; NODES];
    for (n, row) in rows.iter_mut().enumerate() {
        matrix.row(n).for_each(|(column, value)| row[column as usize] += value);
    }
    rows
}

fn spmm_naive(matrix: &Csr, x: &[f32]) -> Vec<f32> {
    let row = |n| matrix.row(n).map(|(column, value)| value * x[column as usize]).sum();
    (0..matrix.n()).map(row).collect()
}

/// The definition, from the dense adjacency.
fn by_definition(graph: &Bipartite, normalisation: Normalisation) -> Vec<[f32; NODES]> {
    let mut a = vec![[0.0f64; NODES]; NODES];
    for (n, row) in a.iter_mut().enumerate() {
        graph.neighbours(n).iter().for_each(|&m| row[m as usize] = 1.0);
        row[n] += f64::from(u8::from(normalisation == Normalisation::RwPlus));
    }
    let degree: Vec<f64> = a.iter().map(|row| row.iter().sum()).collect();
    let value = |n: usize, m: usize| match normalisation {
        _ if a[n][m] == 0.0 => 0.0,
        Normalisation::Sym => a[n][m] / degree[n].sqrt() / degree[m].sqrt(),
        _ => a[n][m] / degree[n],
    };
    (0..NODES).map(|n| std::array::from_fn(|m| value(n, m) as f32)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_follow_the_definition(graph in graph()) {
        for normalisation in Normalisation::ALL {
            let matrix = graph.normalised(normalisation);
            let expected = by_definition(&graph, normalisation);
            for (found, expected) in dense(&matrix).iter().flatten().zip(expected.iter().flatten()) {
                prop_assert!((found - expected).abs() <= f32::EPSILON, "{found} {expected}");
            }
            for n in 0..NODES {
                prop_assert!(matrix.row(n).map(|e| e.0).is_sorted_by(|a, b| a < b));
            }
        }
    }

    #[test]
    fn rows_sum_to_one_under_rw_plus_and_for_connected_nodes_under_rw(graph in graph()) {
        let ones = [1.0; NODES];
        let plus = spmm_naive(&graph.normalised(Normalisation::RwPlus), &ones);
        let plain = spmm_naive(&graph.normalised(Normalisation::Rw), &ones);
        for n in 0..NODES {
            prop_assert!((plus[n] - 1.0).abs() < 1e-6);
            let expected = if graph.degree(n) == 0 { 0.0 } else { 1.0 };
            prop_assert!((plain[n] - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn sym_is_symmetric_to_the_last_bit(graph in graph()) {
        let matrix = graph.normalised(Normalisation::Sym);
        prop_assert_eq!(&matrix.transposed(), &matrix);
    }

    #[test]
    fn isolated_nodes_have_empty_rows_except_for_their_loop(graph in graph()) {
        for normalisation in Normalisation::ALL {
            let matrix = graph.normalised(normalisation);
            for n in (0..NODES).filter(|&n| graph.degree(n) == 0) {
                let row: Vec<_> = matrix.row(n).collect();
                match normalisation {
                    Normalisation::RwPlus => prop_assert_eq!(row, vec![(n as u32, 1.0)]),
                    _ => prop_assert!(row.is_empty()),
                }
            }
        }
    }

    #[test]
    fn the_user_block_is_the_upper_right_corner(graph in graph()) {
        for normalisation in Normalisation::ALL {
            let (whole, block) = (dense(&graph.normalised(normalisation)), graph.user_block(normalisation));
            prop_assert_eq!((block.n(), block.n_columns()), (USERS, ITEMS));
            for (u, whole) in whole.iter().take(USERS).enumerate() {
                let mut row = [0.0; ITEMS];
                block.row(u).for_each(|(item, value)| row[item as usize] += value);
                prop_assert_eq!(&row, &whole[USERS..]);
            }
            let transposed = block.transposed();
            prop_assert_eq!((transposed.n(), transposed.n_columns()), (ITEMS, USERS));
            prop_assert_eq!(transposed.transposed(), block);
        }
    }

    #[test]
    fn the_transpose_swaps_rows_and_columns(graph in graph()) {
        let matrix = graph.normalised(Normalisation::RwPlus);
        let transposed = matrix.transposed();
        let (rows, columns) = (dense(&matrix), dense(&transposed));
        for n in 0..NODES {
            prop_assert!(transposed.row(n).map(|e| e.0).is_sorted());
            for m in 0..NODES {
                prop_assert_eq!(rows[n][m], columns[m][n]);
            }
        }
        prop_assert_eq!(transposed.transposed(), matrix);
    }

    #[test]
    fn the_matrix_of_some_rows_has_those_rows(graph in graph(), rows in prop::collection::vec(0..NODES as u32, 0..20)) {
        let matrix = graph.normalised(Normalisation::Sym);
        let some = matrix.of_rows(&rows);
        prop_assert_eq!((some.n(), some.n_columns()), (rows.len(), NODES));
        for (at, &row) in rows.iter().enumerate() {
            prop_assert!(some.row(at).eq(matrix.row(row as usize)), "{at} is {row}");
        }
    }
}
