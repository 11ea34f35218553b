//! The sum of the gradients of a tensor that several operations read.
//!
//! Burn's tape adds up the gradients of a tensor on one thread, with a new table per sum. For a tensor that is marked by
//! [`TableOps::collect`](super::table::TableOps::collect), the operations of this crate report the first gradient to the
//! tape and give the others to a [`GradientSink`], which adds them on all threads and in place. An operation that reads
//! only some rows gives the gradient of those rows, which is added to the sum at the end without a table that is zero
//! elsewhere. Burn's own operations report to the tape. The step of the mark adds both sums.
//!
//! The sink belongs to that step and is dropped with it. The other operations find it by the number of the tensor's node
//! through a process-wide index of weak references, because Burn 0.22 offers no other way:
//!
//! * A backward step knows nothing of an operand but its node, whose number and fields Burn alone sets. Neither a node nor a
//!   tensor has room for a handle.
//! * `Gradients`, which is passed from step to step, finds a sum by a tensor of the tape. A step has no such tensor, and
//!   could not know which of its operands are marked.
//! * A handle as an argument would be one more argument per operand of every operation, and a backbone could not treat a
//!   marked table as a tensor: the mark would be lost with every operation of Burn's.
//!
//! The index has one entry per marked tensor of each tape, of whatever backend, so the sums in a sink are `dyn Any`. A tape
//! is of one backend, so a sum always has the type that its reader expects.

use super::arguments::Rows;
use super::flex_tensor::{tensor, values};
use crate::buffers;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use equipoise_kernels::tables;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The sinks of marked tensors on all tapes, by the number of the tensor's node.
static SINKS: Mutex<BTreeMap<u64, Weak<GradientSink>>> = Mutex::new(BTreeMap::new());

/// Adds up the gradients of one marked tensor.
#[derive(Debug, Default)]
pub(super) struct GradientSink {
    node: OnceLock<u64>,
    reported: Mutex<Reported>,
}

/// What the readers of a marked tensor have reported: tensors of the backend of the tape.
#[derive(Debug, Default)]
struct Reported {
    /// Whether the tape has the first gradient.
    first: bool,
    /// The sum of the others.
    sum: Option<Box<dyn Any + Send>>,
    /// Gradients of some rows, distinct within each.
    rows: Vec<(Rows, Box<dyn Any + Send>)>,
}

impl GradientSink {
    /// From now on, gradients of this node are collected.
    pub(super) fn open(self: &Arc<Self>, node: NodeId) {
        if self.node.set(node.value).is_ok() {
            sinks().insert(node.value, Arc::downgrade(self));
        }
    }

    /// The sum of everything that was reported, given what the tape has. `add_rows` adds the gradient of some rows.
    pub(super) fn total<B: Backend>(
        &self,
        on_tape: FloatTensor<B>,
        add_rows: impl Fn(FloatTensor<B>, FloatTensor<B>, Rows) -> FloatTensor<B>,
    ) -> FloatTensor<B> {
        let Reported { sum, rows, .. } = std::mem::take(&mut *self.reported());
        let tables = sum.into_iter().map(own::<B>).fold(on_tape, |total, sum| added::<B>(sum, total));
        rows.into_iter().fold(tables, |total, (rows, grad)| add_rows(total, own::<B>(grad), rows))
    }

    /// Takes note of a gradient, and says whether it is the first one, which is the tape's.
    fn is_first(&self) -> bool {
        !std::mem::replace(&mut self.reported().first, true)
    }

    /// Adds a gradient of the whole tensor.
    fn add<B: Backend>(&self, gradient: FloatTensor<B>) {
        // The sum is made without the lock.
        let before = self.reported().sum.take();
        let sum = match before {
            Some(sum) => added::<B>(own::<B>(sum), gradient),
            None => gradient,
        };
        self.reported().sum = Some(Box::new(sum));
    }

    fn reported(&self) -> MutexGuard<'_, Reported> {
        // Nothing panics while the lock is held.
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for GradientSink {
    fn drop(&mut self) {
        if let Some(node) = self.node.get() {
            sinks().remove(node);
        }
    }
}

fn sinks() -> MutexGuard<'static, BTreeMap<u64, Weak<GradientSink>>> {
    // Nothing panics while the lock is held.
    SINKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sink of a node, if its tensor is marked.
fn sink_of(node: NodeId) -> Option<Arc<GradientSink>> {
    sinks().get(&node.value).and_then(Weak::upgrade)
}

/// Reports the gradient of a tensor.
pub(super) fn report<B: Backend>(grads: &mut Gradients, node: NodeId, gradient: FloatTensor<B>) {
    match sink_of(node) {
        Some(sink) if !sink.is_first() => sink.add::<B>(gradient),
        _ => grads.register::<B>(node, gradient),
    }
}

/// Reports a gradient that is zero but for some distinct rows; `whole` makes the table of all rows.
pub(super) fn report_rows<B: Backend>(
    grads: &mut Gradients,
    node: NodeId,
    grad: FloatTensor<B>,
    rows: Rows,
    whole: impl FnOnce(FloatTensor<B>, Rows) -> FloatTensor<B>,
) {
    match sink_of(node) {
        Some(sink) if !sink.is_first() => sink.reported().rows.push((rows, Box::new(grad))),
        _ => grads.register::<B>(node, whole(grad, rows)),
    }
}

/// A tensor that a sink holds.
fn own<B: Backend>(held: Box<dyn Any + Send>) -> FloatTensor<B> {
    match held.downcast::<FloatTensor<B>>() {
        Ok(tensor) => *tensor,
        Err(_) => unreachable!("one tape is of one backend"),
    }
}

/// `a + b`: for tensors in this machine's memory on all threads, and in place if one of them has no other owner.
fn added<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    let mut pair: Box<dyn Any> = Box::new((a, b));
    if let Some((a, b)) = pair.downcast_mut::<(FlexTensor, FlexTensor)>() {
        // The sum is in `a`.
        add_to(a, b);
    } else if let Some((a, b)) = pair.downcast_mut::<(FloatTensor<B>, FloatTensor<B>)>() {
        *a = B::float_add(a.clone(), b.clone());
    }
    match pair.downcast::<(FloatTensor<B>, FloatTensor<B>)>() {
        Ok(pair) => pair.0,
        Err(_) => unreachable!("a pair of these tensors was put in"),
    }
}

/// `a += b`; the memory of `b` may be used for the sum.
fn add_to(a: &mut FlexTensor, b: &mut FlexTensor) {
    if !a.is_unique() && b.is_unique() {
        std::mem::swap(a, b);
    }
    match a.layout().contiguous_offsets() {
        Some((start, end)) if a.is_unique() => tables::add(&values(b), &mut a.storage_mut()[start..end]),
        _ => {
            let mut out = buffers::any(a.shape().num_elements());
            tables::blend(&values(a), &values(b), 1.0, &mut out);
            *a = tensor(out, a.shape());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GradientSink, sink_of, sinks};
    use crate::functions::{blend, collect, gather_rows, leaky_relu, sigmoid};
    use burn::backend::autodiff::NodeId;
    use burn::tensor::Tensor;
    use std::ops::Range;
    use std::sync::Arc;

    fn leaf(values: [f32; 4]) -> Tensor<2> {
        let device = crate::device("cpu").expect("there is a processor");
        Tensor::<2>::from_data([[values[0], values[1]], [values[2], values[3]]], &device)
            .autodiff()
            .require_grad()
    }

    fn vector(t: Tensor<2>) -> Vec<f32> {
        t.into_data().try_into_vec().expect("float32")
    }

    /// The gradient of a sum over several readers, some of this crate, some of the tape's own and some of a few rows.
    fn gradient(marked: bool, readers: Range<usize>) -> Vec<f32> {
        let x = leaf([1.0, -2.0, 3.0, 0.5]);
        let shared = if marked { collect(x.clone() * 2.0) } else { x.clone() * 2.0 };
        let read = |n: usize| match n % 5 {
            0 => leaky_relu(shared.clone()),
            4 => gather_rows(shared.clone(), &[1, 0].into()),
            1 => shared.clone() * (n as f32),
            2 => blend(shared.clone(), sigmoid(shared.clone()), 0.5),
            _ => shared.clone().exp(),
        };
        let sum = readers.map(read).reduce(|a, b| a + b).expect("there is a reader");
        let gradients = sum.sum().backward();
        vector(x.grad(&gradients).expect("the loss reaches it"))
    }

    #[test]
    fn collected_gradients_are_those_of_the_tape() {
        for readers in (1..11).flat_map(|end| (0..end).map(move |start| start..end)) {
            let [found, expected] = [true, false].map(|marked| gradient(marked, readers.clone()));
            for (f, e) in found.iter().zip(&expected) {
                assert!((f - e).abs() <= 1e-5 * (1.0 + e.abs()), "{readers:?}: {found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_sink_leaves_the_index_with_its_owner() {
        // No tape gets as far as this number.
        let (sink, node) = (Arc::new(GradientSink::default()), NodeId { value: u64::MAX - 1 });
        sink.open(node);
        assert!(sink_of(node).is_some_and(|found| Arc::ptr_eq(&found, &sink)));
        drop(sink);
        assert!(!sinks().contains_key(&node.value));
    }

    #[test]
    fn tapes_that_are_never_differentiated_disturb_no_other() {
        let x = leaf([1.0; 4]);
        drop(collect(x * 2.0));
        let y = leaf([1.0; 4]);
        let gradients = collect(y.clone()).sum().backward();
        assert_eq!(vector(y.grad(&gradients).expect("the loss reaches it")), [1.0; 4]);
    }
}
