//! Nodes that a silenced channel's first layer cannot tell apart.

use burn::tensor::{Tensor, TensorData};
use equipoise_data::Interactions;
use equipoise_data::graph::{Bipartite, Normalisation};
use equipoise_nn::{Propagation, propagate};
use std::sync::Arc;

/// Where every user has one row and every item another, what a node receives depends on its side and its degree
/// alone: its kind. There are at most a few hundred kinds, whatever the number of nodes.
pub(super) struct DegreeClasses {
    /// `N x K`, one 1 per row: the kind of each node.
    members: Arc<Propagation>,
    /// `K x 2`: how much of the users' and of the items' row a kind receives.
    received: Vec<f32>,
    /// `K x 2`, one 1 per row: its own side.
    own: Vec<f32>,
}

/// Side (whether an item) and the degree as far as it matters.
type Kind = (bool, usize);

impl DegreeClasses {
    /// `None` under `sym`, where a node receives by its neighbours' degrees.
    pub(super) fn new(graph: &Bipartite, by: Normalisation) -> Option<DegreeClasses> {
        let degree = |node| match by {
            Normalisation::RwPlus => Some(graph.degree(node)),
            // A mean over equal rows: whether there is any is all that matters.
            Normalisation::Rw => Some(graph.degree(node).min(1)),
            Normalisation::Sym => None,
        };
        let kind = |node| Some((node >= graph.n_users(), degree(node)?));
        let of_nodes = (0..graph.n_nodes()).map(kind).collect::<Option<Vec<Kind>>>()?;
        let mut kinds = of_nodes.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let received = kinds.iter().flat_map(|&(item, degree)| by_side(item, shares(by, degree)));
        let own = kinds.iter().flat_map(|&(item, _)| by_side(item, [1.0, 0.0]));
        Some(DegreeClasses {
            received: received.collect(),
            own: own.collect(),
            members: members(&of_nodes, &kinds),
        })
    }

    /// What each kind receives of the rows of the two sides: `[2, d] -> [K, d]`.
    pub(super) fn received(&self, sides: Tensor<2>) -> Tensor<2> {
        mix(&self.received, sides)
    }

    /// The row of each kind's own side: `[2, d] -> [K, d]`.
    pub(super) fn own(&self, sides: Tensor<2>) -> Tensor<2> {
        mix(&self.own, sides)
    }

    /// Each node's row from those of the kinds: `[K, d] -> [N, d]`.
    pub(super) fn to_nodes(&self, kinds: Tensor<2>) -> Tensor<2> {
        propagate(&self.members, kinds)
    }
}

fn mix(weights: &[f32], sides: Tensor<2>) -> Tensor<2> {
    let weights = TensorData::new(weights.to_vec(), [weights.len() / 2, 2]);
    Tensor::<2>::from_data(weights, &sides.device()).matmul(sides)
}

/// Shares of the own and of the other side's row in what a node of this degree receives.
fn shares(by: Normalisation, degree: usize) -> [f32; 2] {
    let k = degree as f64;
    match by {
        Normalisation::RwPlus => [(1.0 / (k + 1.0)) as f32, (k / (k + 1.0)) as f32],
        Normalisation::Rw | Normalisation::Sym => [0.0, k as f32],
    }
}

/// `[own, other]` as `[users, items]`.
fn by_side(item: bool, [own, other]: [f32; 2]) -> [f32; 2] {
    if item { [other, own] } else { [own, other] }
}

/// A mean over the one kind that a node has: weight 1.
fn members(of_nodes: &[Kind], kinds: &[Kind]) -> Arc<Propagation> {
    let position = |kind| kinds.binary_search(kind).expect("every node's kind is listed") as u32;
    let pairs: Vec<(u32, u32)> = (0..).zip(of_nodes.iter().map(position)).collect();
    let (pairs, _) = Interactions::from_pairs(of_nodes.len(), kinds.len(), &pairs);
    Arc::new(Propagation::new(Bipartite::new(&pairs).user_block(Normalisation::Rw)))
}
