//! The nodes that a step requests. The last layer of a graph is computed only for them, for nothing reads its other rows.

use crate::nodes::split;
use crate::{Pass, Request, Tables};
use burn::tensor::Tensor;
use equipoise_data::graph::Edges;
use equipoise_nn::{
    Propagation, Rows, blend, collect, gather_rows, gather_values, propagate, propagate_layers,
    propagate_weighted, residual_attention, weighted_layers,
};
use std::sync::Arc;

/// All nodes or some, users first.
#[derive(Clone)]
pub(crate) struct RequestedNodes {
    /// `None` for all.
    rows: Option<Rows>,
    /// How many of them are users.
    users: usize,
}

impl RequestedNodes {
    /// All nodes of a graph with that many users.
    pub(crate) fn all(users: usize) -> RequestedNodes {
        RequestedNodes { rows: None, users }
    }

    /// Those of a request.
    pub(crate) fn of(request: &Request) -> RequestedNodes {
        if request.users.is_all() && request.items.is_all() {
            return RequestedNodes::all(request.inputs.n_users);
        }
        let items = request.items.rows().iter().map(|i| i + request.inputs.n_users as u32);
        let nodes = request.users.rows().iter().copied().chain(items).collect();
        RequestedNodes { rows: Some(nodes), users: request.users.len() }
    }

    /// `None` for all nodes.
    pub(crate) fn rows(&self) -> Option<&Rows> {
        self.rows.as_ref()
    }

    /// Their rows of a table of all nodes. One gather, so that the whole table gets one gradient.
    pub(crate) fn rows_of(&self, nodes: Tensor<2>) -> Tensor<2> {
        match &self.rows {
            Some(rows) => gather_rows(nodes, rows),
            None => nodes,
        }
    }

    /// A table of them as those of users and of items.
    pub(crate) fn tables(&self, rows: Tensor<2>) -> Tables {
        let (users, items) = split(rows, self.users);
        Tables::new(users, items)
    }

    /// Their rows of `sum_l c_l S^l X`, `X` of all nodes: `c_0 X + S (sum_l c_(l + 1) S^l X)`.
    pub(crate) fn propagate_layers(
        &self,
        graph: &Arc<Propagation>,
        x: Tensor<2>,
        coefficients: &[f32],
    ) -> Tensor<2> {
        let (Some(rows), Some((first, later))) = (&self.rows, coefficients.split_first()) else {
            return propagate_layers(graph, x, coefficients);
        };
        let x = collect(x);
        let own = scaled(self.rows_of(x.clone()), *first);
        if later.is_empty() {
            return own;
        }
        let received = propagate(&Arc::new(graph.of_rows(rows)), propagate_layers(graph, x, later));
        blend(own, received, 1.0)
    }

    /// The edges that they hear along.
    pub(crate) fn edges(&self, edges: Arc<Edges>) -> RequestedEdges {
        let Some(rows) = &self.rows else {
            return RequestedEdges {
                requested: self.clone(),
                last: edges.clone(),
                numbers: None,
                all: edges,
            };
        };
        let (last, numbers) = edges.into_targets(rows);
        RequestedEdges {
            requested: self.clone(),
            last: Arc::new(last),
            numbers: Some(numbers.into()),
            all: edges,
        }
    }
}

fn scaled(x: Tensor<2>, factor: f32) -> Tensor<2> {
    if factor == 1.0 { x } else { x * factor }
}

/// The edges between all nodes, and those into the nodes that are requested.
pub(crate) struct RequestedEdges {
    requested: RequestedNodes,
    all: Arc<Edges>,
    last: Arc<Edges>,
    /// The number of each of `last` among all; `None` where they are all.
    numbers: Option<Rows>,
}

impl RequestedEdges {
    /// The nodes that are requested.
    pub(crate) fn nodes(&self) -> &RequestedNodes {
        &self.requested
    }

    /// The edges between all nodes.
    pub(crate) fn all(&self) -> &Arc<Edges> {
        &self.all
    }

    /// The requested rows of `sum_l A^l X`, `l` from 0 to `layers`, `A` the matrix of the weights of all edges:
    /// `X + A (sum_l A^l X)`, `l` to `layers - 1`.
    pub(crate) fn weighted_layers(&self, weights: Tensor<1>, x: Tensor<2>, layers: usize) -> Tensor<2> {
        let Some(numbers) = self.numbers.as_ref().filter(|_| layers > 0) else {
            return self.requested.rows_of(weighted_layers(&self.all, weights, x, layers));
        };
        let (weights, x) = (collect(weights), collect(x));
        let own = self.requested.rows_of(x.clone());
        let last = gather_values(weights.clone(), numbers);
        let before = if layers == 1 { x } else { weighted_layers(&self.all, weights, x, layers - 1) };
        blend(own, propagate_weighted(&self.last, last, before), 1.0)
    }

    /// The requested rows of `X` and of what attention between the rows of `X` adds to them.
    pub(crate) fn residual_attention(&self, x: Tensor<2>) -> Tensor<2> {
        if self.numbers.is_none() {
            return residual_attention(&self.all, x.clone(), x);
        }
        let x = collect(x);
        residual_attention(&self.last, self.requested.rows_of(x.clone()), x)
    }
}

/// The rows that a pass asks for of a table of all nodes, as those of users and of items.
pub(crate) fn select(pass: &Pass, nodes: Tensor<2>) -> Tables {
    let requested = RequestedNodes::of(pass.request());
    requested.tables(requested.rows_of(nodes))
}
