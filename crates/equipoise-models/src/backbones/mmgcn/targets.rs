//! The nodes that a layer makes: all, or in the last layer those that are requested.

use crate::Graphs;
use crate::requested::RequestedNodes;
use burn::tensor::{Tensor, TensorData};
use equipoise_data::graph::{Csr, Normalisation};
use equipoise_nn::{Propagation, collect};
use std::sync::Arc;

/// Some nodes, and what they read besides the state before.
#[derive(Clone)]
pub(super) struct Targets {
    nodes: RequestedNodes,
    by: Normalisation,
    /// Their rows of `A`.
    adjacency: Arc<Propagation>,
    /// `A 1`, one column; `None` where it is 1.
    row_sums: Option<Tensor<2>>,
    /// Their rows of `ID`.
    ids: Tensor<2>,
}

impl Targets {
    /// All nodes; `ids` are those of users, then of items.
    pub(super) fn all(graphs: &Graphs, by: Normalisation, ids: Tensor<2>) -> Targets {
        let nodes = RequestedNodes::all(graphs.bipartite().n_users());
        Targets::new(nodes, by, graphs.propagation(by), ids)
    }

    /// Of these, those that are requested.
    pub(super) fn requested(&self, requested: RequestedNodes) -> Targets {
        let Some(rows) = requested.rows() else { return self.clone() };
        let adjacency = Arc::new(self.adjacency.of_rows(rows));
        let ids = collect(requested.rows_of(self.ids.clone()));
        Targets::new(requested, self.by, adjacency, ids)
    }

    fn new(nodes: RequestedNodes, by: Normalisation, adjacency: Arc<Propagation>, ids: Tensor<2>) -> Targets {
        let row_sums = (by != Normalisation::RwPlus).then(|| {
            let sums = row_sums(adjacency.matrix());
            let shape = [sums.len(), 1];
            Tensor::from_data(TensorData::new(sums, shape), &ids.device())
        });
        Targets { nodes, by, adjacency, row_sums, ids }
    }

    pub(super) fn nodes(&self) -> &RequestedNodes {
        &self.nodes
    }

    pub(super) fn adjacency(&self) -> &Arc<Propagation> {
        &self.adjacency
    }

    /// What a constant of 1 becomes by propagation; `None` if 1 everywhere.
    pub(super) fn row_sums(&self) -> Option<Tensor<2>> {
        self.row_sums.clone()
    }

    pub(super) fn ids(&self) -> Tensor<2> {
        self.ids.clone()
    }
}

fn row_sums(matrix: &Csr) -> Vec<f32> {
    let sum = |row| matrix.row(row).map(|(_, value)| f64::from(value)).sum::<f64>() as f32;
    (0..matrix.n()).map(sum).collect()
}
