//! The adjacency of users and items.

use crate::csr::CsrPattern;
use crate::interactions::Interactions;

/// The adjacency `A = [[0, R], [R^T, 0]]` of `N = U + I` nodes, users first, in compressed rows
/// with ascending columns. Every interaction is there twice, once in each direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bipartite {
    n_users: usize,
    n_items: usize,
    rows: CsrPattern,
}

impl Bipartite {
    /// The graph of the train interactions.
    ///
    /// # Panics
    /// If users and items together exceed the `u32` node numbers, or the interactions the `u32` edge numbers.
    pub fn new(train: &Interactions) -> Bipartite {
        let (n_users, n_items) = (train.n_users(), train.n_items());
        assert!(
            u32::try_from(n_users + n_items).is_ok(),
            "{n_users} users and {n_items} items exceed the u32 node numbers"
        );
        let users_of_items = train.rows().transposed().pattern;
        let mut indptr = train.indptr().to_vec();
        indptr.extend(users_of_items.indptr()[1..].iter().map(|bound| train.len() + bound));
        let items = train.indices().iter().map(|&item| n_users as u32 + item);
        let indices = items.chain(users_of_items.indices().iter().copied()).collect();
        Bipartite { n_users, n_items, rows: CsrPattern::new(n_users + n_items, indptr, indices) }
    }

    /// Number of users `U`.
    pub fn n_users(&self) -> usize {
        self.n_users
    }

    /// Number of items `I`.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// Number of nodes `N = U + I`.
    pub fn n_nodes(&self) -> usize {
        self.n_users + self.n_items
    }

    /// Number of directed edges: twice the number of interactions.
    pub fn n_edges(&self) -> usize {
        self.rows.nnz()
    }

    /// Row bounds: the neighbours of node `n` are `indices[indptr[n]..indptr[n + 1]]`.
    pub fn indptr(&self) -> &[usize] {
        self.rows.indptr()
    }

    /// Neighbours of all nodes, one row after the other.
    pub fn indices(&self) -> &[u32] {
        self.rows.indices()
    }

    /// Neighbours of a node, ascending.
    ///
    /// # Panics
    /// If `node` is not below [`n_nodes`](Self::n_nodes).
    pub fn neighbours(&self, node: usize) -> &[u32] {
        self.rows.row(node)
    }

    /// Number of neighbours of a node; 0 for an isolated one.
    ///
    /// # Panics
    /// If `node` is not below [`n_nodes`](Self::n_nodes).
    pub fn degree(&self, node: usize) -> usize {
        self.rows.entries(node).len()
    }

    /// Degrees of all nodes.
    pub fn degrees(&self) -> Vec<u32> {
        (0..self.n_nodes()).map(|n| self.degree(n) as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn edges_are_the_interactions_in_both_directions(
            pairs in prop::collection::vec((0u32..6, 0u32..5), 0..40)
        ) {
            let (train, _) = Interactions::from_pairs(6, 5, &pairs);
            let graph = Bipartite::new(&train);
            prop_assert_eq!(graph.n_edges(), 2 * train.len());
            for u in 0..6u32 {
                for i in 0..5u32 {
                    let there = train.contains(u, i);
                    prop_assert_eq!(graph.neighbours(u as usize).contains(&(6 + i)), there);
                    prop_assert_eq!(graph.neighbours(6 + i as usize).contains(&u), there);
                }
            }
            for node in 0..11 {
                prop_assert!(graph.neighbours(node).is_sorted());
                prop_assert_eq!(graph.degrees()[node] as usize, graph.neighbours(node).len());
            }
        }
    }
}
