//! Kernels on tensors.

use super::kernels;
use crate::ops::plain::{indices, zeros};
use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::Shape;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::{CubeCount, CubeDim, calculate_cube_count_elemwise};
use equipoise_kernels::adam::AdamStep;

/// A tensor on a GPU.
pub(super) type Table = FloatTensor<Cube>;

/// Added to a softmax's denominator.
const EPSILON: f32 = 1e-16;

/// Compressed rows on a device.
pub(super) struct Lists {
    /// Bounds, one more than there are rows.
    pub indptr: IntTensor<Cube>,
    /// Row numbers of another table.
    pub columns: IntTensor<Cube>,
}

impl Lists {
    pub(super) fn new(indptr: &[usize], columns: &[u32], device: &Device<Cube>) -> Lists {
        Lists { indptr: indices::<Cube>(&narrow(indptr), device), columns: indices::<Cube>(columns, device) }
    }

    fn height(&self) -> usize {
        self.indptr.shape()[0] - 1
    }
}

/// Bounds are at most the number of edges, which 32 bits hold.
pub(super) fn narrow(indptr: &[usize]) -> Vec<u32> {
    indptr.iter().map(|&bound| bound as u32).collect()
}

/// Threads for `n` values.
fn threads(of: &CubeTensor, n: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&of.client, n);
    (calculate_cube_count_elemwise(&of.client, n, dim), dim)
}

fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::from(shape), like.dtype)
}

/// See [`kernels::sum_rows`].
pub(super) fn sum_rows(lists: &Lists, weights: FloatTensor<Cube>, x: FloatTensor<Cube>) -> FloatTensor<Cube> {
    let (width, height) = (x.shape()[1], lists.height());
    if lists.columns.shape()[0] == 0 || width * height == 0 {
        return zeros::<Cube, _>([height, width], &x.device());
    }
    let out = empty(&x, [height, width]);
    let (count, dim) = threads(&out, height * width);
    kernels::sum_rows::launch(
        &out.client,
        count,
        dim,
        into_contiguous(lists.indptr.clone()).into_buffer_arg(),
        into_contiguous(lists.columns.clone()).into_buffer_arg(),
        into_contiguous(weights).into_buffer_arg(),
        into_contiguous(x).into_buffer_arg(),
        out.clone().into_buffer_arg(),
        width,
    );
    out
}

/// See [`kernels::pair_dots`]: `n` pairs of a row of each table, shape `[n]`.
pub(super) fn pair_dots(
    (a, left): (FloatTensor<Cube>, IntTensor<Cube>),
    (b, right): (FloatTensor<Cube>, IntTensor<Cube>),
    n: usize,
) -> FloatTensor<Cube> {
    let (out, width) = (empty(&a, [n]), a.shape()[1]);
    if n > 0 {
        let (count, dim) = threads(&out, n);
        kernels::pair_dots::launch(
            &out.client,
            count,
            dim,
            into_contiguous(a).into_buffer_arg(),
            into_contiguous(left).into_buffer_arg(),
            into_contiguous(b).into_buffer_arg(),
            into_contiguous(right).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            width,
        );
    }
    out
}

/// See [`kernels::row_softmax`]: one value per edge, in the order of the rows.
pub(super) fn row_softmax(indptr: &IntTensor<Cube>, logits: FloatTensor<Cube>) -> FloatTensor<Cube> {
    let (out, rows) = (empty(&logits, [logits.shape()[0]]), indptr.shape()[0] - 1);
    if logits.shape()[0] > 0 {
        let (count, dim) = threads(&out, rows);
        kernels::row_softmax::launch(
            &out.client,
            count,
            dim,
            into_contiguous(indptr.clone()).into_buffer_arg(),
            into_contiguous(logits).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            rows,
            EPSILON,
        );
    }
    out
}

/// See [`kernels::row_softmax_backward`].
pub(super) fn row_softmax_backward(
    indptr: &IntTensor<Cube>,
    alpha: FloatTensor<Cube>,
    grad: FloatTensor<Cube>,
) -> FloatTensor<Cube> {
    let (out, rows) = (empty(&alpha, [alpha.shape()[0]]), indptr.shape()[0] - 1);
    if alpha.shape()[0] > 0 {
        let (count, dim) = threads(&out, rows);
        kernels::row_softmax_backward::launch(
            &out.client,
            count,
            dim,
            into_contiguous(indptr.clone()).into_buffer_arg(),
            into_contiguous(alpha).into_buffer_arg(),
            into_contiguous(grad).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            rows,
        );
    }
    out
}

/// See [`kernels::place_rows`]: a table of `height` rows, zero but for `rows`.
pub(super) fn place_rows(x: FloatTensor<Cube>, rows: IntTensor<Cube>, height: usize) -> FloatTensor<Cube> {
    let [n, width] = [x.shape()[0], x.shape()[1]];
    let out = into_contiguous(zeros::<Cube, _>([height, width], &x.device()));
    if n * width > 0 {
        let (count, dim) = threads(&out, n * width);
        kernels::place_rows::launch(
            &out.client,
            count,
            dim,
            into_contiguous(x).into_buffer_arg(),
            into_contiguous(rows).into_buffer_arg(),
            out.clone().into_buffer_arg(),
            width,
        );
    }
    out
}

/// See [`kernels::adam_step`].
pub(super) fn adam_step(
    parameter: FloatTensor<Cube>,
    grad: FloatTensor<Cube>,
    m: FloatTensor<Cube>,
    v: FloatTensor<Cube>,
    step: AdamStep,
) -> (FloatTensor<Cube>, FloatTensor<Cube>, FloatTensor<Cube>) {
    let shape = [parameter.shape()[0], parameter.shape()[1]];
    let [new_parameter, new_m, new_v] = std::array::from_fn(|_| empty(&parameter, shape));
    let (count, dim) = threads(&new_m, shape[0] * shape[1]);
    let (rate, correction) = step.corrections();
    kernels::adam_step::launch(
        &new_m.client,
        count,
        dim,
        into_contiguous(parameter).into_buffer_arg(),
        into_contiguous(grad).into_buffer_arg(),
        into_contiguous(m).into_buffer_arg(),
        into_contiguous(v).into_buffer_arg(),
        new_parameter.clone().into_buffer_arg(),
        new_m.clone().into_buffer_arg(),
        new_v.clone().into_buffer_arg(),
        step.beta1,
        step.beta2,
        rate,
        correction,
        step.eps,
    );
    (new_parameter, new_m, new_v)
}
