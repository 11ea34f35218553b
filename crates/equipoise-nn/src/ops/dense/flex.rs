//! Fast bodies for the processor.

use super::{AffineKind, DenseOps};
use crate::buffers;
use crate::ops::element::LEAKY_SLOPE;
use crate::ops::flex_tensor::{shape_of, tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::affine::{self, Affine, AffineGradients};
use equipoise_kernels::partition::{self, PartitionOperands};
use std::sync::Arc;

fn slope(leaky: bool) -> Option<f32> {
    leaky.then_some(LEAKY_SLOPE)
}

fn affine(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    added: &[FlexTensor],
    leaky: bool,
) -> FlexTensor {
    let ([n, _], [d, _]) = (shape_of(&x), shape_of(&weight));
    let (x, weight, bias) = (values(&x), values(&weight), values(&bias));
    let added: Vec<_> = added.iter().map(values).collect();
    let added: Vec<&[f32]> = added.iter().map(|e| &**e).collect();
    let mut y = buffers::any(n * d);
    let map = Affine { weight: &weight, bias: &bias, slope: slope(leaky) };
    affine::affine(map, &x, &added, &mut y);
    tensor(y, [n, d])
}

impl DenseOps for Flex {
    fn affine(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, leaky: bool) -> FlexTensor {
        affine(x, weight, bias, &[], leaky)
    }

    fn affine_added(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        leaky: bool,
    ) -> FlexTensor {
        affine(x, weight, bias, &[first, second], leaky)
    }

    fn affine_backward(
        x: FlexTensor,
        weight: FlexTensor,
        y: FlexTensor,
        grad: FlexTensor,
        kind: AffineKind,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        let ([n, k], [d, _]) = (shape_of(&x), shape_of(&weight));
        let rows = |wanted: bool| if wanted { n } else { 0 };
        // Without an activation the gradient of what is added is the gradient itself.
        let copies = kind.wants_added && kind.leaky;
        let (mut d_x, mut added) = (buffers::any(rows(kind.wants_x) * k), buffers::any(rows(copies) * d));
        let (mut d_weight, mut d_bias) = (buffers::any(d * k), buffers::any(d));
        let zeros = buffers::zeros(d);
        let (x, weight, y, of_y) = (values(&x), values(&weight), values(&y), values(&grad));
        let map = Affine { weight: &weight, bias: &zeros, slope: slope(kind.leaky) };
        let gradients =
            AffineGradients { x: &mut d_x, weight: &mut d_weight, bias: &mut d_bias, added: &mut added };
        affine::affine_backward(map, &x, &y, &of_y, gradients);
        let added = if copies { tensor(added, [n, d]) } else { grad.clone() };
        let d_x = if kind.wants_x { tensor(d_x, [n, k]) } else { grad };
        (d_x, tensor(d_weight, [d, k]), tensor(d_bias, [1, d]), added)
    }

    fn log_partition(a: FlexTensor, b: FlexTensor, offsets: Arc<[f32]>) -> FlexTensor {
        let [n, width] = shape_of(&a);
        let mut out = buffers::any(n);
        let operands = PartitionOperands { a: &values(&a), b: &values(&b), offsets: &offsets, width };
        partition::log_partition(operands, &mut out);
        tensor(out, [n, 1])
    }

    fn log_partition_backward(
        a: FlexTensor,
        b: FlexTensor,
        out: FlexTensor,
        grad: FlexTensor,
        offsets: Arc<[f32]>,
    ) -> (FlexTensor, FlexTensor) {
        let ([n, width], [m, _]) = (shape_of(&a), shape_of(&b));
        let (mut d_a, mut d_b) = (buffers::any(n * width), buffers::any(m * width));
        let operands = PartitionOperands { a: &values(&a), b: &values(&b), offsets: &offsets, width };
        partition::log_partition_backward(operands, &values(&out), &values(&grad), &mut d_a, &mut d_b);
        (tensor(d_a, [n, width]), tensor(d_b, [m, width]))
    }
}
