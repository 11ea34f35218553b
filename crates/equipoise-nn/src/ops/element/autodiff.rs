//! Gradients of activations, gates and row normalisation.

use super::{Activation, ElementOps};
use crate::ops::collect::{register, unary};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend};

#[derive(Debug)]
struct Activate;

impl<B: ElementOps> Backward<B, 1> for Activate {
    type State = (FloatTensor<B>, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |grad, (out, f)| B::activate_backward(out, grad, f));
    }
}

#[derive(Debug)]
struct Gated;

impl<B: ElementOps> Backward<B, 4> for Gated {
    type State = [FloatTensor<B>; 4];

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, weights, base, gate] = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (d_x, d_weights, d_base, d_gate) = B::gated_backward(x, weights, base, gate, grad);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B>(grads, parents.into_iter().zip([d_x, d_weights, d_base, d_gate]));
    }
}

#[derive(Debug)]
struct NormaliseRows;

impl<B: ElementOps> Backward<B, 1> for NormaliseRows {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |grad, (out, norms)| B::normalise_rows_backward(out, norms, grad));
    }
}

impl<B: ElementOps, C: CheckpointStrategy> ElementOps for Autodiff<B, C> {
    fn activate(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self> {
        let node = x.node();
        let out = B::activate(x.into_primitive(), f);
        match Activate.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((out.clone(), f), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn gated(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        base: FloatTensor<Self>,
        gate: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node(), base.node(), gate.node()];
        let [x, weights, base, gate] = [x, weights, base, gate].map(|table| table.into_primitive());
        let out = B::gated(x.clone(), weights.clone(), base.clone(), gate.clone());
        match Gated.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish([x, weights, base, gate], out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn normalise_rows(x: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = x.node();
        let (out, norms) = B::normalise_rows(x.into_primitive());
        let constant = <Self as AutodiffBackend>::from_inner(norms.clone());
        let out = match NormaliseRows.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((out.clone(), norms), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        (out, constant)
    }
}
