//! The fast body of each operation against the generic one, called side by side on the CPU backend.

use crate::graphs::{edge_sets, matrices};
use crate::support::numbers;
use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::TensorData;
use equipoise_data::graph::Edges;
use equipoise_data::{Seed, Stream};
use equipoise_nn::Propagation;
use equipoise_nn::ops::dense::{AffineKind, DenseOps, generic as dense};
use equipoise_nn::ops::element::{Activation, ElementOps, generic as element};
use equipoise_nn::ops::graph::composed::generic as composed;
use equipoise_nn::ops::graph::edges::generic as graph;
use equipoise_nn::ops::graph::{ComposedOps, GraphOps, SharedTables};
use equipoise_nn::ops::table::{TableOps, generic as whole};
use proptest::prelude::*;
use std::sync::Arc;

fn tensor<const D: usize>(shape: [usize; D], s: &mut Stream) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers(shape.iter().product(), s), shape))
}

fn close(what: &str, fast: FlexTensor, generic: FlexTensor) {
    let vector = |t: FlexTensor| -> Vec<f32> { t.to_contiguous().into_data().try_into_vec().unwrap() };
    let generic: Vec<f64> = vector(generic).into_iter().map(f64::from).collect();
    crate::support::close(what, &vector(fast), &generic);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn products(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for sparse in matrices(&mut s) {
            let sizes = [sparse.n_columns(), sparse.n()];
            let p = Arc::new(Propagation::new(sparse));
            for transposed in [false, true] {
                let x = tensor([sizes[usize::from(transposed)], width], &mut s);
                let fast = Flex::propagate(x.clone(), p.clone(), transposed);
                close("propagate", fast, graph::propagate::<Flex>(x, p.clone(), transposed));
            }
        }
    }

    #[test]
    fn weighted_sums(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let (w, x) = (tensor([e.len()], &mut s), tensor([e.n_sources(), width], &mut s));
            let fast = Flex::propagate_weighted(w.clone(), x.clone(), e.clone());
            close("propagate_weighted", fast, graph::propagate_weighted::<Flex>(w.clone(), x.clone(), e.clone()));
            let g = tensor([e.n_targets(), width], &mut s);
            let fast = Flex::propagate_weighted_backward(w.clone(), x.clone(), g.clone(), e.clone());
            let plain = graph::propagate_weighted_backward::<Flex>(w, x, g, e.clone());
            close("gradient of weights", fast.0, plain.0);
            close("gradient of rows", fast.1, plain.1);
        }
    }

    #[test]
    fn sums_over_layers(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for sparse in matrices(&mut s).into_iter().filter(|m| m.n() == m.n_columns()) {
            let x = tensor([sparse.n(), width], &mut s);
            let (p, c): (_, Arc<[f32]>) = (Arc::new(Propagation::new(sparse)), [0.5, 1.0, 0.25].into());
            for transposed in [false, true] {
                let fast = Flex::propagate_layers(x.clone(), p.clone(), c.clone(), transposed);
                let plain = composed::propagate_layers::<Flex>(x.clone(), p.clone(), c.clone(), transposed);
                close("propagate_layers", fast, plain);
            }
        }
        for e in edge_sets(&mut s).into_iter().filter(|e| e.n_targets() == e.n_sources()) {
            let table = |s: &mut Stream| tensor([e.n_sources(), width], s);
            let (w, d_w) = (tensor([e.len()], &mut s), tensor([e.len()], &mut s));
            let (x, base, g) = (table(&mut s), table(&mut s), table(&mut s));
            let fast = Flex::weighted_hop(w.clone(), x.clone(), base.clone(), e.clone());
            let plain = composed::weighted_hop::<Flex>(w.clone(), x.clone(), base.clone(), e.clone());
            close("hop", fast.0, plain.0);
            close("hop and base", fast.1, plain.1);
            let operands = || (w.clone(), x.clone(), g.clone(), base.clone(), d_w.clone(), e.clone());
            let (w, x, g, base, d_w, e) = operands();
            let fast = Flex::weighted_hop_backward(w, x, g, base, d_w, e);
            let (w, x, g, base, d_w, e) = operands();
            let plain = composed::weighted_hop_backward::<Flex>(w, x, g, base, d_w, e);
            close("gradient of the hop's weights", fast.0, plain.0);
            close("gradient of the hop's rows", fast.1, plain.1);
        }
    }

    #[test]
    fn attention_with_additions(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let [q, x] = [e.n_targets(), e.n_sources()].map(|rows| tensor([rows, width], &mut s));
            let (out, alpha) = Flex::residual_attention(q.clone(), x.clone(), e.clone());
            close("residual", out, composed::residual_attention::<Flex>(q.clone(), x.clone(), e.clone()).0);
            let g = tensor([e.n_targets(), width], &mut s);
            for shared in [false, true].into_iter().take(if e.n_targets() == e.n_sources() { 2 } else { 1 }) {
                let operands = || (q.clone(), x.clone(), alpha.clone(), g.clone(), e.clone());
                let (q, x, alpha, g, e) = operands();
                let fast = Flex::residual_attention_backward(q, x, alpha, g, e, shared);
                let (q, x, alpha, g, e) = operands();
                let plain = composed::residual_attention_backward::<Flex>(q, x, alpha, g, e, shared);
                close("gradient of residual queries", fast.0, plain.0);
                if !shared {
                    close("gradient of what they hear", fast.1, plain.1);
                }
            }
        }
        for e in edge_sets(&mut s).into_iter().filter(|e| e.n_targets() == e.n_sources()) {
            let table = |s: &mut Stream| tensor([e.n_sources(), width], s);
            let (x, mix, g) = (table(&mut s), table(&mut s), table(&mut s));
            let n = e.n_sources() as u32;
            let sources = e.sources().iter().map(|&from| if s.unit() < 0.5 { from + n } else { from });
            let e = Arc::new(Edges::new(2 * e.n_sources(), e.indptr().to_vec(), sources.collect()));
            let (out, alpha) = Flex::mixed_attention(x.clone(), mix.clone(), e.clone());
            close("mixed_attention", out, composed::mixed_attention::<Flex>(x.clone(), mix.clone(), e.clone()).0);
            let (a, b) = (alpha.clone(), alpha);
            let fast = Flex::mixed_attention_backward(x.clone(), mix.clone(), a, g.clone(), e.clone());
            let plain = composed::mixed_attention_backward::<Flex>(x, mix, b, g, e);
            close("gradient of the own table", fast.0, plain.0);
            close("gradient of the mix", fast.1, plain.1);
        }
    }

    #[test]
    fn numbers_of_edges(seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let (a, b, g) = (tensor([e.len()], &mut s), tensor([e.len()], &mut s), tensor([e.len()], &mut s));
            let worth = tensor([e.n_sources(), 1], &mut s);
            let fast = Flex::by_sender(a.clone(), worth.clone(), e.clone());
            close("by_sender", fast, graph::by_sender::<Flex>(a.clone(), worth.clone(), e.clone()));
            let fast = Flex::by_sender_backward(a.clone(), worth.clone(), g.clone(), e.clone());
            let plain = graph::by_sender_backward::<Flex>(a.clone(), worth, g.clone(), e.clone());
            close("gradient of weighed values", fast.0, plain.0);
            close("gradient of worth", fast.1, plain.1);
            close("larger", Flex::larger(a.clone(), b.clone()), graph::larger::<Flex>(a.clone(), b.clone()));
            // Equal ones too.
            for b in [b, a.clone()] {
                let fast = Flex::larger_backward(a.clone(), b.clone(), g.clone());
                let plain = graph::larger_backward::<Flex>(a.clone(), b, g.clone());
                close("gradient of the first", fast.0, plain.0);
                close("gradient of the second", fast.1, plain.1);
            }
        }
    }

    #[test]
    fn whole_tables(above in 1usize..9, below in 1usize..9, width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let [a, b, c] = [above, below, below].map(|rows| tensor([rows, width], &mut s));
        close("stack", Flex::stack(a.clone(), b.clone()), whole::stack::<Flex>(a.clone(), b.clone()));
        let height = above + below + 1;
        close("pad_rows", Flex::pad_rows(a.clone(), below, height), whole::pad_rows::<Flex>(a, below, height));
        close("blend", Flex::blend(b.clone(), c.clone(), 0.5), whole::blend::<Flex>(b.clone(), c, 0.5));
        close("scaled", Flex::scaled(b.clone(), 0.3), whole::scaled::<Flex>(b, 0.3));
    }

    #[test]
    fn softmaxes(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let [q, k] = [e.n_targets(), e.n_sources()].map(|rows| tensor([rows, width], &mut s));
            let alpha = Flex::edge_softmax(q.clone(), k.clone(), e.clone());
            close("edge_softmax", alpha.clone(), graph::edge_softmax::<Flex>(q.clone(), k.clone(), e.clone()));
            let g = tensor([e.len()], &mut s);
            for shared in [false, true] {
                let (q, k, alpha, g) = (q.clone(), k.clone(), alpha.clone(), g.clone());
                if shared && e.n_targets() != e.n_sources() {
                    continue;
                }
                let fast =
                    Flex::edge_softmax_backward(q.clone(), k.clone(), alpha.clone(), g.clone(), e.clone(), shared);
                let plain = graph::edge_softmax_backward::<Flex>(q, k, alpha, g, e.clone(), shared);
                close("gradient of queries", fast.0, plain.0);
                if !shared {
                    close("gradient of keys", fast.1, plain.1);
                }
            }
        }
    }

    #[test]
    fn attentions(width in 1usize..21, seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s) {
            let [q, k, v] = [e.n_targets(), e.n_sources(), e.n_sources()].map(|rows| tensor([rows, width], &mut s));
            let fast = Flex::edge_attention(q.clone(), k.clone(), v.clone(), e.clone());
            let plain = graph::edge_attention::<Flex>(q.clone(), k.clone(), v.clone(), e.clone());
            close("edge_attention", fast.0, plain.0);
            close("weights", fast.1.clone(), plain.1);
            let (alpha, g) = (fast.1, tensor([e.n_targets(), width], &mut s));
            for shared in [SharedTables::None, SharedTables::KeysAndValues, SharedTables::All] {
                if shared == SharedTables::All && e.n_targets() != e.n_sources() {
                    continue;
                }
                let (q, k, v, alpha, g) = (q.clone(), k.clone(), v.clone(), alpha.clone(), g.clone());
                let plain = graph::edge_attention_backward::<Flex>(
                    q.clone(), k.clone(), v.clone(), alpha.clone(), g.clone(), e.clone(), shared,
                );
                let fast = Flex::edge_attention_backward(q, k, v, alpha, g, e.clone(), shared);
                close("gradient of queries", fast.0, plain.0);
                if shared != SharedTables::All {
                    close("gradient of keys", fast.1, plain.1);
                }
                if shared == SharedTables::None {
                    close("gradient of values", fast.2, plain.2);
                }
            }
        }
    }

    #[test]
    fn elements(rows in 1usize..30, width in 1usize..34, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let mut values = numbers(rows * width, &mut s);
        // A zero row, where rules of their own hold.
        values[..width].fill(0.0);
        let x = FlexTensor::from_data(TensorData::new(values, [rows, width]));
        let g = tensor([rows, width], &mut s);
        for f in [Activation::LeakyRelu, Activation::Sigmoid, Activation::Tanh] {
            let out = Flex::activate(x.clone(), f);
            close(&format!("{f:?}"), out.clone(), element::activate::<Flex>(x.clone(), f));
            let fast = Flex::activate_backward(out.clone(), g.clone(), f);
            close(&format!("slope of {f:?}"), fast, element::activate_backward::<Flex>(out, g.clone(), f));
        }
        let [weights, base, gate] = [1, width, width].map(|width| tensor([rows, width], &mut s));
        let fast = Flex::gated(x.clone(), weights.clone(), base.clone(), gate.clone());
        close("gated", fast, element::gated::<Flex>(x.clone(), weights.clone(), base.clone(), gate.clone()));
        let fast = Flex::gated_backward(x.clone(), weights.clone(), base.clone(), gate.clone(), g.clone());
        let plain = element::gated_backward::<Flex>(x.clone(), weights, base, gate, g.clone());
        close("gradient of gated rows", fast.0, plain.0);
        close("gradient of weights", fast.1, plain.1);
        close("gradient of the base", fast.2, plain.2);
        close("gradient of the gate", fast.3, plain.3);
        let ((out, norms), plain) = (Flex::normalise_rows(x.clone()), element::normalise_rows::<Flex>(x));
        close("normalise_rows", out.clone(), plain.0);
        close("norms", norms.clone(), plain.1);
        let fast = Flex::normalise_rows_backward(out.clone(), norms.clone(), g.clone());
        close("gradient of rows", fast, element::normalise_rows_backward::<Flex>(out, norms, g));
    }

    #[test]
    fn linear_maps(rows in 1usize..300, inputs in 1usize..20, outputs in 1usize..20, leaky: bool, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let [x, weight, bias] = [[rows, inputs], [outputs, inputs], [1, outputs]].map(|shape| tensor(shape, &mut s));
        let [first, second, grad] = [(); 3].map(|()| tensor([rows, outputs], &mut s));
        let fast = Flex::affine(x.clone(), weight.clone(), bias.clone(), leaky);
        close("affine", fast, dense::affine::<Flex>(x.clone(), weight.clone(), bias.clone(), leaky));
        let plain = dense::affine_added::<Flex>(
            x.clone(), weight.clone(), bias.clone(), first.clone(), second.clone(), leaky,
        );
        let y = Flex::affine_added(x.clone(), weight.clone(), bias, first, second, leaky);
        close("affine_added", y.clone(), plain);
        let kind = AffineKind { leaky, wants_x: true, wants_added: true };
        let fast = Flex::affine_backward(x.clone(), weight.clone(), y.clone(), grad.clone(), kind);
        let plain = dense::affine_backward::<Flex>(x, weight, y, grad, kind);
        close("gradient of rows", fast.0, plain.0);
        close("gradient of weights", fast.1, plain.1);
        close("gradient of biases", fast.2, plain.2);
        close("gradient of what is added", fast.3, plain.3);
    }

    #[test]
    fn partition_functions(rows in 1usize..90, others in 1usize..40, width in 1usize..20, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (a, b, grad) = (tensor([rows, width], &mut s), tensor([others, width], &mut s), tensor([rows, 1], &mut s));
        let offsets: Arc<[f32]> = numbers(others, &mut s).into();
        let out = Flex::log_partition(a.clone(), b.clone(), offsets.clone());
        close("log_partition", out.clone(), dense::log_partition::<Flex>(a.clone(), b.clone(), offsets.clone()));
        let fast = Flex::log_partition_backward(a.clone(), b.clone(), out.clone(), grad.clone(), offsets.clone());
        let plain = dense::log_partition_backward::<Flex>(a, b, out, grad, offsets);
        close("gradient of rows", fast.0, plain.0);
        close("gradient of the others", fast.1, plain.1);
    }
}
