//! Gradients of the operations on dense rows.

use super::{AffineKind, DenseOps};
use crate::ops::recorded::record;
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use std::sync::Arc;

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
        record::<B, C, _, 3>(nodes, y.clone(), ([x, weight, y], leaky), |grad, kept, operands| {
            let ([x, weight, y], leaky) = kept;
            let kind = AffineKind { leaky, wants_x: operands.wants(0), wants_added: false };
            let (d_x, d_weight, d_bias, _) = B::affine_backward(x, weight, y, grad, kind);
            operands.report_all([d_x, d_weight, d_bias]);
        })
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
        record::<B, C, _, 5>(nodes, y.clone(), ([x, weight, y], leaky), |grad, kept, operands| {
            let ([x, weight, y], leaky) = kept;
            let wants_added = operands.wants(3) || operands.wants(4);
            let kind = AffineKind { leaky, wants_x: operands.wants(0), wants_added };
            let (d_x, d_weight, d_bias, d_added) = B::affine_backward(x, weight, y, grad, kind);
            operands.report_all([d_x, d_weight, d_bias, d_added.clone(), d_added]);
        })
    }

    fn log_partition(a: FloatTensor<Self>, b: FloatTensor<Self>, offsets: Arc<[f32]>) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let (a, b) = (a.into_primitive(), b.into_primitive());
        let out = B::log_partition(a.clone(), b.clone(), offsets.clone());
        record::<B, C, _, 2>(nodes, out.clone(), ([a, b, out], offsets), |grad, kept, operands| {
            let ([a, b, out], offsets) = kept;
            operands.report_all(B::log_partition_backward(a, b, out, grad, offsets));
        })
    }
}
