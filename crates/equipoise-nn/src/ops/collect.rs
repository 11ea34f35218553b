//! Gradients on their way into the tape.
//!
//! The tape adds up what the readers of a tensor report, one thread and one new table per sum. For a tensor that is marked
//! with [`TableOps::collect`](super::table::TableOps::collect) the operations here report to the tape once and keep the
//! rest in a sum beside it, made on all threads and in place. Who reads but some rows reports those: they are added to the
//! others' sum where they lie, in place of a table that is zero elsewhere. Readers that know nothing of it report to the
//! tape as ever: in the end all is added.

use super::table::TableOps;
use super::{EquipoiseOps, Rows};
use crate::buffers;
use crate::ops::flex::{tensor, values};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::Ops;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use equipoise_kernels::tables;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// What the readers of a marked tensor have reported.
enum Slot {
    Nothing,
    /// The tape has the first gradient, these are the others.
    Reported(Others),
}

/// Tensors of the backend of the tape.
#[derive(Default)]
struct Others {
    sum: Option<Box<dyn Any + Send>>,
    /// Gradients of some rows, distinct within each.
    rows: Vec<(Rows, Box<dyn Any + Send>)>,
}

/// Marked tensors whose gradient is still to come, by their number on the tape.
static OPEN: Mutex<BTreeMap<u64, Slot>> = Mutex::new(BTreeMap::new());

fn open() -> MutexGuard<'static, BTreeMap<u64, Slot>> {
    // Nothing panics between two statements that change it.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to what readers of one marked tensor report; given up when the tape forgets the tensor.
#[derive(Debug, Default)]
pub(super) struct Ticket(OnceLock<u64>);

impl Ticket {
    /// From now on, gradients of this node are collected.
    pub(super) fn open(&self, node: NodeId) {
        if self.0.set(node.value).is_ok() {
            open().insert(node.value, Slot::Nothing);
        }
    }

    /// All that was reported, given what the tape has.
    pub(super) fn total<B: TableOps>(&self, on_tape: FloatTensor<B>) -> FloatTensor<B> {
        let Some(Slot::Reported(others)) = self.close() else { return on_tape };
        let tables = others.sum.into_iter().map(own::<B>).fold(on_tape, |total, sum| added::<B>(sum, total));
        let add = |total, (rows, grad)| B::add_rows(total, own::<B>(grad), rows);
        others.rows.into_iter().fold(tables, add)
    }

    fn close(&self) -> Option<Slot> {
        self.0.get().and_then(|node| open().remove(node))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Tensors are freed after the lock.
        let _forgotten = self.close();
    }
}

/// Reports the gradients of the tensors that have one.
pub(super) fn register<B: Backend>(
    grads: &mut Gradients,
    gradients: impl IntoIterator<Item = (Option<NodeId>, FloatTensor<B>)>,
) {
    for (node, gradient) in gradients {
        if let Some(node) = node {
            report::<B>(grads, node, gradient);
        }
    }
}

/// The gradient of an operation with one operand, from that of its result.
pub(super) fn unary<B: Backend, S>(
    ops: Ops<S, 1>,
    grads: &mut Gradients,
    gradient: impl FnOnce(FloatTensor<B>, S) -> FloatTensor<B>,
) {
    let grad = grads.consume::<B>(&ops.node);
    let [parent] = ops.parents;
    if let Some(parent) = parent {
        report::<B>(grads, parent.id, gradient(grad, ops.state));
    }
}

/// Reports the gradient of [`gather_rows`](EquipoiseOps::gather_rows) from a table of `height` rows.
pub(super) fn report_rows<B: EquipoiseOps>(
    grads: &mut Gradients,
    node: NodeId,
    grad: FloatTensor<B>,
    rows: Rows,
    height: usize,
) {
    if let Some(Slot::Reported(others)) = open().get_mut(&node.value) {
        return others.rows.push((rows, Box::new(grad)));
    }
    report::<B>(grads, node, B::scatter_rows(grad, rows, height));
}

fn report<B: Backend>(grads: &mut Gradients, node: NodeId, gradient: FloatTensor<B>) {
    let first = Slot::Reported(Others::default());
    let slot = open().get_mut(&node.value).map(|slot| std::mem::replace(slot, first));
    let Some(Slot::Reported(mut others)) = slot else {
        return grads.register::<B>(node, gradient);
    };
    let sum = match others.sum.take() {
        Some(sum) => added::<B>(own::<B>(sum), gradient),
        None => gradient,
    };
    others.sum = Some(Box::new(sum));
    open().insert(node.value, Slot::Reported(others));
}

/// A tensor that a slot holds.
fn own<B: Backend>(held: Box<dyn Any + Send>) -> FloatTensor<B> {
    match held.downcast::<FloatTensor<B>>() {
        Ok(tensor) => *tensor,
        Err(_) => unreachable!("one tape is of one backend"),
    }
}

/// `a + b`: on all threads, and in place where one of them is nobody else's, if they lie in this machine's memory.
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

/// `a += b`; `b` may be taken for the sum.
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
    use crate::functions::{blend, collect, gather_rows, leaky_relu, sigmoid};
    use burn::tensor::Tensor;
    use std::ops::Range;

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
    fn what_is_never_differentiated_is_forgotten() {
        let x = leaf([1.0; 4]);
        let shared = collect(x * 2.0);
        let id = shared.clone().into_dispatch();
        drop((shared, id));
        let y = leaf([1.0; 4]);
        // Another tape's gradients are not touched.
        let gradients = collect(y.clone()).sum().backward();
        assert_eq!(vector(y.grad(&gradients).expect("the loss reaches it")), [1.0; 4]);
    }
}
