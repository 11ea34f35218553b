//! Short forms of Burn's own operations, on any backend.

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{FloatDType, IndexingUpdateOp, IntDType, Shape, TensorData};

/// Row numbers on a device.
pub(super) fn indices<B: Backend>(rows: &[u32], device: &Device<B>) -> IntTensor<B> {
    let values: Vec<i32> = rows.iter().map(|&r| r as i32).collect();
    let n = values.len();
    let tensor = B::int_from_data(TensorData::new(values, [n]), device);
    B::int_cast(tensor, IntDType::I32)
}

/// A table on a device.
pub(super) fn values<B: Backend>(data: Vec<f32>, shape: [usize; 2], device: &Device<B>) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(data, shape), device)
}

/// Zeros on a device.
pub(super) fn zeros<B: Backend, const D: usize>(shape: [usize; D], device: &Device<B>) -> FloatTensor<B> {
    B::float_zeros(Shape::from(shape), device, FloatDType::F32)
}

/// The given rows of a table.
pub(super) fn select<B: Backend>(table: FloatTensor<B>, rows: &[u32]) -> FloatTensor<B> {
    let rows = indices::<B>(rows, &table.device());
    B::float_select(table, 0, rows)
}

/// `out` with `value[k]` added to its row `rows[k]`.
pub(super) fn select_add<B: Backend>(
    out: FloatTensor<B>,
    rows: &[u32],
    value: FloatTensor<B>,
) -> FloatTensor<B> {
    let rows = indices::<B>(rows, &value.device());
    B::float_select_assign(out, 0, rows, value, IndexingUpdateOp::Add)
}

/// `[n]` as `[n, 1]`.
pub(super) fn column<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n, 1]))
}

/// `[n, 1]` as `[n]`.
pub(super) fn flat<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let n = x.shape()[0];
    B::float_reshape(x, Shape::from([n]))
}
