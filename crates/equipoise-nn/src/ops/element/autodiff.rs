//! Gradients of activations, gates and row normalisation.

use super::{Activation, ElementOps};
use crate::ops::recorded::record;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend};

impl<B: ElementOps, C: CheckpointStrategy> ElementOps for Autodiff<B, C> {
    fn activate(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self> {
        let node = x.node();
        let out = B::activate(x.into_primitive(), f);
        record::<B, C, _, 1>([node], out.clone(), (out, f), |grad, (out, f), operands| {
            operands.report(0, B::activate_backward(out, grad, f));
        })
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
        record::<B, C, _, 4>(nodes, out, [x, weights, base, gate], |grad, kept, operands| {
            let [x, weights, base, gate] = kept;
            operands.report_all(B::gated_backward(x, weights, base, gate, grad));
        })
    }

    fn normalise_rows(x: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = x.node();
        let (out, norms) = B::normalise_rows(x.into_primitive());
        let constant = <Self as AutodiffBackend>::from_inner(norms.clone());
        let out = record::<B, C, _, 1>([node], out.clone(), (out, norms), |grad, (out, norms), operands| {
            operands.report(0, B::normalise_rows_backward(out, norms, grad));
        });
        (out, constant)
    }
}
