//! Recording of operations for the backward pass.

use super::arguments::Rows;
use super::gradient_sink::{report, report_rows};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};
use std::fmt::{Debug, Formatter};
use std::marker::PhantomData;

/// The gradient of an operation with `N` operands: a function of the gradient of its result and of what was kept, which
/// reports the gradient of each operand.
type Gradient<B, S, const N: usize> = fn(FloatTensor<B>, S, &mut Operands<B, N>);

/// Records an operation: its operands `nodes`, its result `out`, what its gradient needs (`kept`), and the gradient. If no
/// operand is differentiated, the gradient is forgotten.
pub(super) fn record<B, C, S, const N: usize>(
    nodes: [NodeGuard; N],
    out: FloatTensor<B>,
    kept: S,
    gradient: Gradient<B, S, N>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    S: Clone + Debug + Send + 'static,
{
    match Recorded(gradient).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(kept, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// A step of the backward pass.
struct Recorded<B: Backend, S, const N: usize>(Gradient<B, S, N>);

impl<B: Backend, S, const N: usize> Debug for Recorded<B, S, N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorded")
    }
}

impl<B: Backend, S: Clone + Debug + Send + 'static, const N: usize> Backward<B, N> for Recorded<B, S, N> {
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let nodes = ops.parents.map(|parent| parent.map(|parent| parent.id));
        (self.0)(grad, ops.state, &mut Operands { nodes, grads, backend: PhantomData });
    }
}

/// The operands of an operation in the backward pass, by position.
pub(super) struct Operands<'a, B: Backend, const N: usize> {
    /// Those that are differentiated.
    nodes: [Option<NodeId>; N],
    grads: &'a mut Gradients,
    backend: PhantomData<B>,
}

impl<B: Backend, const N: usize> Operands<'_, B, N> {
    /// Whether the gradient of an operand is wanted.
    pub(super) fn wants(&self, operand: usize) -> bool {
        self.nodes[operand].is_some()
    }

    /// Whether two operands are one tensor whose gradient is wanted.
    pub(super) fn are_one(&self, a: usize, b: usize) -> bool {
        self.wants(a) && self.nodes[a] == self.nodes[b]
    }

    /// Reports the gradient of an operand, if it is wanted.
    pub(super) fn report(&mut self, operand: usize, gradient: FloatTensor<B>) {
        if let Some(node) = self.nodes[operand] {
            report::<B>(self.grads, node, gradient);
        }
    }

    /// Reports the gradient of every operand, in order.
    pub(super) fn report_all(&mut self, gradients: impl Into<[FloatTensor<B>; N]>) {
        for (operand, gradient) in gradients.into().into_iter().enumerate() {
            self.report(operand, gradient);
        }
    }

    /// Reports a gradient that is zero but for some distinct rows; `whole` makes the table of all rows.
    pub(super) fn report_rows(
        &mut self,
        operand: usize,
        grad: FloatTensor<B>,
        rows: Rows,
        whole: impl FnOnce(FloatTensor<B>, Rows) -> FloatTensor<B>,
    ) {
        if let Some(node) = self.nodes[operand] {
            report_rows::<B>(self.grads, node, grad, rows, whole);
        }
    }
}
