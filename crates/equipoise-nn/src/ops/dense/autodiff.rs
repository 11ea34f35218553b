//! Gradients of the operations on dense rows.

use super::{AffineKind, DenseOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;

/// Input, weight, output.
type Kept<B> = [FloatTensor<B>; 3];

#[derive(Debug)]
struct Affine;

impl<B: DenseOps> Backward<B, 3> for Affine {
    type State = (Kept<B>, bool);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([x, weight, y], leaky) = ops.state;
        let [of_x, of_weight, of_bias] = ops.parents;
        let kind = AffineKind { leaky, wants_x: of_x.is_some(), wants_added: false };
        let grad = grads.consume::<B>(&ops.node);
        let (d_x, d_weight, d_bias, _) = B::affine_backward(x, weight, y, grad, kind);
        for (parent, gradient) in [(of_x, d_x), (of_weight, d_weight), (of_bias, d_bias)] {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct AffineAdded;

impl<B: DenseOps> Backward<B, 4> for AffineAdded {
    type State = (Kept<B>, bool);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([x, weight, y], leaky) = ops.state;
        let [of_x, of_weight, of_bias, of_added] = ops.parents;
        let kind = AffineKind { leaky, wants_x: of_x.is_some(), wants_added: of_added.is_some() };
        let grad = grads.consume::<B>(&ops.node);
        let (d_x, d_weight, d_bias, d_added) = B::affine_backward(x, weight, y, grad, kind);
        let parents = [(of_x, d_x), (of_weight, d_weight), (of_bias, d_bias), (of_added, d_added)];
        for (parent, gradient) in parents {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct LogSumExp;

impl<B: DenseOps> Backward<B, 1> for LogSumExp {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, out) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::log_sum_exp_backward(x, out, grad));
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
        added: FloatTensor<Self>,
        leaky: bool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node(), added.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let (bias, added) = (bias.into_primitive(), added.into_primitive());
        let y = B::affine_added(x.clone(), weight.clone(), bias, added, leaky);
        match AffineAdded.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, weight, y.clone()], leaky), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn log_sum_exp(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let node = x.node();
        let x = x.into_primitive();
        let out = B::log_sum_exp(x.clone());
        match LogSumExp.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, out.clone()), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
