//! Gradients of the composed operations over edges.

use super::ComposedOps;
use crate::Propagation;
use crate::ops::plain::zeros;
use crate::ops::recorded::record;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, TensorMetadata};
use equipoise_data::graph::Edges;
use std::sync::Arc;

impl<B: ComposedOps, C: CheckpointStrategy> ComposedOps for Autodiff<B, C> {
    fn propagate_layers(
        x: FloatTensor<Self>,
        propagation: Arc<Propagation>,
        coefficients: Arc<[f32]>,
        transposed: bool,
    ) -> FloatTensor<Self> {
        let node = x.node();
        let kept = (propagation.clone(), coefficients.clone(), transposed);
        let out = B::propagate_layers(x.into_primitive(), propagation, coefficients, transposed);
        record::<B, C, _, 1>([node], out, kept, |grad, (propagation, coefficients, transposed), operands| {
            // A polynomial in the matrix: the gradient is the same polynomial in its transpose.
            operands.report(0, B::propagate_layers(grad, propagation, coefficients, !transposed));
        })
    }

    fn weighted_layers(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
        layers: usize,
    ) -> FloatTensor<Self> {
        let tracked = weights.is_tracked() || x.is_tracked();
        let nodes = [weights.node(), x.node()];
        let (weights, x) = (weights.into_primitive(), x.into_primitive());
        if !tracked {
            let out = B::weighted_layers(weights, x, edges, layers);
            return record::<B, C, _, 2>(nodes, out, (), |_, (), _| {});
        }
        let (mut hop, mut sum, mut read) = (x.clone(), x, Vec::with_capacity(layers));
        for _ in 0..layers {
            read.push(hop.clone());
            (hop, sum) = B::weighted_hop(weights.clone(), hop, sum, edges.clone());
        }
        // Kept: the weights, and what each layer read.
        record::<B, C, _, 2>(nodes, sum, (weights, read, edges), |grad, (weights, read, edges), operands| {
            let none = zeros::<B, _>([edges.len()], &weights.device());
            // From the last layer to the first: the gradient of a layer's input is that of the sum and of the next layer.
            let back = |(d_weights, later), x| {
                let (weights, base) = (weights.clone(), grad.clone());
                B::weighted_hop_backward(weights, x, later, base, d_weights, edges.clone())
            };
            operands.report_all(read.into_iter().rev().fold((none, grad.clone()), back));
        })
    }

    fn residual_attention(
        q: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [q.node(), x.node()];
        let (q, x) = (q.into_primitive(), x.into_primitive());
        let (out, alpha) = B::residual_attention(q.clone(), x.clone(), edges.clone());
        let weights = <Self as AutodiffBackend>::from_inner(alpha.clone());
        let out = record::<B, C, _, 2>(nodes, out, ([q, x, alpha], edges), |grad, kept, operands| {
            let ([q, x, alpha], edges) = kept;
            let shared = operands.are_one(0, 1);
            let (d_q, d_x) = B::residual_attention_backward(q, x, alpha, grad, edges, shared);
            operands.report(0, d_q);
            if !shared {
                operands.report(1, d_x);
            }
        });
        (out, weights)
    }

    fn mixed_attention(
        own: FloatTensor<Self>,
        mix: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [own.node(), mix.node()];
        let (own, mix) = (own.into_primitive(), mix.into_primitive());
        let (out, alpha) = B::mixed_attention(own.clone(), mix.clone(), edges.clone());
        let weights = <Self as AutodiffBackend>::from_inner(alpha.clone());
        let out = record::<B, C, _, 2>(nodes, out, ([own, mix, alpha], edges), |grad, kept, operands| {
            let ([own, mix, alpha], edges) = kept;
            operands.report_all(B::mixed_attention_backward(own, mix, alpha, grad, edges));
        });
        (out, weights)
    }
}
