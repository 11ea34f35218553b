//! Fast bodies for the processor.

use super::TableOps;
use crate::buffers;
use crate::ops::arguments::Rows;
use crate::ops::flex_tensor::{shape_of, tensor, values, width_of};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::{gather, tables};

impl TableOps for Flex {
    fn stack(first: FlexTensor, second: FlexTensor) -> FlexTensor {
        let ([above, width], [below, _]) = (shape_of(&first), shape_of(&second));
        let mut out = buffers::any((above + below) * width);
        tables::join(&values(&first), &values(&second), &mut out);
        tensor(out, [above + below, width])
    }

    fn pad_rows(grad: FlexTensor, start: usize, height: usize) -> FlexTensor {
        let [_, width] = shape_of(&grad);
        let mut out = buffers::any(height * width);
        tables::pad(&values(&grad), start * width, &mut out);
        tensor(out, [height, width])
    }

    fn blend(a: FlexTensor, b: FlexTensor, scale: f32) -> FlexTensor {
        let [height, width] = shape_of(&a);
        let mut out = buffers::any(height * width);
        tables::blend(&values(&a), &values(&b), scale, &mut out);
        tensor(out, [height, width])
    }

    fn add_rows(mut x: FlexTensor, grad: FlexTensor, rows: Rows) -> FlexTensor {
        let whole = x.layout().contiguous_offsets() == Some((0, x.storage::<f32>().len()));
        if !whole {
            x = x.to_contiguous();
        }
        let width = width_of(&grad);
        gather::add_rows(&values(&grad), width, &rows, x.storage_mut());
        x
    }

    fn scaled(x: FlexTensor, scale: f32) -> FlexTensor {
        if scale == 1.0 {
            return x;
        }
        let [height, width] = shape_of(&x);
        let mut out = buffers::any(height * width);
        tables::scaled(&values(&x), scale, &mut out);
        tensor(out, [height, width])
    }
}
