//! Gradients of the operations on dense rows.

use super::{AffineKind, DenseOps};
use crate::ops::collect::register;
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use std::sync::Arc;

/// Both operands and the output.
type Kept<B> = [FloatTensor<B>; 3];

#[derive(Debug)]
struct Affine;

impl<B: DenseOps> Backward<B, 3> for Affine {
    type State = (Kept<B>, bool);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([x, weight, y], leaky) = ops.state;
        let [of_x, of_weight, of_bias] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let kind = AffineKind { leaky, wants_x: of_x.is_some(), wants_added: false };
        let grad = grads.consume::<B>(&ops.node);
        let (d_x, d_weight, d_bias, _) = B::affine_backward(x, weight, y, grad, kind);
        register::<B>(grads, [(of_x, d_x), (of_weight, d_weight), (of_bias, d_bias)]);
    }
}

#[derive(Debug)]
struct AffineAdded;

impl<B: DenseOps> Backward<B, 5> for AffineAdded {
    type State = (Kept<B>, bool);

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([x, weight, y], leaky) = ops.state;
        let [of_x, of_weight, of_bias, of_first, of_second] = ops.parents.map(|p| p.map(|parent| parent.id));
        let wants_added = of_first.or(of_second).is_some();
        let kind = AffineKind { leaky, wants_x: of_x.is_some(), wants_added };
        let grad = grads.consume::<B>(&ops.node);
        let (d_x, d_weight, d_bias, d_added) = B::affine_backward(x, weight, y, grad, kind);
        register::<B>(grads, [(of_x, d_x), (of_weight, d_weight), (of_bias, d_bias)]);
        register::<B>(grads, [(of_first, d_added.clone()), (of_second, d_added)]);
    }
}

#[derive(Debug)]
struct LogPartition;

impl<B: DenseOps> Backward<B, 2> for LogPartition {
    type State = (Kept<B>, Arc<[f32]>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([a, b, out], offsets) = ops.state;
        let [of_a, of_b] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let (d_a, d_b) = B::log_partition_backward(a, b, out, grad, offsets);
        register::<B>(grads, [(of_a, d_a), (of_b, d_b)]);
    }
}

impl<B: DenseOps, C: CheckpointStrategy> DenseOps for Autodiff<B, C> {
    fn affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        leaky: bool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let y = B::affine(x.clone(), weight.clone(), bias.into_primitive(), leaky);
        match Affine.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, weight, y.clone()], leaky), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn affine_added(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        leaky: bool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node(), first.node(), second.node()];
        let [x, weight, bias, first, second] =
            [x, weight, bias, first, second].map(|table| table.into_primitive());
        let y = B::affine_added(x.clone(), weight.clone(), bias, first, second, leaky);
        match AffineAdded.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, weight, y.clone()], leaky), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn log_partition(a: FloatTensor<Self>, b: FloatTensor<Self>, offsets: Arc<[f32]>) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let (a, b) = (a.into_primitive(), b.into_primitive());
        let out = B::log_partition(a.clone(), b.clone(), offsets.clone());
        match LogPartition.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([a, b, out.clone()], offsets), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
