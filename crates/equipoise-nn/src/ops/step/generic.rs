//! Each operation from plain Burn operations: correct on every backend, and what the fast bodies are tested
//! against.

use crate::ops::arguments::{RowWeights, Rows};
use crate::ops::device_constants::constant_features;
use crate::ops::plain::{select, select_add, values, zeros};
use burn::backend::tensor::{Device, FloatTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{FloatDType, Shape};
use equipoise_data::{Features, Triples};
use equipoise_kernels::adam::AdamStep;
use std::sync::Arc;

/// See [`StepOps::gather_rows`](super::StepOps::gather_rows).
pub fn gather_rows<B: Backend>(table: FloatTensor<B>, rows: Rows) -> FloatTensor<B> {
    select::<B>(table, &rows)
}

/// See [`StepOps::scatter_rows`](super::StepOps::scatter_rows).
pub fn scatter_rows<B: Backend>(grad: FloatTensor<B>, rows: Rows, height: usize) -> FloatTensor<B> {
    let mut shape = grad.shape();
    shape[0] = height;
    let out = B::float_zeros(shape, &grad.device(), FloatDType::F32);
    select_add::<B>(out, &rows, grad)
}

fn feature_rows<B: Backend>(features: &Features, rows: &[u32], device: &Device<B>) -> FloatTensor<B> {
    select::<B>(constant_features::<B>(features, device), rows)
}

/// See [`StepOps::project_rows`](super::StepOps::project_rows).
pub fn project_rows<B: Backend>(
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    features: Features,
    rows: Rows,
) -> FloatTensor<B> {
    let e = feature_rows::<B>(&features, &rows, &weight.device());
    B::float_add(B::float_matmul(e, B::float_transpose(weight)), bias)
}

/// See [`StepOps::project_rows_backward`](super::StepOps::project_rows_backward).
pub fn project_rows_backward<B: Backend>(
    grad: FloatTensor<B>,
    features: Features,
    rows: Rows,
) -> FloatTensor<B> {
    let e = feature_rows::<B>(&features, &rows, &grad.device());
    B::float_matmul(B::float_transpose(grad), e)
}

/// See [`StepOps::margins`](super::StepOps::margins).
pub fn margins<B: Backend>(
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    triples: Arc<Triples>,
    penalty: Option<Arc<RowWeights>>,
) -> FloatTensor<B> {
    let y = select::<B>(users.clone(), &triples.users);
    let difference = item_difference::<B>(items.clone(), &triples);
    let margins = B::float_sum_dim(B::float_mul(y, difference), 1);
    let margins = B::float_reshape(margins, Shape::from([triples.len()]));
    with_penalty::<B>(margins, users, items, penalty.as_deref())
}

/// Margins, and the penalty as one more value at the end where there is one.
pub(in crate::ops) fn with_penalty<B: Backend>(
    margins: FloatTensor<B>,
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    penalty: Option<&RowWeights>,
) -> FloatTensor<B> {
    let Some(weights) = penalty else { return margins };
    let of_users = square_sum::<B>(users, &weights.users);
    let of_items = square_sum::<B>(items, &weights.items);
    B::float_cat(vec![margins, B::float_add(of_users, of_items)], 0)
}

fn item_difference<B: Backend>(items: FloatTensor<B>, triples: &Triples) -> FloatTensor<B> {
    let first = select::<B>(items.clone(), &triples.positives);
    B::float_sub(first, select::<B>(items, &triples.negatives))
}

/// See [`StepOps::margins_backward`](super::StepOps::margins_backward).
pub fn margins_backward<B: Backend>(
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    grad: FloatTensor<B>,
    triples: Arc<Triples>,
    penalty: Option<Arc<RowWeights>>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let gradients = triple_gradients::<B>(users.clone(), items.clone(), grad.clone(), &triples);
    with_penalty_backward::<B>(gradients, users, items, grad, triples.len(), penalty.as_deref())
}

/// Gradients of the tables from those through `n` margins and the gradient of everything.
pub(in crate::ops) fn with_penalty_backward<B: Backend>(
    (d_users, d_items): (FloatTensor<B>, FloatTensor<B>),
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    grad: FloatTensor<B>,
    n: usize,
    penalty: Option<&RowWeights>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let Some(weights) = penalty else { return (d_users, d_items) };
    let grad = B::float_slice(grad, &[(n..n + 1).into()]);
    let p_users = square_sum_backward::<B>(users, grad.clone(), &weights.users);
    let p_items = square_sum_backward::<B>(items, grad, &weights.items);
    (B::float_add(d_users, p_users), B::float_add(d_items, p_items))
}

fn triple_gradients<B: Backend>(
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    grad: FloatTensor<B>,
    triples: &Triples,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device = grad.device();
    let (height_u, height_i, width) = (users.shape()[0], items.shape()[0], users.shape()[1]);
    let grad = B::float_slice(grad, &[(0..triples.len()).into()]);
    let grad = B::float_reshape(grad, Shape::from([triples.len(), 1]));
    let y = select::<B>(users, &triples.users);
    let d_y = B::float_mul(item_difference::<B>(items, triples), grad.clone());
    let d_z = B::float_mul(y, grad);
    let d_users = select_add::<B>(zeros::<B, _>([height_u, width], &device), &triples.users, d_y);
    let d_items = zeros::<B, _>([height_i, width], &device);
    let d_items = select_add::<B>(d_items, &triples.positives, d_z.clone());
    (d_users, select_add::<B>(d_items, &triples.negatives, B::float_neg(d_z)))
}

/// See [`StepOps::weighted_square_sum`](super::StepOps::weighted_square_sum).
pub fn weighted_square_sum<B: Backend>(x: FloatTensor<B>, weights: Arc<[f32]>) -> FloatTensor<B> {
    square_sum::<B>(x, &weights)
}

fn square_sum<B: Backend>(x: FloatTensor<B>, weights: &[f32]) -> FloatTensor<B> {
    let w = values::<B>(weights.to_vec(), [weights.len(), 1], &x.device());
    let squares = B::float_sum_dim(B::float_mul(x.clone(), x), 1);
    B::float_reshape(B::float_sum(B::float_mul(squares, w)), Shape::from([1]))
}

/// See [`StepOps::weighted_square_sum_backward`](super::StepOps::weighted_square_sum_backward).
pub fn weighted_square_sum_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    weights: Arc<[f32]>,
) -> FloatTensor<B> {
    square_sum_backward::<B>(x, grad, &weights)
}

fn square_sum_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    weights: &[f32],
) -> FloatTensor<B> {
    let doubled = weights.iter().map(|w| 2.0 * w).collect();
    let w = values::<B>(doubled, [weights.len(), 1], &x.device());
    let scale = B::float_reshape(grad, Shape::from([1, 1]));
    B::float_mul(B::float_mul(x, w), scale)
}

/// See [`StepOps::adam_step`](super::StepOps::adam_step).
pub fn adam_step<B: Backend>(
    parameter: FloatTensor<B>,
    grad: FloatTensor<B>,
    m: FloatTensor<B>,
    v: FloatTensor<B>,
    step: AdamStep,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let blend = |old: FloatTensor<B>, new: FloatTensor<B>, beta: f32| {
        let old = B::float_mul_scalar(old, beta.into());
        B::float_add(old, B::float_mul_scalar(new, (1.0 - beta).into()))
    };
    let m = blend(m, grad.clone(), step.beta1);
    let v = blend(v, B::float_mul(grad.clone(), grad), step.beta2);
    let correction = |beta: f32| 1.0 - f64::from(beta).powf(step.t as f64);
    let rate = f64::from(step.lr) / correction(step.beta1);
    let root = B::float_sqrt(B::float_div_scalar(v.clone(), correction(step.beta2).into()));
    let scaled = B::float_mul_scalar(m.clone(), rate.into());
    let delta = B::float_div(scaled, B::float_add_scalar(root, step.eps.into()));
    (B::float_sub(parameter, delta), m, v)
}
