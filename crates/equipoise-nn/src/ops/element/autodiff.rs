//! Gradients of activations and row normalisation.

use super::{Activation, ElementOps};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend};

#[derive(Debug)]
struct Activate;

impl<B: ElementOps> Backward<B, 1> for Activate {
    type State = (FloatTensor<B>, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (out, f) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::activate_backward(out, grad, f));
    }
}

#[derive(Debug)]
struct NormaliseRows;

impl<B: ElementOps> Backward<B, 1> for NormaliseRows {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (out, norms) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::normalise_rows_backward(out, norms, grad));
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
