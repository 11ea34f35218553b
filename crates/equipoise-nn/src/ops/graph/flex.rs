//! Fast CPU bodies of the operations over edges.

use super::{Alike, GraphOps};
use crate::Propagation;
use crate::buffers;
use crate::ops::flex::{shape_of, tensor, values};
use crate::ops::table::TableOps;
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_data::graph::Edges;
use equipoise_kernels::attention::{self, Attention, AttentionGradients};
use equipoise_kernels::sparse::{SparseRows, Weighted};
use equipoise_kernels::{softmax, sparse};
use std::sync::Arc;

/// `S` or its transpose.
fn matrix(propagation: &Propagation, transposed: bool) -> (SparseRows<'_>, &[f32]) {
    let matrix = if transposed { propagation.transposed() } else { propagation.matrix() };
    (SparseRows { indptr: matrix.indptr(), columns: matrix.indices() }, matrix.values())
}

impl GraphOps for Flex {
    fn propagate(x: FlexTensor, propagation: Arc<Propagation>, transposed: bool) -> FlexTensor {
        let (rows, weights) = matrix(&propagation, transposed);
        let (x, [_, width]) = (values(&x), shape_of(&x));
        let mut out = buffers::any(rows.n_rows() * width);
        sparse::spmm(rows, weights, &x, width, &mut out);
        tensor(out, [rows.n_rows(), width])
    }

    fn propagate_weighted(weights: FlexTensor, x: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let (weights, x, [_, width]) = (values(&weights), values(&x), shape_of(&x));
        let mut out = buffers::any(edges.n_targets() * width);
        sparse::spmm(edges.by_target(), &weights, &x, width, &mut out);
        tensor(out, [edges.n_targets(), width])
    }

    fn propagate_weighted_backward(
        weights: FlexTensor,
        x: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let [height, width] = shape_of(&x);
        let (mut d_weights, mut d_x) = (buffers::any(edges.len()), buffers::any(height * width));
        let (weights, x, grad) = (values(&weights), values(&x), values(&grad));
        let of = Weighted { back: edges.by_source(), values: &weights, x: &x, width };
        sparse::spmm_backward(of, &grad, None, &mut d_weights, &mut d_x);
        (tensor(d_weights, [edges.len()]), tensor(d_x, [height, width]))
    }

    fn edge_softmax(q: FlexTensor, k: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let (q, k, [_, width]) = (values(&q), values(&k), shape_of(&q));
        let (mut logits, mut alpha) = (buffers::any(edges.len()), buffers::any(edges.len()));
        sparse::edge_dots(edges.by_target(), &q, &k, width, &mut logits);
        softmax::segment_softmax(edges.indptr(), &logits, &mut alpha);
        tensor(alpha, [edges.len()])
    }

    fn edge_softmax_backward(
        q: FlexTensor,
        k: FlexTensor,
        alpha: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
        alike: bool,
    ) -> (FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let (q, k, alpha) = (values(&q), values(&k), values(&alpha));
        let mut d_logits = buffers::any(edges.len());
        softmax::segment_softmax_backward(edges.indptr(), &alpha, &values(&grad), &mut d_logits);
        let mut d_q = buffers::any(targets * width);
        sparse::spmm(edges.by_target(), &d_logits, &k, width, &mut d_q);
        let back = edges.by_source();
        if alike {
            sparse::add_spmm_by_edge(back.rows, back.edges, &d_logits, &q, width, &mut d_q);
            let sum = tensor(d_q, [targets, width]);
            return (sum.clone(), sum);
        }
        let mut d_k = buffers::any(sources * width);
        sparse::spmm_by_edge(back.rows, back.edges, &d_logits, &q, width, &mut d_k);
        (tensor(d_q, [targets, width]), tensor(d_k, [sources, width]))
    }

    fn edge_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let (q, k, v, [_, width]) = (values(&q), values(&k), values(&v), shape_of(&q));
        attend(&edges, Attention { q: &q, k: &k, v: &v, more: &[], width, residual: false })
    }

    fn edge_attention_backward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        alpha: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
        alike: Alike,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let rows_if = |wanted: bool| if wanted { sources } else { 0 };
        let of_keys = rows_if(alike != Alike::All);
        let of_values = rows_if(alike == Alike::Apart);
        let table = |rows: usize| buffers::any(rows * width);
        let (mut d_q, mut d_k, mut d_v) = (table(targets), table(of_keys), table(of_values));
        let (q, k, v) = (values(&q), values(&k), values(&v));
        let (alpha, grad) = (values(&alpha), values(&grad));
        let tables = Attention { q: &q, k: &k, v: &v, more: &[], width, residual: false };
        let gradients = AttentionGradients { q: &mut d_q, k: &mut d_k, v: &mut d_v };
        let (there, back) = (edges.by_target(), edges.by_source());
        attention::attend_backward(there, back, tables, &alpha, &grad, gradients);
        (tensor(d_q, [targets, width]), tensor(d_k, [of_keys, width]), tensor(d_v, [of_values, width]))
    }

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
        alike: bool,
    ) -> (FlexTensor, FlexTensor) {
        let ([targets, width], sources) = (shape_of(&q), if alike { 0 } else { shape_of(&x)[0] });
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

/// What each target hears, and the weights of the edges.
fn attend(edges: &Edges, tables: Attention) -> (FlexTensor, FlexTensor) {
    let (mut alpha, mut out) = (buffers::any(edges.len()), buffers::any(tables.q.len()));
    attention::attend(edges.by_target(), tables, &mut alpha, &mut out);
    (tensor(out, [edges.n_targets(), tables.width]), tensor(alpha, [edges.len()]))
}
