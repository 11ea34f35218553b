//! Gradients of the operations on whole tables.

use super::TableOps;
use crate::ops::collect::{Ticket, register, unary};
use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use std::sync::Arc;

#[derive(Debug)]
struct Stack;

impl<B: TableOps> Backward<B, 2> for Stack {
    /// Rows of the first table, and of both.
    type State = (usize, usize);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (cut, height) = ops.state;
        let [first, second] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let of_first = B::range_of_rows(grad.clone(), 0, cut);
        register::<B>(grads, [(first, of_first), (second, B::range_of_rows(grad, cut, height))]);
    }
}

#[derive(Debug)]
struct RangeOfRows;

impl<B: TableOps> Backward<B, 1> for RangeOfRows {
    /// First row, and rows of the whole.
    type State = (usize, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |grad, (start, height)| B::pad_rows(grad, start, height));
    }
}

#[derive(Debug)]
struct Blend;

impl<B: TableOps> Backward<B, 2> for Blend {
    type State = f32;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = B::scaled(grads.consume::<B>(&ops.node), ops.state);
        register::<B>(grads, parents.map(|parent| (parent, grad.clone())));
    }
}

#[derive(Debug)]
struct Collect;

impl<B: TableOps> Backward<B, 1> for Collect {
    type State = Arc<Ticket>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |first, ticket| ticket.total::<B>(first));
    }
}

impl<B: TableOps, C: CheckpointStrategy> TableOps for Autodiff<B, C> {
    fn stack(first: FloatTensor<Self>, second: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [first.node(), second.node()];
        let heights = (first.shape()[0], first.shape()[0] + second.shape()[0]);
        let out = B::stack(first.into_primitive(), second.into_primitive());
        match Stack.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(heights, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn range_of_rows(x: FloatTensor<Self>, start: usize, end: usize) -> FloatTensor<Self> {
        let (node, height) = (x.node(), x.shape()[0]);
        let out = B::range_of_rows(x.into_primitive(), start, end);
        match RangeOfRows.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((start, height), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn blend(a: FloatTensor<Self>, b: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let out = B::blend(a.into_primitive(), b.into_primitive(), scale);
        match Blend.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(scale, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn collect(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let node = x.node();
        match Collect.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let ticket = Arc::new(Ticket::default());
                let out = prep.finish(ticket.clone(), x.into_primitive());
                ticket.open(out.id());
                out
            }
            OpsKind::UnTracked(prep) => prep.finish(x.into_primitive()),
        }
    }
}
