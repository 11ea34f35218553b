//! Fast bodies for the processor.

use super::GraphOps;
use crate::Propagation;
use crate::buffers;
use crate::ops::flex_tensor::{shape_of, tensor, values};
use crate::ops::graph::shared_tables::SharedTables;
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_data::graph::Edges;
use equipoise_kernels::attention::{self, Attention, AttentionGradients};
use equipoise_kernels::sparse::{SparseRows, Weighted};
use equipoise_kernels::{edge_scalars, softmax, sparse};
use std::sync::Arc;

/// `S` or its transpose.
pub(in crate::ops::graph) fn matrix(propagation: &Propagation, transposed: bool) -> (SparseRows<'_>, &[f32]) {
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
        shared: bool,
    ) -> (FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let (q, k, alpha) = (values(&q), values(&k), values(&alpha));
        let mut d_logits = buffers::any(edges.len());
        softmax::segment_softmax_backward(edges.indptr(), &alpha, &values(&grad), &mut d_logits);
        let mut d_q = buffers::any(targets * width);
        sparse::spmm(edges.by_target(), &d_logits, &k, width, &mut d_q);
        let back = edges.by_source();
        if shared {
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
        shared: SharedTables,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let rows_if = |wanted: bool| if wanted { sources } else { 0 };
        let of_keys = rows_if(shared != SharedTables::All);
        let of_values = rows_if(shared == SharedTables::None);
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

    fn by_sender(given: FlexTensor, worth: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let mut out = buffers::any(edges.len());
        edge_scalars::by_sender(edges.sources(), &values(&given), &values(&worth), &mut out);
        tensor(out, [edges.len()])
    }

    fn by_sender_backward(
        given: FlexTensor,
        worth: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let mut d_worth = buffers::any(edges.n_sources());
        edge_scalars::by_sender_backward(edges.by_source(), &values(&given), &values(&grad), &mut d_worth);
        let d_worth = tensor(d_worth, [edges.n_sources(), 1]);
        (Self::by_sender(grad, worth, edges), d_worth)
    }

    fn larger(a: FlexTensor, b: FlexTensor) -> FlexTensor {
        let (a, b) = (values(&a), values(&b));
        let mut out = buffers::any(a.len());
        edge_scalars::larger(&a, &b, &mut out);
        let n = out.len();
        tensor(out, [n])
    }

    fn larger_backward(a: FlexTensor, b: FlexTensor, grad: FlexTensor) -> (FlexTensor, FlexTensor) {
        let (a, b, grad) = (values(&a), values(&b), values(&grad));
        let (mut d_a, mut d_b) = (buffers::any(grad.len()), buffers::any(grad.len()));
        edge_scalars::larger_backward(&a, &b, &grad, &mut d_a, &mut d_b);
        (tensor(d_a, [grad.len()]), tensor(d_b, [grad.len()]))
    }
}

/// The result of an attention, and the weights of the edges.
pub(in crate::ops::graph) fn attend(edges: &Edges, tables: Attention) -> (FlexTensor, FlexTensor) {
    let (mut alpha, mut out) = (buffers::any(edges.len()), buffers::any(tables.q.len()));
    attention::attend(edges.by_target(), tables, &mut alpha, &mut out);
    (tensor(out, [edges.n_targets(), tables.width]), tensor(alpha, [edges.len()]))
}
