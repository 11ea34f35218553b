//! Each operation from plain Burn operations: correct on every backend, and what the fast bodies are tested
//! against.

use super::RowWeights;
use super::resident::resident_features;
use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{FloatDType, IntDType, Shape, TensorData};
use equipoise_data::{Features, Triples};
use equipoise_kernels::adam::AdamStep;

pub(super) fn indices<B: Backend>(rows: &[u32], device: &Device<B>) -> IntTensor<B> {
    let values: Vec<i32> = rows.iter().map(|&r| r as i32).collect();
    let n = values.len();
    let tensor = B::int_from_data(TensorData::new(values, [n]), device);
    B::int_cast(tensor, IntDType::I32)
}

pub(super) fn values<B: Backend>(data: Vec<f32>, shape: [usize; 2], device: &Device<B>) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(data, shape), device)
}

pub(super) fn zeros<B: Backend, const D: usize>(shape: [usize; D], device: &Device<B>) -> FloatTensor<B> {
    B::float_zeros(Shape::from(shape), device, FloatDType::F32)
}

/// See [`EquipoiseOps::gather_rows`](super::EquipoiseOps::gather_rows).
pub fn gather_rows<B: Backend>(table: FloatTensor<B>, rows: &[u32]) -> FloatTensor<B> {
    let rows = indices::<B>(rows, &table.device());
    B::float_select(table, 0, rows)
}

/// See [`EquipoiseOps::scatter_rows`](super::EquipoiseOps::scatter_rows).
pub fn scatter_rows<B: Backend>(grad: FloatTensor<B>, rows: &[u32], height: usize) -> FloatTensor<B> {
    let mut shape = grad.shape();
    shape[0] = height;
    let out = B::float_zeros(shape, &grad.device(), FloatDType::F32);
    select_add::<B>(out, rows, grad)
}

pub(super) fn select_add<B: Backend>(
    out: FloatTensor<B>,
    rows: &[u32],
    value: FloatTensor<B>,
) -> FloatTensor<B> {
    let rows = indices::<B>(rows, &value.device());
    B::float_select_assign(out, 0, rows, value, burn::tensor::IndexingUpdateOp::Add)
}

fn feature_rows<B: Backend>(features: &Features, rows: &[u32], device: &Device<B>) -> FloatTensor<B> {
    gather_rows::<B>(resident_features::<B>(features, device), rows)
}

/// See [`EquipoiseOps::project_rows`](super::EquipoiseOps::project_rows).
pub fn project_rows<B: Backend>(
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    features: &Features,
    rows: &[u32],
) -> FloatTensor<B> {
    let e = feature_rows::<B>(features, rows, &weight.device());
    B::float_add(B::float_matmul(e, B::float_transpose(weight)), bias)
}

/// See [`EquipoiseOps::project_rows_backward`](super::EquipoiseOps::project_rows_backward).
pub fn project_rows_backward<B: Backend>(
    grad: FloatTensor<B>,
    features: &Features,
    rows: &[u32],
) -> FloatTensor<B> {
    let e = feature_rows::<B>(features, rows, &grad.device());
    B::float_matmul(B::float_transpose(grad), e)
}

/// See [`EquipoiseOps::margins`](super::EquipoiseOps::margins).
pub fn margins<B: Backend>(
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    triples: &Triples,
    penalty: Option<&RowWeights>,
) -> FloatTensor<B> {
    let y = gather_rows::<B>(users.clone(), &triples.users);
    let difference = item_difference::<B>(items.clone(), triples);
    let margins = B::float_sum_dim(B::float_mul(y, difference), 1);
    let margins = B::float_reshape(margins, Shape::from([triples.len()]));
    with_penalty::<B>(margins, users, items, penalty)
}

/// Margins, and the penalty as one more value at the end where there is one.
pub(super) fn with_penalty<B: Backend>(
    margins: FloatTensor<B>,
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    penalty: Option<&RowWeights>,
) -> FloatTensor<B> {
    let Some(weights) = penalty else { return margins };
    let of_users = weighted_square_sum::<B>(users, &weights.users);
    let of_items = weighted_square_sum::<B>(items, &weights.items);
    B::float_cat(vec![margins, B::float_add(of_users, of_items)], 0)
}

fn item_difference<B: Backend>(items: FloatTensor<B>, triples: &Triples) -> FloatTensor<B> {
    let first = gather_rows::<B>(items.clone(), &triples.positives);
    B::float_sub(first, gather_rows::<B>(items, &triples.negatives))
}

/// See [`EquipoiseOps::margins_backward`](super::EquipoiseOps::margins_backward).
pub fn margins_backward<B: Backend>(
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    grad: FloatTensor<B>,
    triples: &Triples,
    penalty: Option<&RowWeights>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let gradients = triple_gradients::<B>(users.clone(), items.clone(), grad.clone(), triples);
    with_penalty_backward::<B>(gradients, users, items, grad, triples.len(), penalty)
}

/// Gradients of the tables from those through `n` margins and the gradient of everything.
pub(super) fn with_penalty_backward<B: Backend>(
    (d_users, d_items): (FloatTensor<B>, FloatTensor<B>),
    users: FloatTensor<B>,
    items: FloatTensor<B>,
    grad: FloatTensor<B>,
    n: usize,
    penalty: Option<&RowWeights>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let Some(weights) = penalty else { return (d_users, d_items) };
    let grad = B::float_slice(grad, &[(n..n + 1).into()]);
    let p_users = weighted_square_sum_backward::<B>(users, grad.clone(), &weights.users);
    let p_items = weighted_square_sum_backward::<B>(items, grad, &weights.items);
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
    let y = gather_rows::<B>(users, &triples.users);
    let d_y = B::float_mul(item_difference::<B>(items, triples), grad.clone());
    let d_z = B::float_mul(y, grad);
    let d_users = select_add::<B>(zeros::<B, _>([height_u, width], &device), &triples.users, d_y);
    let d_items = zeros::<B, _>([height_i, width], &device);
    let d_items = select_add::<B>(d_items, &triples.positives, d_z.clone());
    (d_users, select_add::<B>(d_items, &triples.negatives, B::float_neg(d_z)))
}

/// See [`EquipoiseOps::weighted_square_sum`](super::EquipoiseOps::weighted_square_sum).
pub fn weighted_square_sum<B: Backend>(x: FloatTensor<B>, weights: &[f32]) -> FloatTensor<B> {
    let w = values::<B>(weights.to_vec(), [weights.len(), 1], &x.device());
    let squares = B::float_sum_dim(B::float_mul(x.clone(), x), 1);
    B::float_reshape(B::float_sum(B::float_mul(squares, w)), Shape::from([1]))
}

/// See [`EquipoiseOps::weighted_square_sum_backward`](super::EquipoiseOps::weighted_square_sum_backward).
pub fn weighted_square_sum_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    weights: &[f32],
) -> FloatTensor<B> {
    let doubled = weights.iter().map(|w| 2.0 * w).collect();
    let w = values::<B>(doubled, [weights.len(), 1], &x.device());
    let scale = B::float_reshape(grad, Shape::from([1, 1]));
    B::float_mul(B::float_mul(x, w), scale)
}

/// See [`EquipoiseOps::adam_step`](super::EquipoiseOps::adam_step).
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
