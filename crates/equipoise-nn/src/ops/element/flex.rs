//! Fast bodies for the processor.

use super::{Activation, ElementOps, LEAKY_SLOPE};
use crate::buffers;
use crate::ops::flex_tensor::{shape_of, tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::gated::{self, Gated, GatedGradients};
use equipoise_kernels::{activate, normalise};

impl ElementOps for Flex {
    fn activate(x: FlexTensor, f: Activation) -> FlexTensor {
        let (x, shape) = (values(&x), shape_of(&x));
        let mut out = buffers::any(shape[0] * shape[1]);
        match f {
            Activation::LeakyRelu => activate::leaky_relu(&x, LEAKY_SLOPE, &mut out),
            Activation::Sigmoid => activate::sigmoid(&x, &mut out),
            Activation::Tanh => activate::tanh(&x, &mut out),
        }
        tensor(out, shape)
    }

    fn activate_backward(out: FlexTensor, grad: FlexTensor, f: Activation) -> FlexTensor {
        let (y, grad, shape) = (values(&out), values(&grad), shape_of(&out));
        let mut out = buffers::any(shape[0] * shape[1]);
        match f {
            // The sign of the output is the sign of the input.
            Activation::LeakyRelu => {
                activate::leaky_relu_backward(&y, LEAKY_SLOPE, &grad, &mut out);
            }
            Activation::Sigmoid => activate::sigmoid_backward(&y, &grad, &mut out),
            Activation::Tanh => activate::tanh_backward(&y, &grad, &mut out),
        }
        tensor(out, shape)
    }

    fn gated(x: FlexTensor, weights: FlexTensor, base: FlexTensor, gate: FlexTensor) -> FlexTensor {
        let [height, width] = shape_of(&x);
        let (x, weights, base, gate) = (values(&x), values(&weights), values(&base), values(&gate));
        let mut out = buffers::any(height * width);
        let of = Gated { x: &x, weights: &weights, base: &base, gate: &gate, width };
        gated::gated(of, &mut out);
        tensor(out, [height, width])
    }

    fn gated_backward(
        x: FlexTensor,
        weights: FlexTensor,
        base: FlexTensor,
        gate: FlexTensor,
        grad: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        let [height, width] = shape_of(&x);
        let (x, weights, base, gate) = (values(&x), values(&weights), values(&base), values(&gate));
        let of = Gated { x: &x, weights: &weights, base: &base, gate: &gate, width };
        let [mut d_x, mut d_base, mut d_gate] = [0; 3].map(|_| buffers::any(height * width));
        let mut d_weights = buffers::any(height);
        let gradients =
            GatedGradients { x: &mut d_x, weights: &mut d_weights, base: &mut d_base, gate: &mut d_gate };
        gated::gated_backward(of, &values(&grad), gradients);
        let table = |values| tensor(values, [height, width]);
        (table(d_x), tensor(d_weights, [height, 1]), table(d_base), table(d_gate))
    }

    fn normalise_rows(x: FlexTensor) -> (FlexTensor, FlexTensor) {
        let (x, [height, width]) = (values(&x), shape_of(&x));
        let (mut out, mut norms) = (buffers::any(height * width), buffers::any(height));
        normalise::normalise_rows(&x, width, &mut out, &mut norms);
        (tensor(out, [height, width]), tensor(norms, [height, 1]))
    }

    fn normalise_rows_backward(out: FlexTensor, norms: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (y, norms, grad) = (values(&out), values(&norms), values(&grad));
        let [height, width] = shape_of(&out);
        let mut d_x = buffers::any(height * width);
        normalise::normalise_rows_backward(&y, &norms, width, &grad, &mut d_x);
        tensor(d_x, [height, width])
    }
}
