//! Fast CPU bodies: the kernels on the storage of Burn's `flex` tensors.

use super::{EquipoiseOps, RowWeights, Rows, TripleIndex};
use burn::backend::TensorMetadata;
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::TensorData;
use equipoise_data::Features;
use equipoise_kernels::project::FeatureRows;
use equipoise_kernels::{adam, gather, margins, norms, project};
use std::sync::Arc;

pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// A contiguous tensor's values; copies only a strided view.
pub(super) fn contiguous(t: &FlexTensor) -> FlexTensor {
    let whole = t.layout().start_offset() == 0
        && t.is_contiguous()
        && t.storage::<f32>().len() == t.layout().num_elements();
    if whole { t.clone() } else { FlexTensor::from_data(t.to_contiguous().into_data()) }
}

pub(super) fn shape_of(t: &FlexTensor) -> [usize; 2] {
    let shape = t.shape();
    [shape[0], shape[1]]
}

fn feature_rows(features: &Features) -> FeatureRows<'_> {
    FeatureRows { values: features.values(), width: features.width() }
}

impl EquipoiseOps for Flex {
    fn gather_rows(table: FlexTensor, rows: Rows) -> FlexTensor {
        let (table, [_, width]) = (contiguous(&table), shape_of(&table));
        let mut out = vec![0.0; rows.len() * width];
        gather::gather_rows(table.storage(), width, &rows, &mut out);
        tensor(out, [rows.len(), width])
    }

    fn scatter_rows(grad: FlexTensor, rows: Rows, height: usize) -> FlexTensor {
        let (grad, [_, width]) = (contiguous(&grad), shape_of(&grad));
        let mut out = vec![0.0; height * width];
        gather::scatter_rows(grad.storage(), width, &rows, &mut out);
        tensor(out, [height, width])
    }

    fn project_rows(weight: FlexTensor, bias: FlexTensor, features: Features, rows: Rows) -> FlexTensor {
        let (weight, bias) = (contiguous(&weight), contiguous(&bias));
        let d = shape_of(&weight)[0];
        let mut out = vec![0.0; rows.len() * d];
        let e = feature_rows(&features);
        project::project_rows(e, &rows, weight.storage(), bias.storage(), &mut out);
        tensor(out, [rows.len(), d])
    }

    fn project_rows_backward(grad: FlexTensor, features: Features, rows: Rows) -> FlexTensor {
        let (grad, [_, d]) = (contiguous(&grad), shape_of(&grad));
        let mut out = vec![0.0; d * features.width()];
        project::project_rows_backward(feature_rows(&features), &rows, grad.storage(), d, &mut out);
        tensor(out, [d, features.width()])
    }

    fn margins(
        users: FlexTensor,
        items: FlexTensor,
        triples: Arc<TripleIndex>,
        penalty: Option<Arc<RowWeights>>,
    ) -> FlexTensor {
        let (users, items, [_, width]) = (contiguous(&users), contiguous(&items), shape_of(&users));
        let mut out = vec![0.0; triples.len()];
        margins::margins(users.storage(), items.storage(), width, triples.as_rows(), &mut out);
        if let Some(w) = penalty {
            let of_users = norms::weighted_square_sum(users.storage(), width, &w.users);
            out.push(of_users + norms::weighted_square_sum(items.storage(), width, &w.items));
        }
        let length = out.len();
        tensor(out, [length])
    }

    fn margins_backward(
        users: FlexTensor,
        items: FlexTensor,
        grad: FlexTensor,
        triples: Arc<TripleIndex>,
        penalty: Option<Arc<RowWeights>>,
    ) -> (FlexTensor, FlexTensor) {
        let ([height_u, width], [height_i, _]) = (shape_of(&users), shape_of(&items));
        let (users, items, grad) = (contiguous(&users), contiguous(&items), contiguous(&grad));
        let (mut d_users, mut d_items) = (vec![0.0; height_u * width], vec![0.0; height_i * width]);
        let (of_margins, of_penalty) = grad.storage::<f32>().split_at(triples.len());
        margins::margins_backward(
            users.storage(),
            items.storage(),
            width,
            triples.as_rows(),
            of_margins,
            &mut d_users,
            &mut d_items,
        );
        if let (Some(w), [scale]) = (penalty, of_penalty) {
            let add = norms::weighted_square_sum_backward;
            add(users.storage(), width, &w.users, *scale, &mut d_users);
            add(items.storage(), width, &w.items, *scale, &mut d_items);
        }
        (tensor(d_users, [height_u, width]), tensor(d_items, [height_i, width]))
    }

    fn weighted_square_sum(x: FlexTensor, weights: Arc<[f32]>) -> FlexTensor {
        let (x, [_, width]) = (contiguous(&x), shape_of(&x));
        tensor(vec![norms::weighted_square_sum(x.storage(), width, &weights)], [1])
    }

    fn weighted_square_sum_backward(x: FlexTensor, grad: FlexTensor, weights: Arc<[f32]>) -> FlexTensor {
        let (x, [height, width]) = (contiguous(&x), shape_of(&x));
        let scale = contiguous(&grad).storage::<f32>()[0];
        let mut out = vec![0.0; height * width];
        norms::weighted_square_sum_backward(x.storage(), width, &weights, scale, &mut out);
        tensor(out, [height, width])
    }

    fn adam_step(
        parameter: FlexTensor,
        grad: FlexTensor,
        m: FlexTensor,
        v: FlexTensor,
        step: adam::AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let grad = contiguous(&grad);
        // `storage_mut` writes in place when the caller holds the only reference, and copies otherwise.
        let (mut parameter, mut m, mut v) = (parameter, m, v);
        adam::adam_step(parameter.storage_mut(), grad.storage(), m.storage_mut(), v.storage_mut(), step);
        (parameter, m, v)
    }
}
