//! Fast CPU bodies of the operations over edges.

use super::GraphOps;
use crate::Propagation;
use crate::ops::flex::{contiguous, shape_of, tensor};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_graph::Edges;
use equipoise_kernels::attention::{self, Attention, AttentionGradients};
use equipoise_kernels::sparse::SparseRows;
use equipoise_kernels::{softmax, sparse};
use std::sync::Arc;

impl GraphOps for Flex {
    fn propagate(x: FlexTensor, propagation: Arc<Propagation>, transposed: bool) -> FlexTensor {
        let matrix = if transposed { propagation.transposed() } else { propagation.matrix() };
        let (x, [_, width]) = (contiguous(&x), shape_of(&x));
        let rows = SparseRows { indptr: matrix.indptr(), columns: matrix.indices() };
        let height = matrix.indptr().len() - 1;
        let mut out = vec![0.0; height * width];
        sparse::spmm(rows, matrix.values(), x.storage(), width, &mut out);
        tensor(out, [height, width])
    }

    fn propagate_weighted(weights: FlexTensor, x: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let (weights, x, [_, width]) = (contiguous(&weights), contiguous(&x), shape_of(&x));
        let mut out = vec![0.0; edges.n_targets() * width];
        sparse::spmm(edges.by_target(), weights.storage(), x.storage(), width, &mut out);
        tensor(out, [edges.n_targets(), width])
    }

    fn propagate_weighted_backward(
        weights: FlexTensor,
        x: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let (weights, x, grad) = (contiguous(&weights), contiguous(&x), contiguous(&grad));
        let [height, width] = shape_of(&x);
        let (mut d_weights, mut d_x) = (vec![0.0; edges.len()], vec![0.0; height * width]);
        let (weights, x, grad) = (weights.storage(), x.storage(), grad.storage());
        sparse::spmm_backward(edges.by_source(), weights, x, grad, width, &mut d_weights, &mut d_x);
        (tensor(d_weights, [edges.len()]), tensor(d_x, [height, width]))
    }

    fn edge_softmax(q: FlexTensor, k: FlexTensor, edges: Arc<Edges>) -> FlexTensor {
        let (q, k, [_, width]) = (contiguous(&q), contiguous(&k), shape_of(&q));
        let mut alpha = vec![0.0; edges.len()];
        sparse::edge_dots(edges.by_target(), q.storage(), k.storage(), width, &mut alpha);
        softmax::segment_softmax(edges.indptr(), &mut alpha);
        tensor(alpha, [edges.len()])
    }

    fn edge_softmax_backward(
        q: FlexTensor,
        k: FlexTensor,
        alpha: FlexTensor,
        grad: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let (q, k, alpha) = (contiguous(&q), contiguous(&k), contiguous(&alpha));
        let mut d_logits = contiguous(&grad).storage::<f32>().to_vec();
        softmax::segment_softmax_backward(edges.indptr(), alpha.storage(), &mut d_logits);
        let (mut d_q, mut d_k) = (vec![0.0; targets * width], vec![0.0; sources * width]);
        sparse::spmm(edges.by_target(), &d_logits, k.storage(), width, &mut d_q);
        let back = edges.by_source();
        sparse::spmm_by_edge(back.rows, back.edges, &d_logits, q.storage(), width, &mut d_k);
        (tensor(d_q, [targets, width]), tensor(d_k, [sources, width]))
    }

    fn edge_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        edges: Arc<Edges>,
    ) -> (FlexTensor, FlexTensor) {
        let (q, k, v, [_, width]) = (contiguous(&q), contiguous(&k), contiguous(&v), shape_of(&q));
        let (mut alpha, mut out) = (vec![0.0; edges.len()], vec![0.0; edges.n_targets() * width]);
        let tables = Attention { q: q.storage(), k: k.storage(), v: v.storage(), width };
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
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let ([targets, width], [sources, _]) = (shape_of(&q), shape_of(&k));
        let zeros = |rows: usize| vec![0.0f32; rows * width];
        let (mut d_q, mut d_k, mut d_v) = (zeros(targets), zeros(sources), zeros(sources));
        let (q, k, v) = (contiguous(&q), contiguous(&k), contiguous(&v));
        let (alpha, grad) = (contiguous(&alpha), contiguous(&grad));
        let tables = Attention { q: q.storage(), k: k.storage(), v: v.storage(), width };
        let gradients = AttentionGradients { q: &mut d_q, k: &mut d_k, v: &mut d_v };
        let (there, back) = (edges.by_target(), edges.by_source());
        attention::attend_backward(there, back, tables, alpha.storage(), grad.storage(), gradients);
        (tensor(d_q, [targets, width]), tensor(d_k, [sources, width]), tensor(d_v, [sources, width]))
    }
}
