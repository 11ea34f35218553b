//! Fast CPU bodies.

use super::TableOps;
use crate::buffers;
use crate::ops::flex::{shape_of, tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::tables;

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
