//! Burn's `flex` tensors as the slices that kernels read and write.

use crate::buffers::Buffer;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Shape, TensorData};
use std::borrow::Cow;

/// A tensor of numbers that a kernel wrote.
pub(super) fn tensor(values: Buffer, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::from_bytes(values.into(), shape, DType::F32))
}

/// A tensor's values in row-major order, where they lie, also those of a range of rows. Only a strided view is copied.
pub(super) fn values(t: &FlexTensor) -> Cow<'_, [f32]> {
    t.as_slice().map_or_else(|| Cow::Owned(copied(t)), Cow::Borrowed)
}

fn copied(t: &FlexTensor) -> Vec<f32> {
    t.to_contiguous().into_data().try_into_vec().expect("the operations are on float32")
}

/// Rows and columns of a table.
pub(super) fn shape_of(t: &FlexTensor) -> [usize; 2] {
    let shape = t.shape();
    [shape[0], shape[1]]
}

/// Numbers of a row: 1 where there is a number per row.
pub(super) fn width_of(t: &FlexTensor) -> usize {
    t.shape()[1..].iter().product()
}

/// The shape of `t` with another number of rows.
pub(super) fn with_rows(t: &FlexTensor, rows: usize) -> Shape {
    let mut shape = t.shape();
    shape[0] = rows;
    shape
}
