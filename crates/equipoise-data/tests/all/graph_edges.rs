//! Directed edge sets against the graphs they come from.

use equipoise_data::Interactions;
use equipoise_data::graph::{Bipartite, CsrPattern, Edges, Normalisation};
use proptest::prelude::*;
use std::collections::BTreeSet;

const USERS: usize = 6;
const ITEMS: usize = 5;

/// The last user and the last item are always isolated; there may be no interaction at all.
fn interactions() -> impl Strategy<Value = Interactions> {
    let (users, items) = (USERS as u32 - 1, ITEMS as u32 - 1);
    prop::collection::vec((0..users, 0..items), 0..30)
        .prop_map(|pairs| Interactions::from_pairs(USERS, ITEMS, &pairs).0)
}

/// `(target, source)` of each edge, by target.
fn by_target(edges: &Edges) -> Vec<(u32, u32)> {
    pairs(edges.indptr(), edges.sources())
}

fn pairs(indptr: &[usize], columns: &[u32]) -> Vec<(u32, u32)> {
    let row = |r: usize| columns[indptr[r]..indptr[r + 1]].iter().map(move |&c| (r as u32, c));
    (0..indptr.len() - 1).flat_map(row).collect()
}

fn check(edges: &Edges, sizes: (usize, usize), expected: BTreeSet<(u32, u32)>) {
    assert_eq!((edges.n_targets(), edges.n_sources()), sizes);
    assert_eq!((edges.indptr().len(), edges.transposed_indptr().len()), (sizes.0 + 1, sizes.1 + 1));
    let found = by_target(edges);
    assert_eq!((edges.len(), edges.is_empty()), (expected.len(), expected.is_empty()));
    assert!(found.iter().eq(&expected), "{found:?} is not {expected:?}");
    let by_source = pairs(edges.transposed_indptr(), edges.targets());
    assert!(by_source.is_sorted());
    for (&(source, target), &edge) in by_source.iter().zip(edges.edge_numbers()) {
        assert_eq!(found[edge as usize], (target, source));
    }
    let numbers: BTreeSet<u32> = edges.edge_numbers().iter().copied().collect();
    assert!(numbers.into_iter().eq(0..edges.len() as u32), "each edge once");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edge_sets_hold_every_interaction_in_their_direction(train in interactions()) {
        let graph = Bipartite::new(&train);
        let pairs: Vec<(u32, u32)> = train.pairs().collect();
        let turned = || pairs.iter().map(|&(u, i)| (i, u));
        check(&Edges::to_users(&graph), (USERS, ITEMS), pairs.iter().copied().collect());
        check(&Edges::to_items(&graph), (ITEMS, USERS), turned().collect());
        let item = |i: u32| USERS as u32 + i;
        let up = pairs.iter().map(|&(u, i)| (u, item(i)));
        let both = up.chain(turned().map(|(i, u)| (item(i), u))).collect();
        check(&Edges::bidirectional(&graph), (USERS + ITEMS, USERS + ITEMS), both);
    }

    #[test]
    fn edges_into_some_targets_are_those_of_their_rows(
        train in interactions(),
        rows in prop::collection::vec(0..USERS as u32, 0..9),
    ) {
        let all = Edges::to_users(&Bipartite::new(&train));
        let (some, numbers) = all.into_targets(&rows);
        let of = |row: u32| all.indptr()[row as usize]..all.indptr()[row as usize + 1];
        prop_assert!(numbers.iter().map(|&n| n as usize).eq(rows.iter().flat_map(|&row| of(row))));
        let bounds = rows.iter().scan(0, |end, &row| { *end += of(row).len(); Some(*end) });
        prop_assert!(some.indptr()[1..].iter().copied().eq(bounds));
        let sources = numbers.iter().map(|&n| all.sources()[n as usize]);
        let expected = Edges::new(ITEMS, some.indptr().to_vec(), sources.collect());
        prop_assert_eq!(some, expected);
    }

    #[test]
    fn branched_edges_are_those_of_new_sources(train in interactions(), picked in prop::collection::vec(any::<bool>(), 60)) {
        let edges = Edges::bidirectional(&Bipartite::new(&train));
        let sources = edges.sources().iter().zip(&picked).map(|(&s, &second)| s + u32::from(second) * 11);
        let expected = Edges::new(2 * edges.n_sources(), edges.indptr().to_vec(), sources.collect());
        prop_assert_eq!(edges.branched(|edge| picked[edge]), expected);
    }

    #[test]
    fn transposing_a_rectangular_pattern_twice_gives_it_back(
        rows in prop::collection::vec(prop::collection::btree_set(0u32..9, 0..6), 0..8)
    ) {
        let columns: Vec<u32> = rows.iter().flatten().copied().collect();
        let ends = rows.iter().scan(0, |end, row| { *end += row.len(); Some(*end) });
        let indptr: Vec<usize> = [0].into_iter().chain(ends).collect();
        let pattern = CsrPattern::new(9, indptr, columns);
        let there = pattern.transposed();
        prop_assert_eq!((there.pattern.n_rows(), there.pattern.n_columns()), (9, rows.len()));
        let back = there.pattern.transposed();
        prop_assert_eq!(&back.pattern, &pattern);
        for (e, &number) in back.entries.iter().enumerate() {
            prop_assert_eq!(there.entries[number as usize] as usize, e, "the two numberings are inverse");
        }
    }

    #[test]
    fn edge_numbers_carry_the_values_of_a_matrix_to_its_transpose(train in interactions()) {
        let matrix = Bipartite::new(&train).normalised(Normalisation::RwPlus);
        let (pattern, transposed) = (matrix.pattern().transposed(), matrix.transposed());
        prop_assert_eq!(&pattern.pattern, transposed.pattern());
        let values: Vec<f32> = pattern.entries.iter().map(|&e| matrix.values()[e as usize]).collect();
        prop_assert_eq!(values, transposed.values());
    }
}

#[test]
fn the_kernels_take_the_edges_as_they_are() {
    let (train, _) = Interactions::from_pairs(2, 3, &[(0, 0), (0, 2), (1, 2)]);
    let edges = Edges::to_users(&Bipartite::new(&train));
    let (forward, backward) = (edges.by_target(), edges.by_source());
    assert_eq!((forward.indptr, forward.columns), (&[0, 2, 3][..], &[0, 2, 2][..]));
    assert_eq!((backward.rows.indptr, backward.rows.columns), (&[0, 1, 1, 3][..], &[0, 0, 1][..]));
    assert_eq!(backward.edges, [0, 1, 2]);
}
