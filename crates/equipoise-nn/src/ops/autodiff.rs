//! Hand-written gradients of the differentiable operations.

use super::collect::{register, report_rows, unary};
use super::{EquipoiseOps, RowWeights, Rows};
use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use equipoise_data::{Features, Triples};
use std::sync::Arc;

#[derive(Debug)]
struct GatherRows;

impl<B: EquipoiseOps> Backward<B, 1> for GatherRows {
    type State = (Rows, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (grad, (rows, height)) = (grads.consume::<B>(&ops.node), ops.state);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            report_rows::<B>(grads, parent.id, grad, rows, height);
        }
    }
}

#[derive(Debug)]
struct ProjectRows;

impl<B: EquipoiseOps> Backward<B, 2> for ProjectRows {
    type State = (Features, Rows);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (features, rows) = ops.state;
        let [weight, bias] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        if bias.is_some() {
            register::<B>(grads, [(bias, B::float_sum_dim(grad.clone(), 0))]);
        }
        if weight.is_some() {
            register::<B>(grads, [(weight, B::project_rows_backward(grad, features, rows))]);
        }
    }
}

#[derive(Debug)]
struct Margins;

impl<B: EquipoiseOps> Backward<B, 2> for Margins {
    type State = (FloatTensor<B>, FloatTensor<B>, Arc<Triples>, Option<Arc<RowWeights>>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (users, items, triples, penalty) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (d_users, d_items) = B::margins_backward(users, items, grad, triples, penalty);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B>(grads, parents.into_iter().zip([d_users, d_items]));
    }
}

#[derive(Debug)]
struct WeightedSquareSum;

impl<B: EquipoiseOps> Backward<B, 1> for WeightedSquareSum {
    type State = (FloatTensor<B>, Arc<[f32]>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |grad, (x, weights)| B::weighted_square_sum_backward(x, grad, weights));
    }
}

impl<B: EquipoiseOps, C: CheckpointStrategy> EquipoiseOps for Autodiff<B, C> {
    fn gather_rows(table: FloatTensor<Self>, rows: Rows) -> FloatTensor<Self> {
        let height = table.shape()[0];
        match GatherRows.prepare::<C>([table.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish((rows.clone(), height), B::gather_rows(table.into_primitive(), rows))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::gather_rows(table.into_primitive(), rows)),
        }
    }

    fn project_rows(
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: Features,
        rows: Rows,
    ) -> FloatTensor<Self> {
        let nodes = [weight.node(), bias.node()];
        let state = (features.clone(), rows.clone());
        let out = B::project_rows(weight.into_primitive(), bias.into_primitive(), features, rows);
        match ProjectRows.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
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
        match Margins.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((users, items, triples, penalty), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn weighted_square_sum(x: FloatTensor<Self>, weights: Arc<[f32]>) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let out = B::weighted_square_sum(x.clone(), weights.clone());
        match WeightedSquareSum.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weights), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
