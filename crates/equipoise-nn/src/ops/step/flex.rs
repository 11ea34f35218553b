//! Fast bodies for the processor.

use super::StepOps;
use crate::buffers;
use crate::ops::arguments::{RowWeights, Rows};
use crate::ops::flex_tensor::{shape_of, tensor, values, width_of, with_rows};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_data::{Features, Triples};
use equipoise_kernels::{adam, gather, margins, norms, project};
use std::sync::Arc;

impl StepOps for Flex {
    fn gather_rows(table: FlexTensor, rows: Rows) -> FlexTensor {
        let (shape, width) = (with_rows(&table, rows.len()), width_of(&table));
        let mut out = buffers::any(rows.len() * width);
        gather::gather_rows(&values(&table), width, &rows, &mut out);
        tensor(out, shape)
    }

    fn scatter_rows(grad: FlexTensor, rows: Rows, height: usize) -> FlexTensor {
        let (shape, width) = (with_rows(&grad, height), width_of(&grad));
        let mut out = buffers::any(height * width);
        gather::scatter_rows(&values(&grad), width, &rows, &mut out);
        tensor(out, shape)
    }

    fn project_rows(weight: FlexTensor, bias: FlexTensor, features: Features, rows: Rows) -> FlexTensor {
        let (d, weight, bias) = (shape_of(&weight)[0], values(&weight), values(&bias));
        let mut out = buffers::any(rows.len() * d);
        project::project_rows(features.as_rows(), &rows, &weight, &bias, &mut out);
        tensor(out, [rows.len(), d])
    }

    fn project_rows_backward(grad: FlexTensor, features: Features, rows: Rows) -> FlexTensor {
        let (grad, [_, d]) = (values(&grad), shape_of(&grad));
        let mut out = buffers::any(d * features.width());
        project::project_rows_backward(features.as_rows(), &rows, &grad, d, &mut out);
        tensor(out, [d, features.width()])
    }

    fn margins(
        users: FlexTensor,
        items: FlexTensor,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> FlexTensor {
        let (users, items, [_, width]) = (values(&users), values(&items), shape_of(&users));
        let (n, length) = (triples.len(), triples.len() + usize::from(penalty.is_some()));
        let mut out = buffers::any(length);
        margins::margins(&users, &items, width, triples.view(), &mut out[..n]);
        if let Some(w) = penalty {
            let of_users = norms::weighted_square_sum(&users, width, &w.users);
            out[n] = of_users + norms::weighted_square_sum(&items, width, &w.items);
        }
        tensor(out, [length])
    }

    fn margins_backward(
        users: FlexTensor,
        items: FlexTensor,
        grad: FlexTensor,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> (FlexTensor, FlexTensor) {
        let ([height_u, width], [height_i, _]) = (shape_of(&users), shape_of(&items));
        let (users, items, grad) = (values(&users), values(&items), values(&grad));
        let (mut d_users, mut d_items) = (buffers::zeros(height_u * width), buffers::zeros(height_i * width));
        let (of_margins, of_penalty) = grad.split_at(triples.len());
        margins::margins_backward(
            &users,
            &items,
            width,
            triples.view(),
            of_margins,
            &mut d_users,
            &mut d_items,
        );
        if let (Some(w), [scale]) = (penalty, of_penalty) {
            let add = norms::weighted_square_sum_backward;
            add(&users, width, &w.users, *scale, &mut d_users);
            add(&items, width, &w.items, *scale, &mut d_items);
        }
        (tensor(d_users, [height_u, width]), tensor(d_items, [height_i, width]))
    }

    fn weighted_square_sum(x: FlexTensor, weights: Arc<[f32]>) -> FlexTensor {
        let (x, [_, width]) = (values(&x), shape_of(&x));
        let mut out = buffers::any(1);
        out[0] = norms::weighted_square_sum(&x, width, &weights);
        tensor(out, [1])
    }

    fn weighted_square_sum_backward(x: FlexTensor, grad: FlexTensor, weights: Arc<[f32]>) -> FlexTensor {
        let (x, [height, width]) = (values(&x), shape_of(&x));
        let scale = values(&grad)[0];
        let mut out = buffers::zeros(height * width);
        norms::weighted_square_sum_backward(&x, width, &weights, scale, &mut out);
        tensor(out, [height, width])
    }

    fn adam_step(
        parameter: FlexTensor,
        grad: FlexTensor,
        m: FlexTensor,
        v: FlexTensor,
        step: adam::AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let grad = values(&grad);
        // `storage_mut` writes in place when the caller holds the only reference, and copies otherwise.
        let (mut parameter, mut m, mut v) = (parameter, m, v);
        adam::adam_step(parameter.storage_mut(), &grad, m.storage_mut(), v.storage_mut(), step);
        (parameter, m, v)
    }
}
