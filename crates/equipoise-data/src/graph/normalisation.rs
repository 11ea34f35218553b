//! How messages between neighbours are weighted.

use serde::{Deserialize, Serialize};

use super::bipartite::Bipartite;
use crate::csr::Csr;

/// A normalisation of the adjacency `A` with degrees `D = diag(deg)`. Names in files are
/// `rw_plus`, `rw` and `sym`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// `(D + 1)^-1 (A + 1)`: the mean over a node and its neighbours; an isolated node keeps
    /// itself. Zhang et al., *Mining Latent Structures for Multimedia Recommendation* (2021).
    RwPlus,
    /// `D^-1 A`: the mean over neighbours; an isolated node receives zero. Wei et al., *MMGCN*
    /// (2019).
    Rw,
    /// `D^-1/2 A D^-1/2` with `0^-1/2 = 0`; symmetric. He et al., *LightGCN* (2020).
    Sym,
}

impl Normalisation {
    /// All of them.
    pub const ALL: [Normalisation; 3] = [Normalisation::RwPlus, Normalisation::Rw, Normalisation::Sym];

    /// Whether a node is a neighbour of itself.
    pub fn has_self_loops(self) -> bool {
        self == Normalisation::RwPlus
    }

    /// Value at row `to`, column `from` of an edge between nodes of these degrees (both at least
    /// 1, but for self-loops).
    fn weight(self, to: usize, from: usize) -> f32 {
        let (to, from) = (to as f64, from as f64);
        let weight = match self {
            Normalisation::RwPlus => 1.0 / (to + 1.0),
            Normalisation::Rw => 1.0 / to,
            // One root of the product, not a product of two: exactly symmetric.
            Normalisation::Sym => 1.0 / (to * from).sqrt(),
        };
        weight as f32
    }
}

impl Bipartite {
    /// The normalised adjacency: computed in `f64`, stored as `f32`.
    pub fn normalised(&self, normalisation: Normalisation) -> Csr {
        let loops = if normalisation.has_self_loops() { self.n_nodes() } else { 0 };
        let mut matrix = Csr::with_capacity(self.n_nodes(), self.n_nodes(), self.n_edges() + loops);
        for node in 0..self.n_nodes() {
            self.push_row(node, normalisation, &mut matrix);
            matrix.end_row();
        }
        matrix
    }

    /// Rows of users and columns of items of [`normalised`](Self::normalised): a `U x I` matrix whose columns
    /// are items counted from 0, the weights by which users receive from items.
    pub fn user_block(&self, normalisation: Normalisation) -> Csr {
        let mut block = Csr::with_capacity(self.n_users(), self.n_items(), self.n_edges() / 2);
        for user in 0..self.n_users() {
            for &item in self.neighbours(user) {
                let weight = normalisation.weight(self.degree(user), self.degree(item as usize));
                block.push(item - self.n_users() as u32, weight);
            }
            block.end_row();
        }
        block
    }

    fn push_row(&self, node: usize, normalisation: Normalisation, matrix: &mut Csr) {
        let degree = self.degree(node);
        let neighbours = self.neighbours(node);
        let mut push = |column: u32| {
            let other = self.degree(column as usize);
            matrix.push(column, normalisation.weight(degree, other));
        };
        if !normalisation.has_self_loops() {
            neighbours.iter().for_each(|&n| push(n));
            return;
        }
        let (before, after) = neighbours.split_at(neighbours.partition_point(|&n| (n as usize) < node));
        before.iter().for_each(|&n| push(n));
        push(node as u32);
        after.iter().for_each(|&n| push(n));
    }
}
