//! Gradients of the operations on numbers per edge.

use super::VoteOps;
use crate::ops::collect::register;
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use equipoise_data::graph::Edges;
use std::sync::Arc;

#[derive(Debug)]
struct BySender;

impl<B: VoteOps> Backward<B, 2> for BySender {
    type State = (FloatTensor<B>, FloatTensor<B>, Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (values, worth, edges) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let (d_values, d_worth) = B::by_sender_backward(values, worth, grad, edges);
        register::<B>(grads, parents.into_iter().zip([d_values, d_worth]));
    }
}

#[derive(Debug)]
struct Larger;

impl<B: VoteOps> Backward<B, 2> for Larger {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (a, b) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let (d_a, d_b) = B::larger_backward(a, b, grad);
        register::<B>(grads, parents.into_iter().zip([d_a, d_b]));
    }
}

impl<B: VoteOps, C: CheckpointStrategy> VoteOps for Autodiff<B, C> {
    fn by_sender(
        values: FloatTensor<Self>,
        worth: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        let nodes = [values.node(), worth.node()];
        let (values, worth) = (values.into_primitive(), worth.into_primitive());
        let out = B::by_sender(values.clone(), worth.clone(), edges.clone());
        match BySender.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((values, worth, edges), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn larger(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let (a, b) = (a.into_primitive(), b.into_primitive());
        let out = B::larger(a.clone(), b.clone());
        match Larger.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((a, b), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
