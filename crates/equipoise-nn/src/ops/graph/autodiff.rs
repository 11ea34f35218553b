//! Hand-written gradients of the operations over edges.

use super::{Alike, GraphOps};
use crate::Propagation;
use crate::ops::collect::{register, unary};
use crate::ops::generic::zeros;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, TensorMetadata};
use equipoise_data::graph::Edges;
use std::sync::Arc;

#[derive(Debug)]
struct Propagate;

impl<B: GraphOps> Backward<B, 1> for Propagate {
    type State = (Arc<Propagation>, bool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops, grads, |grad, (by, transposed)| B::propagate(grad, by, !transposed));
    }
}

#[derive(Debug)]
struct PropagateWeighted;

impl<B: GraphOps> Backward<B, 2> for PropagateWeighted {
    type State = (FloatTensor<B>, FloatTensor<B>, Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (weights, x, edges) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (d_weights, d_x) = B::propagate_weighted_backward(weights, x, grad, edges);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B>(grads, parents.into_iter().zip([d_weights, d_x]));
    }
}

#[derive(Debug)]
struct EdgeSoftmax;

impl<B: GraphOps> Backward<B, 2> for EdgeSoftmax {
    type State = ([FloatTensor<B>; 3], Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([q, k, alpha], edges) = ops.state;
        let [of_q, of_k] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let alike = of_q.is_some() && of_q == of_k;
        let grad = grads.consume::<B>(&ops.node);
        let (d_q, d_k) = B::edge_softmax_backward(q, k, alpha, grad, edges, alike);
        register::<B>(grads, [(of_q, d_q), (of_k.filter(|_| !alike), d_k)]);
    }
}

#[derive(Debug)]
struct EdgeAttention;

impl<B: GraphOps> Backward<B, 3> for EdgeAttention {
    type State = ([FloatTensor<B>; 4], Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([q, k, v, alpha], edges) = ops.state;
        let [of_q, of_k, of_v] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let alike = match (of_k.is_some() && of_k == of_v, of_q == of_k) {
            (true, true) => Alike::All,
            (true, false) => Alike::KeysAndValues,
            (false, _) => Alike::Apart,
        };
        let grad = grads.consume::<B>(&ops.node);
        let (d_q, d_k, d_v) = B::edge_attention_backward(q, k, v, alpha, grad, edges, alike);
        let of_k = of_k.filter(|_| alike != Alike::All);
        let of_v = of_v.filter(|_| alike == Alike::Apart);
        register::<B>(grads, [(of_q, d_q), (of_k, d_k), (of_v, d_v)]);
    }
}

#[derive(Debug)]
struct PropagateLayers;

impl<B: GraphOps> Backward<B, 1> for PropagateLayers {
    type State = (Arc<Propagation>, Arc<[f32]>, bool);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        // A polynomial in the matrix: the same one in its transpose.
        unary::<B, _>(ops, grads, |grad, (by, c, transposed)| B::propagate_layers(grad, by, c, !transposed));
    }
}

#[derive(Debug)]
struct WeightedLayers;

impl<B: GraphOps> Backward<B, 2> for WeightedLayers {
    /// The weights, and what each layer read.
    type State = (FloatTensor<B>, Vec<FloatTensor<B>>, Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (weights, read, edges) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let none = zeros::<B, _>([edges.len()], &weights.device());
        // From the last layer on: each passes on what the sum and the layer after it ask of its input.
        let back = |(d_weights, later), x| {
            let (weights, base) = (weights.clone(), grad.clone());
            B::weighted_hop_backward(weights, x, later, base, d_weights, edges.clone())
        };
        let (d_weights, d_x) = read.into_iter().rev().fold((none, grad.clone()), back);
        register::<B>(grads, parents.into_iter().zip([d_weights, d_x]));
    }
}

#[derive(Debug)]
struct ResidualAttention;

impl<B: GraphOps> Backward<B, 2> for ResidualAttention {
    type State = ([FloatTensor<B>; 3], Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([q, x, alpha], edges) = ops.state;
        let [of_q, of_x] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let alike = of_q.is_some() && of_q == of_x;
        let grad = grads.consume::<B>(&ops.node);
        let (d_q, d_x) = B::residual_attention_backward(q, x, alpha, grad, edges, alike);
        register::<B>(grads, [(of_q, d_q), (of_x.filter(|_| !alike), d_x)]);
    }
}

#[derive(Debug)]
struct MixedAttention;

impl<B: GraphOps> Backward<B, 2> for MixedAttention {
    type State = ([FloatTensor<B>; 3], Arc<Edges>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([own, mix, alpha], edges) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let grad = grads.consume::<B>(&ops.node);
        let (d_own, d_mix) = B::mixed_attention_backward(own, mix, alpha, grad, edges);
        register::<B>(grads, parents.into_iter().zip([d_own, d_mix]));
    }
}

impl<B: GraphOps, C: CheckpointStrategy> GraphOps for Autodiff<B, C> {
    fn propagate(x: FloatTensor<Self>, propagation: Arc<Propagation>, transposed: bool) -> FloatTensor<Self> {
        let node = x.node();
        let out = B::propagate(x.into_primitive(), propagation.clone(), transposed);
        match Propagate.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((propagation, transposed), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn propagate_weighted(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> FloatTensor<Self> {
        let nodes = [weights.node(), x.node()];
        let (weights, x) = (weights.into_primitive(), x.into_primitive());
        let out = B::propagate_weighted(weights.clone(), x.clone(), edges.clone());
        match PropagateWeighted.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((weights, x, edges), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn edge_softmax(q: FloatTensor<Self>, k: FloatTensor<Self>, edges: Arc<Edges>) -> FloatTensor<Self> {
        let nodes = [q.node(), k.node()];
        let (q, k) = (q.into_primitive(), k.into_primitive());
        let alpha = B::edge_softmax(q.clone(), k.clone(), edges.clone());
        match EdgeSoftmax.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([q, k, alpha.clone()], edges), alpha),
            OpsKind::UnTracked(prep) => prep.finish(alpha),
        }
    }

    fn edge_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [q.node(), k.node(), v.node()];
        let (q, k, v) = (q.into_primitive(), k.into_primitive(), v.into_primitive());
        let (out, alpha) = B::edge_attention(q.clone(), k.clone(), v.clone(), edges.clone());
        let weights = <Self as burn::backend::AutodiffBackend>::from_inner(alpha.clone());
        let out = match EdgeAttention.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([q, k, v, alpha], edges), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        (out, weights)
    }

    fn propagate_layers(
        x: FloatTensor<Self>,
        propagation: Arc<Propagation>,
        coefficients: Arc<[f32]>,
        transposed: bool,
    ) -> FloatTensor<Self> {
        let node = x.node();
        let state = (propagation.clone(), coefficients.clone(), transposed);
        let out = B::propagate_layers(x.into_primitive(), propagation, coefficients, transposed);
        match PropagateLayers.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn weighted_layers(
        weights: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
        layers: usize,
    ) -> FloatTensor<Self> {
        let nodes = [weights.node(), x.node()];
        let (weights, x) = (weights.into_primitive(), x.into_primitive());
        match WeightedLayers.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (mut hop, mut sum, mut read) = (x.clone(), x, Vec::with_capacity(layers));
                for _ in 0..layers {
                    read.push(hop.clone());
                    (hop, sum) = B::weighted_hop(weights.clone(), hop, sum, edges.clone());
                }
                prep.finish((weights, read, edges), sum)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::weighted_layers(weights, x, edges, layers)),
        }
    }

    fn residual_attention(
        q: FloatTensor<Self>,
        x: FloatTensor<Self>,
        edges: Arc<Edges>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [q.node(), x.node()];
        let (q, x) = (q.into_primitive(), x.into_primitive());
        let (out, alpha) = B::residual_attention(q.clone(), x.clone(), edges.clone());
        let weights = <Self as burn::backend::AutodiffBackend>::from_inner(alpha.clone());
        let out = match ResidualAttention.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([q, x, alpha], edges), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
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
        let weights = <Self as burn::backend::AutodiffBackend>::from_inner(alpha.clone());
        let out = match MixedAttention.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([own, mix, alpha], edges), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        (out, weights)
    }
}
