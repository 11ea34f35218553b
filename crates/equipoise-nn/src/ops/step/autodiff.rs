//! Gradients of the operations of every training step.

use super::StepOps;
use crate::ops::arguments::{RowWeights, Rows};
use crate::ops::recorded::record;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, TensorMetadata};
use equipoise_data::{Features, Triples};
use std::sync::Arc;

impl<B: StepOps, C: CheckpointStrategy> StepOps for Autodiff<B, C> {
    fn gather_rows(table: FloatTensor<Self>, rows: Rows) -> FloatTensor<Self> {
        let (node, height) = (table.node(), table.shape()[0]);
        let out = B::gather_rows(table.into_primitive(), rows.clone());
        record::<B, C, _, 1>([node], out, (rows, height), |grad, (rows, height), operands| {
            operands.report_rows(0, grad, rows, |grad, rows| B::scatter_rows(grad, rows, height));
        })
    }

    fn project_rows(
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: Features,
        rows: Rows,
    ) -> FloatTensor<Self> {
        let nodes = [weight.node(), bias.node()];
        let kept = (features.clone(), rows.clone());
        let out = B::project_rows(weight.into_primitive(), bias.into_primitive(), features, rows);
        record::<B, C, _, 2>(nodes, out, kept, |grad, (features, rows), operands| {
            if operands.wants(1) {
                operands.report(1, B::float_sum_dim(grad.clone(), 0));
            }
            if operands.wants(0) {
                operands.report(0, B::project_rows_backward(grad, features, rows));
            }
        })
    }

    fn margins(
        users: FloatTensor<Self>,
        items: FloatTensor<Self>,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> FloatTensor<Self> {
        let nodes = [users.node(), items.node()];
        let (users, items) = (users.into_primitive(), items.into_primitive());
        let out = B::margins(users.clone(), items.clone(), triples.clone(), penalty.clone());
        record::<B, C, _, 2>(nodes, out, (users, items, triples, penalty), |grad, kept, operands| {
            let (users, items, triples, penalty) = kept;
            operands.report_all(B::margins_backward(users, items, grad, triples, penalty));
        })
    }

    fn weighted_square_sum(x: FloatTensor<Self>, weights: Arc<[f32]>) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let out = B::weighted_square_sum(x.clone(), weights.clone());
        record::<B, C, _, 1>(nodes, out, (x, weights), |grad, (x, weights), operands| {
            operands.report(0, B::weighted_square_sum_backward(x, grad, weights));
        })
    }
}
