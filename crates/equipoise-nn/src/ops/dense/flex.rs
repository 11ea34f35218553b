//! Fast CPU bodies of the operations on dense rows.

use super::{AffineKind, DenseOps};
use crate::ops::element::LEAKY_SLOPE;
use crate::ops::flex::{contiguous, shape_of, tensor};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::affine::{self, Affine, AffineGradients};
use equipoise_kernels::partition;

fn slope(leaky: bool) -> Option<f32> {
    leaky.then_some(LEAKY_SLOPE)
}

fn affine(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    added: Option<FlexTensor>,
    leaky: bool,
) -> FlexTensor {
    let (x, weight, bias) = (contiguous(&x), contiguous(&weight), contiguous(&bias));
    let added = added.map(|added| contiguous(&added));
    let ([n, _], [d, _]) = (shape_of(&x), shape_of(&weight));
    let mut y = vec![0.0; n * d];
    let map = Affine { weight: weight.storage(), bias: bias.storage(), slope: slope(leaky) };
    affine::affine(map, x.storage(), added.as_ref().map(|added| added.storage()), &mut y);
    tensor(y, [n, d])
}

impl DenseOps for Flex {
    fn affine(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, leaky: bool) -> FlexTensor {
        affine(x, weight, bias, None, leaky)
    }

    fn affine_added(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        added: FlexTensor,
        leaky: bool,
    ) -> FlexTensor {
        affine(x, weight, bias, Some(added), leaky)
    }

    fn affine_backward(
        x: FlexTensor,
        weight: FlexTensor,
        y: FlexTensor,
        grad: FlexTensor,
        kind: AffineKind,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        let (x, weight, y, grad) = (contiguous(&x), contiguous(&weight), contiguous(&y), contiguous(&grad));
        let ([n, k], [d, _]) = (shape_of(&x), shape_of(&weight));
        let rows = |wanted: bool| if wanted { n } else { 0 };
        // Without an activation the gradient of what is added is the gradient itself.
        let copies = kind.wants_added && kind.leaky;
        let (mut d_x, mut added) = (vec![0.0; rows(kind.wants_x) * k], vec![0.0; rows(copies) * d]);
        let (mut d_weight, mut d_bias) = (vec![0.0; d * k], vec![0.0; d]);
        let zeros = vec![0.0; d];
        let map = Affine { weight: weight.storage(), bias: &zeros, slope: slope(kind.leaky) };
        let gradients =
            AffineGradients { x: &mut d_x, weight: &mut d_weight, bias: &mut d_bias, added: &mut added };
        affine::affine_backward(map, x.storage(), y.storage(), grad.storage(), gradients);
        let added = if copies { tensor(added, [n, d]) } else { grad.clone() };
        let d_x = if kind.wants_x { tensor(d_x, [n, k]) } else { grad };
        (d_x, tensor(d_weight, [d, k]), tensor(d_bias, [1, d]), added)
    }

    fn log_sum_exp(x: FlexTensor) -> FlexTensor {
        let (x, [n, width]) = (contiguous(&x), shape_of(&x));
        let mut out = vec![0.0; n];
        partition::log_sum_exp(x.storage(), width, &mut out);
        tensor(out, [n, 1])
    }

    fn log_sum_exp_backward(x: FlexTensor, out: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (x, out, grad, [n, width]) = (contiguous(&x), contiguous(&out), contiguous(&grad), shape_of(&x));
        let mut d_x = vec![0.0; n * width];
        partition::log_sum_exp_backward(x.storage(), out.storage(), width, grad.storage(), &mut d_x);
        tensor(d_x, [n, width])
    }
}
