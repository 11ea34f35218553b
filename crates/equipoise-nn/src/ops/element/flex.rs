//! Fast CPU bodies of activations and row normalisation.

use super::{Activation, ElementOps, LEAKY_SLOPE};
use crate::ops::flex::{contiguous, shape_of, tensor};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_kernels::{activate, normalise};

impl ElementOps for Flex {
    fn activate(x: FlexTensor, f: Activation) -> FlexTensor {
        let (x, shape) = (contiguous(&x), shape_of(&x));
        let mut out = vec![0.0; shape[0] * shape[1]];
        match f {
            Activation::LeakyRelu => activate::leaky_relu(x.storage(), LEAKY_SLOPE, &mut out),
            Activation::Sigmoid => activate::sigmoid(x.storage(), &mut out),
            Activation::Tanh => activate::tanh(x.storage(), &mut out),
        }
        tensor(out, shape)
    }

    fn activate_backward(out: FlexTensor, grad: FlexTensor, f: Activation) -> FlexTensor {
        let (y, grad, shape) = (contiguous(&out), contiguous(&grad), shape_of(&out));
        let mut out = vec![0.0; shape[0] * shape[1]];
        match f {
            // The sign of the output is the sign of the input.
            Activation::LeakyRelu => {
                activate::leaky_relu_backward(y.storage(), LEAKY_SLOPE, grad.storage(), &mut out);
            }
            Activation::Sigmoid => activate::sigmoid_backward(y.storage(), grad.storage(), &mut out),
            Activation::Tanh => activate::tanh_backward(y.storage(), grad.storage(), &mut out),
        }
        tensor(out, shape)
    }

    fn normalise_rows(x: FlexTensor) -> (FlexTensor, FlexTensor) {
        let (x, [height, width]) = (contiguous(&x), shape_of(&x));
        let (mut out, mut norms) = (vec![0.0; height * width], vec![0.0; height]);
        normalise::normalise_rows(x.storage(), width, &mut out, &mut norms);
        (tensor(out, [height, width]), tensor(norms, [height, 1]))
    }

    fn normalise_rows_backward(out: FlexTensor, norms: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (y, norms, grad) = (contiguous(&out), contiguous(&norms), contiguous(&grad));
        let [height, width] = shape_of(&out);
        let mut d_x = vec![0.0; height * width];
        normalise::normalise_rows_backward(y.storage(), norms.storage(), width, grad.storage(), &mut d_x);
        tensor(d_x, [height, width])
    }
}
