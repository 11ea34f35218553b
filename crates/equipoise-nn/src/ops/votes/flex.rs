//! Fast CPU bodies.

use super::VoteOps;
use crate::buffers;
use crate::ops::flex::{tensor, values};
use burn::backend::flex::{Flex, FlexTensor};
use equipoise_data::graph::Edges;
use equipoise_kernels::edge_scalars;
use std::sync::Arc;

impl VoteOps for Flex {
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
