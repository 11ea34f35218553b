//! Fast CPU bodies of activations and row normalisation.

use super::{Activation, ElementOps, LEAKY_SLOPE};
use crate::buffers;
use crate::ops::flex::{shape_of, tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
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
