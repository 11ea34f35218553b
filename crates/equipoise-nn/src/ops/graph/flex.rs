//! Fast CPU bodies of the operations over edges.

use super::{Alike, GraphOps};
use crate::Propagation;
use crate::buffers;
use crate::ops::flex::{shape_of, tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_graph::Edges;
use equipoise_kernels::attention::{self, Attention, AttentionGradients};
use equipoise_kernels::sparse::SparseRows;
use equipoise_kernels::{softmax, sparse};
use std::sync::Arc;

impl GraphOps for Flex {
    fn propagate(x: FlexTensor, propagation: Arc<Propagation>, transposed: bool) -> FlexTensor {
        let matrix = if transposed { propagation.transposed() } else { propagation.matrix() };
        let (x, [_, width]) = (values(&x), shape_of(&x));
        let rows = SparseRows { indptr: matrix.indptr(), columns: matrix.indices() };
        let height = matrix.indptr().len() - 1;
        let mut out = buffers::any(height * width);
        sparse::spmm(rows, matrix.values(), &x, width, &mut out);
        tensor(out, [height, width])
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
        sparse::spmm_backward(edges.by_source(), &weights, &x, &grad, width, &mut d_weights, &mut d_x);
        (tensor(d_weights, [edges.len()]), tensor(d_x, [height, width]))
    }

    fn edge_softmax(q: FlexTensor, k: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let (q, k, [_, width]) = (values(&q), values(&k), shape_of(&q));
        let mut alpha = buffers::any(edges.len());
        sparse::edge_dots(edges.by_target(), &q, &k, width, &mut alpha);
        softmax::segment_softmax(edges.indptr(), &mut alpha);
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
        let mut d_logits = values(&grad).to_vec();
        softmax::segment_softmax_backward(edges.indptr(), &alpha, &mut d_logits);
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
        let (mut alpha, mut out) = (buffers::any(edges.len()), buffers::any(edges.n_targets() * width));
        let tables = Attention { q: &q, k: &k, v: &v, width };
        attention::attend(edges.by_target(), tables, &mut alpha, &mut out);
        (tensor(out, [edges.n_targets(), width]), tensor(alpha, [edges.len()]))
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
        let tables = Attention { q: &q, k: &k, v: &v, width };
        let gradients = AttentionGradients { q: &mut d_q, k: &mut d_k, v: &mut d_v };
        let (there, back) = (edges.by_target(), edges.by_source());
        attention::attend_backward(there, back, tables, &alpha, &grad, gradients);
        (tensor(d_q, [targets, width]), tensor(d_k, [of_keys, width]), tensor(d_v, [of_values, width]))
    }
}
