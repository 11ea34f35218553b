//! Gradients of the operations on whole tables.

use super::TableOps;
use crate::ops::gradient_sink::GradientSink;
use crate::ops::recorded::record;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, TensorMetadata};
use std::sync::Arc;

impl<B: TableOps, C: CheckpointStrategy> TableOps for Autodiff<B, C> {
    fn stack(first: FloatTensor<Self>, second: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [first.node(), second.node()];
        let cut = first.shape()[0];
        let height = cut + second.shape()[0];
        let out = B::stack(first.into_primitive(), second.into_primitive());
        record::<B, C, _, 2>(nodes, out, (cut, height), |grad, (cut, height), operands| {
            let of_first = B::range_of_rows(grad.clone(), 0, cut);
            operands.report_all([of_first, B::range_of_rows(grad, cut, height)]);
        })
    }

    fn range_of_rows(x: FloatTensor<Self>, start: usize, end: usize) -> FloatTensor<Self> {
        let (node, height) = (x.node(), x.shape()[0]);
        let out = B::range_of_rows(x.into_primitive(), start, end);
        record::<B, C, _, 1>([node], out, (start, height), |grad, (start, height), operands| {
            operands.report(0, B::pad_rows(grad, start, height));
        })
    }

    fn blend(a: FloatTensor<Self>, b: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let out = B::blend(a.into_primitive(), b.into_primitive(), scale);
        record::<B, C, _, 2>(nodes, out, scale, |grad, scale, operands| {
            let grad = B::scaled(grad, scale);
            operands.report_all([grad.clone(), grad]);
        })
    }

    fn collect(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (node, sink) = (x.node(), Arc::new(GradientSink::default()));
        let out = record::<B, C, _, 1>([node], x.into_primitive(), sink.clone(), |first, sink, operands| {
            operands.report(0, sink.total::<B>(first, B::add_rows));
        });
        if out.is_tracked() {
            sink.open(out.id());
        }
        out
    }
}
