//! The user-item graph and everything derived from it or from the features, made when first requested.

use equipoise_data::graph::{Bipartite, Edges, Knn, Normalisation, knn_until};
use equipoise_data::{Features, Interactions, StopFlag};
use equipoise_nn::Propagation;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// The graph of the train interactions; clones share what was made.
#[derive(Clone)]
pub struct Graphs {
    shared: Arc<Shared>,
}

struct Shared {
    bipartite: Bipartite,
    nodes: Cache<Normalisation, Propagation>,
    to_users: Cache<Normalisation, Propagation>,
    edges: Cache<Direction, Edges>,
    neighbours: Cache<(usize, usize), Knn>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    Both,
    ToUsers,
    /// Between two sets of nodes, by the bits of a threshold.
    Branched(u32),
}

impl Graphs {
    /// The graph of these interactions.
    pub fn new(train: &Interactions) -> Graphs {
        let bipartite = Bipartite::new(train);
        let (nodes, to_users) = (Cache::default(), Cache::default());
        let (edges, neighbours) = (Cache::default(), Cache::default());
        Graphs { shared: Arc::new(Shared { bipartite, nodes, to_users, edges, neighbours }) }
    }

    /// Adjacency, degrees and numbering: users first, then items.
    pub fn bipartite(&self) -> &Bipartite {
        &self.shared.bipartite
    }

    /// The normalised adjacency of all `N = U + I` nodes.
    pub fn propagation(&self, by: Normalisation) -> Arc<Propagation> {
        self.shared.nodes.get(by, || Propagation::new(self.bipartite().normalised(by)))
    }

    /// Its `U x I` block: from items to users.
    pub fn items_to_users(&self, by: Normalisation) -> Arc<Propagation> {
        self.shared.to_users.get(by, || Propagation::new(self.bipartite().user_block(by)))
    }

    /// Directed edges between all nodes: each interaction once in each direction.
    pub fn edges(&self) -> Arc<Edges> {
        self.shared.edges.get(Direction::Both, || Edges::bidirectional(self.bipartite()))
    }

    /// The `k` nearest items of each item by cosine of features that are known by the number `m`, itself included; `None` if
    /// the flag is raised before they are found.
    pub(crate) fn neighbours(
        &self,
        m: usize,
        k: usize,
        features: &Features,
        stop: &StopFlag,
    ) -> Option<Arc<Knn>> {
        self.shared.neighbours.try_get((m, k), || knn_until(features, k, stop))
    }

    /// Directed edges from items to users; users and items are numbered from 0 each.
    pub fn edges_to_users(&self) -> Arc<Edges> {
        self.shared.edges.get(Direction::ToUsers, || Edges::to_users(self.bipartite()))
    }

    /// [`edges`](Self::edges) of which those with an even attention above `theta`, `1 / deg(n) > theta`, come from a
    /// second set of nodes.
    pub(crate) fn edges_by_even_attention(&self, theta: f32) -> Arc<Edges> {
        let edges = self.edges();
        self.shared.edges.get(Direction::Branched(theta.to_bits()), || {
            let shares = even_shares(&edges);
            edges.branched(|edge| shares[edge] > theta)
        })
    }
}

/// `alpha = 1 / deg(n)` on every edge into `n`: attention among equal rows.
pub(crate) fn even_shares(edges: &Edges) -> Vec<f32> {
    let share = |bounds: &[usize]| {
        let degree = bounds[1] - bounds[0];
        std::iter::repeat_n(1.0 / degree as f32, degree)
    };
    edges.indptr().windows(2).flat_map(share).collect()
}

/// Values made once each.
struct Cache<K, V> {
    made: Mutex<HashMap<K, Arc<V>>>,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Cache { made: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        self.try_get(key, || Some(make())).expect("it is made")
    }

    /// The value, made now if there is none; `None` if it cannot be made.
    fn try_get(&self, key: K, make: impl FnOnce() -> Option<V>) -> Option<Arc<V>> {
        // A panic elsewhere leaves the map as it was before or after one insertion: sound either way.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = made.get(&key) {
            return Some(value.clone());
        }
        let value = Arc::new(make()?);
        made.insert(key, value.clone());
        Some(value)
    }
}
