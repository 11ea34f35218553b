//! Fast bodies for the processor.

use super::ComposedOps;
use crate::Propagation;
use crate::buffers;
use crate::ops::flex_tensor::{shape_of, tensor, values};
use crate::ops::graph::edges::flex::{attend, matrix};
use crate::ops::table::TableOps;
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_data::graph::Edges;
use equipoise_kernels::attention::{self, Attention, AttentionGradients};
use equipoise_kernels::sparse::{self, Weighted};
use std::sync::Arc;

impl ComposedOps for Flex {
    fn propagate_layers(
        x: FlexTensor,
        propagation: Arc<Propagation>,
        coefficients: Arc<[f32]>,
        transposed: bool,
    ) -> FlexTensor {
        let (last, before) = coefficients.split_last().expect("there is a coefficient");
        let (rows, weights) = matrix(&propagation, transposed);
        let (base, [height, width]) = (x.clone(), shape_of(&x));
        let base = values(&base);
        before.iter().rev().fold(Flex::scaled(x, *last), |sum, c| {
            let mut out = buffers::any(height * width);
            sparse::spmm_onto(rows, weights, &values(&sum), (*c, &base), width, &mut out);
            tensor(out, [height, width])
        })
    }

    fn weighted_layers(weights: FlexTensor, x: FlexTensor, edges: Arc<Edges>, layers: usize) -> FlexTensor {
        let next = |(hop, sum), _| Self::weighted_hop(weights.clone(), hop, sum, edges.clone());
        (0..layers).fold((x.clone(), x), next).1
    }

    fn weighted_hop(
        weights: FlexTensor,
        x: FlexTensor,
        base: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let [height, width] = shape_of(&base);
        let (weights, x, base) = (values(&weights), values(&x), values(&base));
        let (mut out, mut sum) = (buffers::any(height * width), buffers::any(height * width));
        sparse::spmm_and_sum(edges.by_target(), &weights, &x, &base, width, (&mut out, &mut sum));
        (tensor(out, [height, width]), tensor(sum, [height, width]))
    }

    fn weighted_hop_backward(
        weights: FlexTensor,
        x: FlexTensor,
        grad: FlexTensor,
        base: FlexTensor,
        mut d_weights: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let [height, width] = shape_of(&x);
        let mut d_x = buffers::any(height * width);
        let (weights, x, grad, base) = (values(&weights), values(&x), values(&grad), values(&base));
        let of = Weighted { back: edges.by_source(), values: &weights, x: &x, width };
        sparse::spmm_backward(of, &grad, Some(&base), d_weights.storage_mut(), &mut d_x);
        (d_weights, tensor(d_x, [height, width]))
    }

    fn residual_attention(q: FlexTensor, x: FlexTensor, edges: Arc<Edges>) -> (FlexTensor, FlexTensor) {
        let (q, x, [_, width]) = (values(&q), values(&x), shape_of(&q));
        attend(&edges, Attention { q: &q, k: &x, v: &x, more: &[], width, residual: true })
    }

    fn residual_attention_backward(
        q: FlexTensor,
        x: FlexTensor,
        alpha: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
        shared: bool,
    ) -> (FlexTensor, FlexTensor) {
        let ([targets, width], sources) = (shape_of(&q), if shared { 0 } else { shape_of(&x)[0] });
        let (mut d_q, mut d_x) = (buffers::any(targets * width), buffers::any(sources * width));
        let (q, x, alpha, grad) = (values(&q), values(&x), values(&alpha), values(&grad));
        let tables = Attention { q: &q, k: &x, v: &x, more: &[], width, residual: true };
        let gradients = AttentionGradients { q: &mut d_q, k: &mut d_x, v: &mut [] };
        attention::attend_backward(edges.by_target(), edges.by_source(), tables, &alpha, &grad, gradients);
        (tensor(d_q, [targets, width]), tensor(d_x, [sources, width]))
    }

    fn mixed_attention(own: FlexTensor, mix: FlexTensor, edges: Arc<Edges>) -> (FlexTensor, FlexTensor) {
        let (own, mix, [_, width]) = (values(&own), values(&mix), shape_of(&own));
        attend(&edges, Attention { q: &own, k: &own, v: &own, more: &mix, width, residual: false })
    }

    fn mixed_attention_backward(
        own: FlexTensor,
        mix: FlexTensor,
        alpha: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let ([n, width], [more, _]) = (shape_of(&own), shape_of(&mix));
        let (own, mix, alpha, grad) = (values(&own), values(&mix), values(&alpha), values(&grad));
        let tables = Attention { q: &own, k: &own, v: &own, more: &mix, width, residual: false };
        let mut both = buffers::any((n + more) * width);
        let gradients = AttentionGradients { q: &mut both, k: &mut [], v: &mut [] };
        attention::attend_backward(edges.by_target(), edges.by_source(), tables, &alpha, &grad, gradients);
        // Two views of one table.
        let both = tensor(both, [n + more, width]);
        (Flex::range_of_rows(both.clone(), 0, n), Flex::range_of_rows(both, n, n + more))
    }
}
