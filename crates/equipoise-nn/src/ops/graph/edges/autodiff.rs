//! Gradients of the operations over edges.

use super::GraphOps;
use crate::Propagation;
use crate::ops::graph::shared_tables::SharedTables;
use crate::ops::recorded::record;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend};
use equipoise_data::graph::Edges;
use std::sync::Arc;

impl<B: GraphOps, C: CheckpointStrategy> GraphOps for Autodiff<B, C> {
    fn propagate(x: FloatTensor<Self>, propagation: Arc<Propagation>, transposed: bool) -> FloatTensor<Self> {
        let node = x.node();
        let out = B::propagate(x.into_primitive(), propagation.clone(), transposed);
        record::<B, C, _, 1>([node], out, (propagation, transposed), |grad, kept, operands| {
            let (propagation, transposed) = kept;
            operands.report(0, B::propagate(grad, propagation, !transposed));
        })
    }

    fn propagate_weighted(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        let nodes = [weights.node(), x.node()];
        let (weights, x) = (weights.into_primitive(), x.into_primitive());
        let out = B::propagate_weighted(weights.clone(), x.clone(), edges.clone());
        record::<B, C, _, 2>(nodes, out, (weights, x, edges), |grad, (weights, x, edges), operands| {
            operands.report_all(B::propagate_weighted_backward(weights, x, grad, edges));
        })
    }

    fn edge_softmax(q: FloatTensor<Self>, k: FloatTensor<Self>, edges: Arc<Edges>) -> FloatTensor<Self> {
        let nodes = [q.node(), k.node()];
        let (q, k) = (q.into_primitive(), k.into_primitive());
        let alpha = B::edge_softmax(q.clone(), k.clone(), edges.clone());
        record::<B, C, _, 2>(nodes, alpha.clone(), ([q, k, alpha], edges), |grad, kept, operands| {
            let ([q, k, alpha], edges) = kept;
            let shared = operands.are_one(0, 1);
            let (d_q, d_k) = B::edge_softmax_backward(q, k, alpha, grad, edges, shared);
            operands.report(0, d_q);
            if !shared {
                operands.report(1, d_k);
            }
        })
    }

    fn edge_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [q.node(), k.node(), v.node()];
        let (q, k, v) = (q.into_primitive(), k.into_primitive(), v.into_primitive());
        let (out, alpha) = B::edge_attention(q.clone(), k.clone(), v.clone(), edges.clone());
        let weights = <Self as AutodiffBackend>::from_inner(alpha.clone());
        let out = record::<B, C, _, 3>(nodes, out, ([q, k, v, alpha], edges), |grad, kept, operands| {
            let ([q, k, v, alpha], edges) = kept;
            let shared = if !operands.are_one(1, 2) {
                SharedTables::None
            } else if !operands.are_one(0, 1) {
                SharedTables::KeysAndValues
            } else {
                SharedTables::All
            };
            let (d_q, d_k, d_v) = B::edge_attention_backward(q, k, v, alpha, grad, edges, shared);
            operands.report(0, d_q);
            if shared != SharedTables::All {
                operands.report(1, d_k);
            }
            if shared == SharedTables::None {
                operands.report(2, d_v);
            }
        });
        (out, weights)
    }

    fn by_sender(
        values: FloatTensor<Self>,
        worth: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        let nodes = [values.node(), worth.node()];
        let (values, worth) = (values.into_primitive(), worth.into_primitive());
        let out = B::by_sender(values.clone(), worth.clone(), edges.clone());
        record::<B, C, _, 2>(nodes, out, (values, worth, edges), |grad, kept, operands| {
            let (values, worth, edges) = kept;
            operands.report_all(B::by_sender_backward(values, worth, grad, edges));
        })
    }

    fn larger(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let (a, b) = (a.into_primitive(), b.into_primitive());
        let out = B::larger(a.clone(), b.clone());
        record::<B, C, _, 2>(nodes, out, (a, b), |grad, (a, b), operands| {
            operands.report_all(B::larger_backward(a, b, grad));
        })
    }
}
