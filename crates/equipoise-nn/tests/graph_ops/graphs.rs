//! Random graphs with what graphs have: isolated nodes, hubs, single nodes, repeated edges.

use crate::support::numbers;
use equipoise_data::graph::{Bipartite, Csr, Edges, Normalisation, knn};
use equipoise_data::{Features, Interactions, Stream};
use std::sync::Arc;

/// Interactions of `users` and `items` among which user 0 and item 0 are hubs and the last of each, where
/// there is more than one, has none.
fn bipartite(users: usize, items: usize, s: &mut Stream) -> Bipartite {
    let mut pairs = Vec::new();
    for user in 0..users.max(2) as u32 - 1 {
        for item in 0..items.max(2) as u32 - 1 {
            if user == 0 || item == 0 || s.unit() < 0.3 {
                pairs.push((user, item));
            }
        }
    }
    Bipartite::new(&Interactions::from_pairs(users, items, &pairs).0)
}

/// One node and no edge.
fn lonely() -> Bipartite {
    Bipartite::new(&Interactions::from_pairs(1, 0, &[]).0)
}

/// Matrices of every kind that backbones propagate with, square and not.
pub fn matrices(s: &mut Stream) -> Vec<Csr> {
    let (users, items) = (1 + s.below(7) as usize, 1 + s.below(9) as usize);
    let graph = bipartite(users, items, s);
    let features = Features::new(items, 3, numbers(3 * items, s)).unwrap();
    let similar = knn(&features, 1 + s.below(4) as usize);
    let mut all = vec![similar.weighted(), similar.binary()];
    for by in Normalisation::ALL {
        all.extend([graph.normalised(by), graph.user_block(by), lonely().normalised(by)]);
    }
    all
}

/// Edge sets of every shape that occurs, random where there is a choice.
pub fn edge_sets(s: &mut Stream) -> Vec<Arc<Edges>> {
    let (users, items) = (1 + s.below(6) as usize, 1 + s.below(8) as usize);
    let graph = bipartite(users, items, s);
    let shapes = [
        Edges::bidirectional(&graph),
        Edges::to_users(&graph),
        Edges::to_items(&graph),
        scattered(users, items, s),
        // One node that hears itself alone, and one that hears nobody.
        Edges::new(1, vec![0, 1], vec![0]),
        Edges::new(1, vec![0, 0], vec![]),
        // A hub that hears everyone, beside a target that hears nobody.
        Edges::new(37, vec![0, 37, 37], (0..37).rev().collect()),
        // One source that everyone hears.
        Edges::new(1, (0..=29).collect(), vec![0; 29]),
        // The same edge more than once.
        Edges::new(3, vec![0, 4, 5], vec![2, 0, 2, 2, 1]),
    ];
    shapes.map(Arc::new).into()
}

/// Each target hears a few sources in any order; some hear none.
fn scattered(targets: usize, sources: usize, s: &mut Stream) -> Edges {
    let (mut indptr, mut from) = (vec![0], Vec::new());
    for _ in 0..targets {
        from.extend((0..s.below(4)).map(|_| s.below(sources as u32)));
        indptr.push(from.len());
    }
    Edges::new(sources, indptr, from)
}
