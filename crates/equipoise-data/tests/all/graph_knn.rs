//! Graphs of similar items against all similarities in float64.

use equipoise_data::Features;
use equipoise_data::graph::{Csr, Knn, knn};
use proptest::prelude::*;

fn features(width: usize, values: Vec<f32>) -> Features {
    Features::new(values.len() / width, width, values).expect("finite and of whole rows")
}

/// Numbers in `(-1, 1)`, the same for a seed.
fn random(rows: usize, width: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    };
    (0..rows * width).map(|_| next()).collect()
}

fn cosine(features: &Features, i: usize, j: usize) -> f64 {
    let dot = |i: usize, j: usize| -> f64 {
        features.row(i).iter().zip(&*features.row(j)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let norms = dot(i, i).sqrt() * dot(j, j).sqrt();
    if norms == 0.0 { 0.0 } else { dot(i, j) / norms }
}

fn row(knn: &Knn, i: usize) -> (&[u32], &[f32]) {
    let range = i * knn.k()..(i + 1) * knn.k();
    (&knn.neighbours()[range.clone()], &knn.similarities()[range])
}

/// Each row has the right similarities, and nothing clearly more similar was left out.
fn check(features: &Features, k: usize, knn: &Knn) {
    let items = features.rows();
    assert_eq!((knn.n_items(), knn.k()), (items, k.min(items)));
    assert_eq!((knn.neighbours().len(), knn.similarities().len()), (items * knn.k(), items * knn.k()));
    for i in 0..items {
        let (neighbours, similarities) = row(knn, i);
        assert!(neighbours.is_sorted_by(|a, b| a < b));
        for (&j, &similarity) in neighbours.iter().zip(similarities) {
            assert!((f64::from(similarity) - cosine(features, i, j as usize)).abs() < 1e-6);
        }
        let least = similarities.iter().fold(f32::INFINITY, |a, &b| a.min(b));
        for j in (0..items as u32).filter(|j| !neighbours.contains(j)) {
            assert!(cosine(features, i, j as usize) <= f64::from(least) + 1e-5, "{i} lacks {j}");
        }
    }
}

/// The normalised matrix of dense weights, by the definition in float64.
fn dense(knn: &Knn, weight: impl Fn(usize, usize, f32) -> f64) -> Vec<Vec<f64>> {
    let n = knn.n_items();
    let mut chosen = vec![vec![0.0; n]; n];
    for (i, out) in chosen.iter_mut().enumerate() {
        let (neighbours, similarities) = row(knn, i);
        neighbours.iter().zip(similarities).for_each(|(&j, &s)| out[j as usize] = weight(i, j as usize, s));
    }
    let degrees: Vec<f64> = chosen.iter().map(|row| row.iter().sum()).collect();
    let root = |degree: f64| if degree > 0.0 { degree.powf(-0.5) } else { 0.0 };
    let value = |i: usize, j: usize| root(degrees[i]) * chosen[i][j] * root(degrees[j]);
    (0..n).map(|i| (0..n).map(|j| value(i, j)).collect()).collect()
}

fn check_matrix(matrix: &Csr, expected: &[Vec<f64>]) {
    assert_eq!((matrix.n(), matrix.n_columns()), (expected.len(), expected.len()));
    for (i, expected) in expected.iter().enumerate() {
        let mut found = vec![0.0; expected.len()];
        matrix.row(i).for_each(|(j, value)| found[j as usize] = f64::from(value));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{found} {expected}");
        }
        assert!(matrix.row(i).all(|(_, value)| value.is_finite() && value != 0.0));
    }
}

/// Rows of random numbers, of few distinct numbers (ties, repeated rows) and zero rows, of very different norms.
fn catalogues() -> impl Strategy<Value = Features> {
    (1usize..40, 1usize..40, any::<u64>(), any::<bool>(), 0usize..6).prop_map(
        |(n, width, seed, coarse, zero)| {
            let mut values = random(n, width, seed);
            if coarse {
                values.iter_mut().for_each(|x| *x = x.round());
            }
            for (i, row) in values.chunks_exact_mut(width).enumerate() {
                let scale = [1.0, 1e-3, 1e4, 1e-42, 2e38][(i + zero) % 5];
                row.iter_mut().for_each(|x| *x *= if (i + 1) % 6 == zero { 0.0 } else { scale });
            }
            features(width, values)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neighbours_are_the_most_similar_items(features in catalogues(), k in 1usize..50) {
        let knn = knn(&features, k);
        check(&features, k, &knn);
        check_matrix(&knn.weighted(), &dense(&knn, |_, _, similarity| f64::from(similarity)));
        let present = |i: usize| features.row(i).iter().any(|&x| x != 0.0);
        let edge = |i, j, _| if present(i) && present(j) { 1.0 } else { 0.0 };
        check_matrix(&knn.binary(), &dense(&knn, edge));
    }

    #[test]
    fn an_item_is_its_own_neighbour_unless_enough_equal_ones_come_before(features in catalogues()) {
        let knn = knn(&features, 3);
        for i in (0..features.rows()).filter(|&i| features.row(i).iter().any(|&x| x != 0.0)) {
            let (neighbours, similarities) = row(&knn, i);
            let equal_before = neighbours.iter().zip(similarities).filter(|(j, s)| (**j as usize) < i && **s == 1.0);
            prop_assert!(neighbours.contains(&(i as u32)) || equal_before.count() == knn.k());
        }
    }
}

#[test]
fn catalogues_longer_than_a_block_are_searched_whole() {
    let features = features(5, random(1500, 5, 7));
    check(&features, 10, &knn(&features, 10));
}

#[test]
fn equal_items_are_preferred_by_index_wherever_they_stand() {
    // 3000 items that repeat seven: every item has hundreds of copies, in all blocks and places of blocks.
    let seven = random(7, 67, 1);
    let values = (0..3000).flat_map(|i| seven[i % 7 * 67..][..67].to_vec()).collect();
    let knn = knn(&features(67, values), 4);
    for i in 0..3000 {
        let first = (i % 7) as u32;
        assert_eq!(row(&knn, i), (&[first, first + 7, first + 14, first + 21][..], &[1.0; 4][..]));
    }
}

#[test]
fn equally_similar_items_are_preferred_by_index_wherever_they_stand() {
    // Item 0 has two copies of itself; all others are one other row: far ties across blocks of items.
    let two = random(2, 33, 5);
    let pick = |i: usize| usize::from(![0, 1200, 2999].contains(&i));
    let knn = knn(&features(33, (0..3000).flat_map(|i| two[pick(i) * 33..][..33].to_vec()).collect()), 5);
    for i in [0, 1200, 2999] {
        assert_eq!(row(&knn, i).0, [0, 1, 2, 1200, 2999]);
    }
    assert_eq!(row(&knn, 2000).0, [1, 2, 3, 4, 5]);
}

#[test]
fn zero_rows_are_similar_to_none_and_leave_no_edge() {
    let knn = knn(&features(2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]), 2);
    for i in [0, 2, 4] {
        assert_eq!(row(&knn, i), (&[0, 1][..], &[0.0, 0.0][..]));
    }
    assert_eq!(row(&knn, 1).0, [1, 3]);
    for matrix in [knn.weighted(), knn.binary()] {
        for i in [0, 2, 4] {
            assert_eq!(matrix.row(i).count(), 0);
        }
        assert!(matrix.indices().iter().all(|j| [1, 3].contains(j)));
        assert_eq!(matrix.nnz(), 4);
    }
    assert!(knn.binary().values().iter().all(|&value| value == 0.5));
}

#[test]
fn a_neighbour_at_right_angles_is_one_where_weights_are_binary() {
    let knn = knn(&features(2, vec![1.0, 0.0, 0.0, 2.0, 0.0, 0.0]), 2);
    assert_eq!(row(&knn, 0), (&[0, 1][..], &[1.0, 0.0][..]));
    for i in [0, 1] {
        assert_eq!(knn.binary().row(i).collect::<Vec<_>>(), [(0, 0.5), (1, 0.5)]);
        assert_eq!(knn.weighted().row(i).collect::<Vec<_>>(), [(i as u32, 1.0)]);
    }
    assert_eq!((knn.binary().row(2).count(), knn.weighted().row(2).count()), (0, 0));
}

#[test]
fn negative_row_sums_give_zero_not_nan() {
    // Item 0 and its two opposites: the first row sums to -1, the others to 1.
    let knn = knn(&features(1, vec![1.0, -1.0, -1.0]), 3);
    assert_eq!(knn.similarities(), [1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0]);
    let matrix = knn.weighted();
    assert_eq!(matrix.row(0).count(), 0);
    assert_eq!(matrix.row(1).collect::<Vec<_>>(), [(1, 1.0), (2, 1.0)]);
}

#[test]
fn one_item_and_no_neighbours() {
    let one = knn(&features(3, vec![1.0, 2.0, 2.0]), 10);
    assert_eq!((one.k(), one.neighbours(), one.similarities()), (1, &[0][..], &[1.0][..]));
    assert_eq!(one.weighted().row(0).collect::<Vec<_>>(), [(0, 1.0)]);
    let none = knn(&features(1, vec![1.0, 2.0]), 0);
    assert_eq!((none.k(), none.weighted().n(), none.binary().nnz()), (0, 2, 0));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let features = features(19, random(2100, 19, 3));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| knn(&features, 10))
    };
    assert_eq!(on(1), on(3));
}
