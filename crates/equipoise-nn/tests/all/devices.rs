//! On another device every operation gives the outputs and gradients of the processor.
//!
//! Run with `--features equipoise-nn/vulkan -E 'test(devices::)' --run-ignored all` (docs/gpu.md); `EQUIPOISE_DEVICE` names the
//! device, `vulkan` if unset.

use burn::tensor::{Device, Tensor, TensorData};
use equipoise_data::graph::{Edges, knn};
use equipoise_data::{Features, Seed, Stream, Triples};
use equipoise_nn::{Adam, AdamConfig, Group, Parameters, Propagation, RowWeights, functions as f};
use std::sync::Arc;

/// Sums run in another order there.
const TOLERANCE: f32 = 2e-5;

fn other() -> Option<Device> {
    let name = std::env::var("EQUIPOISE_DEVICE").unwrap_or_else(|_| "vulkan".into());
    match equipoise_nn::device(&name) {
        Ok(device) => Some(device),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn numbers(n: usize, s: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (2.0 * s.unit() - 1.0) as f32).collect()
}

type Table = (Vec<f32>, [usize; 2]);

fn table(rows: usize, width: usize, s: &mut Stream) -> Table {
    (numbers(rows * width, s), [rows, width])
}

fn vector<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_into_vec().unwrap()
}

/// The output of `run` and the gradient of each table under a fixed upstream gradient.
fn traced<const D: usize>(
    device: &Device,
    tables: &[Table],
    run: &impl Fn(&[Tensor<2>]) -> Tensor<D>,
) -> Vec<Vec<f32>> {
    let leaf = |(values, shape): &Table| {
        Tensor::<2>::from_data(TensorData::new(values.clone(), *shape), device).autodiff().require_grad()
    };
    let leaves: Vec<Tensor<2>> = tables.iter().map(leaf).collect();
    let out = run(&leaves);
    let upstream = numbers(out.shape().num_elements(), &mut Seed(9).stream("upstream"));
    let upstream = Tensor::<D>::from_data(TensorData::new(upstream, out.dims()), &out.device());
    let gradients = (out.clone() * upstream).sum().backward();
    let of = |leaf: &Tensor<2>| vector(leaf.grad(&gradients).expect("the loss reaches every leaf"));
    std::iter::once(vector(out.inner())).chain(leaves.iter().map(of)).collect()
}

fn agree<const D: usize>(what: &str, tables: &[Table], run: impl Fn(&[Tensor<2>]) -> Tensor<D>) {
    let Some(other) = other() else { return };
    let here = traced(&equipoise_nn::device("cpu").unwrap(), tables, &run);
    let there = traced(&other, tables, &run);
    for (part, (here, there)) in here.iter().zip(&there).enumerate() {
        assert_eq!(here.len(), there.len(), "{what}, part {part}");
        for (h, t) in here.iter().zip(there) {
            assert!((h - t).abs() <= TOLERANCE * (1.0 + h.abs()), "{what}, part {part}: {h} here, {t} there");
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn rows_and_projections() {
    let mut s = Seed(1).stream("test");
    let rows: Arc<[u32]> = (0..50).step_by(3).collect();
    let taken = rows.clone();
    let of_numbers = taken.clone();
    agree("gather", &[table(50, 17, &mut s)], move |t| f::gather_rows(t[0].clone(), &taken));
    agree("gather numbers", &[table(50, 1, &mut s)], move |t| {
        f::gather_values(t[0].clone().reshape([50]), &of_numbers)
    });
    let features = Features::new(50, 33, numbers(50 * 33, &mut s)).unwrap();
    agree("project", &[table(9, 33, &mut s), table(1, 9, &mut s)], move |t| {
        f::project_rows(t[0].clone(), t[1].clone(), &features, &rows)
    });
}

#[test]
#[ignore = "needs a device"]
fn margins_and_norms() {
    let mut s = Seed(2).stream("test");
    let mut draw = |bound: u32| (0..40).map(|_| s.below(bound)).collect::<Vec<u32>>();
    let triples = Arc::new(Triples { users: draw(12), positives: draw(15), negatives: draw(15) });
    let tables = [table(12, 19, &mut s), table(15, 19, &mut s)];
    let mut positive = |n: usize| numbers(n, &mut s).iter().map(|v| v.abs()).collect::<Vec<f32>>();
    let weights = Arc::new(RowWeights { users: positive(12), items: positive(15) });
    let of_users: Arc<[f32]> = weights.users.clone().into();
    agree("margins", &tables, |t| f::margins(t[0].clone(), t[1].clone(), &triples));
    agree("margins and norm", &tables, |t| {
        f::margins_and_norm(t[0].clone(), t[1].clone(), &triples, &weights)
    });
    agree("squares", &tables[..1], |t| f::weighted_square_sum(t[0].clone(), &of_users));
}

/// A target of 20 edges, one of none, and some between.
fn edges() -> Arc<Edges> {
    let degrees = [3usize, 0, 20, 1, 7];
    let mut indptr = vec![0];
    let mut sources = Vec::new();
    for degree in degrees {
        sources.extend((0..degree as u32).map(|k| (k * 7 + degree as u32) % 23));
        indptr.push(sources.len());
    }
    Arc::new(Edges::new(23, indptr, sources))
}

#[test]
#[ignore = "needs a device"]
fn graphs() {
    let mut s = Seed(3).stream("test");
    let edges = edges();
    let propagation = Arc::new(Propagation::new(knn(&features(&mut s), 4).weighted()));
    agree("propagate", &[table(23, 16, &mut s)], |t| f::propagate(&propagation, t[0].clone()));
    agree("weighted", &[table(edges.len(), 1, &mut s), table(23, 16, &mut s)], |t| {
        f::propagate_weighted(&edges, t[0].clone().reshape([edges.len()]), t[1].clone())
    });
    let (q, k, v) = (table(5, 16, &mut s), table(23, 16, &mut s), table(23, 16, &mut s));
    agree("softmax", &[q.clone(), k.clone()], |t| f::edge_softmax(&edges, t[0].clone(), t[1].clone()));
    agree("attention", &[q, k, v], |t| f::edge_attention(&edges, t[0].clone(), t[1].clone(), t[2].clone()));
}

/// A ring of nine nodes and a tenth that has no neighbour.
fn ring() -> Arc<Edges> {
    let sources = (0..9u32).flat_map(|n| [(n + 8) % 9, (n + 1) % 9]).collect();
    let indptr = (0..=9).map(|n| 2 * n).chain([18]).collect();
    Arc::new(Edges::new(10, indptr, sources))
}

#[test]
#[ignore = "needs a device"]
fn operations_in_one() {
    let mut s = Seed(6).stream("test");
    let (ring, edges) = (ring(), edges());
    let propagation = Arc::new(Propagation::new(knn(&features(&mut s), 4).weighted()));
    agree("layers", &[table(23, 16, &mut s)], |t| {
        f::propagate_layers(&propagation, t[0].clone(), &[1.0, 0.5, 2.0])
    });
    agree("weighted layers", &[table(18, 1, &mut s), table(10, 16, &mut s)], |t| {
        f::weighted_layers(&ring, t[0].clone().reshape([18]), t[1].clone(), 2)
    });
    agree("residual", &[table(5, 16, &mut s), table(23, 16, &mut s)], |t| {
        f::residual_attention(&edges, t[0].clone(), t[1].clone())
    });
    agree("residual, one table", &[table(10, 16, &mut s)], |t| {
        f::residual_attention(&ring, t[0].clone(), t[0].clone())
    });
    let branched = Arc::new(ring.branched(|edge| edge % 3 == 0));
    agree("mixed", &[table(10, 16, &mut s), table(10, 16, &mut s)], |t| {
        f::mixed_attention(&branched, t[0].clone(), t[1].clone())
    });
}

fn features(s: &mut Stream) -> Features {
    Features::new(23, 6, numbers(23 * 6, s)).unwrap()
}

#[test]
#[ignore = "needs a device"]
fn whole_tables_and_votes() {
    let mut s = Seed(7).stream("test");
    let [a, b] = [(); 2].map(|()| table(9, 16, &mut s));
    let both = [a, b];
    agree("stack", &both, |t| f::stack(t[0].clone(), t[1].clone()));
    agree("range", &both[..1], |t| f::range_of_rows(t[0].clone(), 2..7));
    agree("blend", &both, |t| f::blend(t[0].clone(), t[1].clone(), 0.5));
    agree("collect", &both[..1], |t| {
        let x = f::collect(f::tanh(t[0].clone()));
        let some = f::gather_rows(x.clone(), &[2, 5].into());
        f::stack(some, f::blend(f::sigmoid(x.clone()), f::leaky_relu(x), 1.0))
    });
    let edges = edges();
    let of_edges = |t: &Tensor<2>| t.clone().reshape([edges.len()]);
    agree("by sender", &[table(edges.len(), 1, &mut s), table(23, 1, &mut s)], |t| {
        f::by_sender(&edges, of_edges(&t[0]), t[1].clone())
    });
    agree("larger", &[table(edges.len(), 1, &mut s), table(edges.len(), 1, &mut s)], |t| {
        f::larger(of_edges(&t[0]), of_edges(&t[1]))
    });
}

#[test]
#[ignore = "needs a device"]
fn values_and_dense_rows() {
    let mut s = Seed(4).stream("test");
    let x = [table(21, 13, &mut s)];
    agree("normalise", &x, |t| f::normalise_rows(t[0].clone()));
    let operands = [x[0].clone(), table(21, 1, &mut s), table(21, 13, &mut s), table(21, 13, &mut s)];
    agree("gated", &operands, |t| f::gated(t[0].clone(), t[1].clone(), t[2].clone(), t[3].clone()));
    agree("leaky", &x, |t| f::leaky_relu(t[0].clone()));
    agree("sigmoid", &x, |t| f::sigmoid(t[0].clone()));
    agree("tanh", &x, |t| f::tanh(t[0].clone()));
    let offsets: std::sync::Arc<[f32]> = vec![0.5, -1.0, 0.0, 2.0].into();
    let rows = [x[0].clone(), table(4, 13, &mut s)];
    agree("log partition", &rows, |t| f::log_partition(t[0].clone(), t[1].clone(), &offsets));
    let linear = [x[0].clone(), table(8, 13, &mut s), table(1, 8, &mut s)];
    let added = [(); 2].map(|()| table(21, 8, &mut s));
    agree("affine", &linear, |t| f::affine(t[0].clone(), t[1].clone(), t[2].clone()));
    agree("added", &[&linear[..], &added].concat(), |t| {
        f::affine_added_leaky(t[0].clone(), t[1].clone(), t[2].clone(), [t[3].clone(), t[4].clone()])
    });
}

#[test]
#[ignore = "needs a device"]
fn adam() {
    let Some(other) = other() else { return };
    let run = |device: &Device| {
        let mut s = Seed(5).stream("test");
        let mut parameters = Parameters::new(device);
        parameters.add("x", Group::Shared, [7, 5], numbers(35, &mut s));
        let mut adam = Adam::new(AdamConfig::default());
        for _ in 0..3 {
            let grad = Tensor::<2>::from_data(TensorData::new(numbers(35, &mut s), [7, 5]), device);
            adam.step(&mut parameters, vec![Some(grad)]);
        }
        parameters.read("x")
    };
    let (here, there) = (run(&equipoise_nn::device("cpu").unwrap()), run(&other));
    for (h, t) in here.iter().zip(&there) {
        assert!((h - t).abs() <= 1e-6, "{h} here, {t} there");
    }
}
