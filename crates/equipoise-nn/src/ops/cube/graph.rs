//! Operations over edges on a GPU: bounds and ends of edges stay on the device.

use super::launch::{self, Lists, Table, narrow};
use crate::Propagation;
use crate::ops::device_constants::{constant_indices, constant_table};
use crate::ops::graph::edges::generic::rows_of;
use crate::ops::graph::{GraphOps, SharedTables};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{Device, IntTensor};
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::Shape;
use equipoise_data::DeviceCache;
use equipoise_data::graph::Edges;
use std::sync::Arc;

/// Compressed rows that `owner` keeps under `name`.
fn lists(owner: &DeviceCache, name: &str, indptr: &[usize], columns: &[u32], device: &Device<Cube>) -> Lists {
    Lists {
        indptr: constant_indices::<Cube>(owner, &format!("{name} bounds"), device, || narrow(indptr)),
        columns: constant_indices::<Cube>(owner, &format!("{name} columns"), device, || columns.to_vec()),
    }
}

/// The ends of edges on a device.
struct Ends<'a> {
    edges: &'a Edges,
    device: Device<Cube>,
}

impl Ends<'_> {
    fn by_target(&self) -> Lists {
        let Ends { edges, device } = self;
        lists(edges.device_cache(), "by target", edges.indptr(), edges.sources(), device)
    }

    fn by_source(&self) -> Lists {
        let Ends { edges, device } = self;
        lists(edges.device_cache(), "by source", edges.transposed_indptr(), edges.targets(), device)
    }

    fn kept(&self, name: &str, make: impl FnOnce() -> Vec<u32>) -> IntTensor<Cube> {
        constant_indices::<Cube>(self.edges.device_cache(), name, &self.device, make)
    }

    /// Target of each edge.
    fn targets(&self) -> IntTensor<Cube> {
        self.kept("targets", || rows_of(self.edges.indptr()))
    }

    /// Per target, the weighted sum of its sources' rows.
    fn to_targets(&self, weights: Table, x: Table) -> Table {
        launch::sum_rows(&self.by_target(), weights, x)
    }

    /// Per source, the weighted sum of its targets' rows.
    fn to_sources(&self, weights: Table, x: Table) -> Table {
        let order = self.kept("edge numbers", || self.edges.edge_numbers().to_vec());
        launch::sum_rows(&self.by_source(), Cube::float_select(weights, 0, order), x)
    }

    /// Per edge, the product of its target's row of `at` and its source's row of `from`.
    fn dots(&self, at: Table, from: Table) -> Table {
        let sources = self.by_target().columns;
        launch::pair_dots((at, self.targets()), (from, sources), self.edges.len())
    }
}

fn ends<'a>(edges: &'a Edges, x: &Table) -> Ends<'a> {
    Ends { edges, device: x.device() }
}

fn flat(x: Table) -> Table {
    let n = x.shape().num_elements();
    Cube::float_reshape(x, Shape::from([n]))
}

impl GraphOps for Cube {
    fn propagate(x: Table, propagation: Arc<Propagation>, transposed: bool) -> Table {
        let (matrix, name) = if transposed {
            (propagation.transposed(), "transposed")
        } else {
            (propagation.matrix(), "matrix")
        };
        let (device, owner) = (x.device(), propagation.device_cache());
        let rows = lists(owner, name, matrix.indptr(), matrix.indices(), &device);
        let make = || matrix.values().to_vec();
        let shape = [matrix.nnz(), 1];
        let weights = constant_table::<Cube>(owner, &format!("{name} values"), &device, shape, make);
        launch::sum_rows(&rows, weights, x)
    }

    fn propagate_weighted(weights: Table, x: Table, edges: Arc<Edges>) -> Table {
        ends(&edges, &x).to_targets(weights, x)
    }

    fn propagate_weighted_backward(
        weights: Table,
        x: Table,
        grad: Table,
        edges: Arc<Edges>,
    ) -> (Table, Table) {
        let ends = ends(&edges, &x);
        (ends.dots(grad.clone(), x), ends.to_sources(weights, grad))
    }

    fn edge_softmax(q: Table, k: Table, edges: Arc<Edges>) -> Table {
        let ends = ends(&edges, &q);
        launch::row_softmax(&ends.by_target().indptr, ends.dots(q, k))
    }

    fn edge_softmax_backward(
        q: Table,
        k: Table,
        alpha: Table,
        grad: Table,
        edges: Arc<Edges>,
        shared: bool,
    ) -> (Table, Table) {
        let ends = ends(&edges, &q);
        let d_logits = launch::row_softmax_backward(&ends.by_target().indptr, alpha, flat(grad));
        let d_q = ends.to_targets(d_logits.clone(), k);
        let d_k = ends.to_sources(d_logits, q);
        if shared { (Cube::float_add(d_q, d_k.clone()), d_k) } else { (d_q, d_k) }
    }

    fn edge_attention(q: Table, k: Table, v: Table, edges: Arc<Edges>) -> (Table, Table) {
        let alpha = Self::edge_softmax(q, k, edges.clone());
        (Self::propagate_weighted(alpha.clone(), v, edges), alpha)
    }

    fn edge_attention_backward(
        q: Table,
        k: Table,
        v: Table,
        alpha: Table,
        grad: Table,
        edges: Arc<Edges>,
        shared: SharedTables,
    ) -> (Table, Table, Table) {
        let (d_alpha, d_v) = Self::propagate_weighted_backward(alpha.clone(), v, grad, edges.clone());
        let (d_q, d_k) =
            Self::edge_softmax_backward(q, k, alpha, d_alpha, edges, shared == SharedTables::All);
        match shared {
            SharedTables::None => (d_q, d_k, d_v),
            SharedTables::KeysAndValues => (d_q, Cube::float_add(d_k, d_v.clone()), d_v),
            SharedTables::All => (Cube::float_add(d_q, d_v.clone()), d_k, d_v),
        }
    }
}
