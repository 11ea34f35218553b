//! Every kernel-backed operation gives the same bits on one thread and on four.

use burn::tensor::Tensor;
use equipoise_data::{Features, Seed, Stream, Triples};
use equipoise_nn::{Adam, AdamConfig, Group, Parameters, Rows, functions};
use std::sync::Arc;

fn numbers(n: usize, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (2.0 * stream.unit() - 1.0) as f32).collect()
}

fn bits<const D: usize>(t: Tensor<D>) -> Vec<u32> {
    let values: Vec<f32> = t.into_data().try_into_vec().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

fn on_threads<T: Send>(count: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap().install(work)
}

/// Large enough that every kernel splits its work.
const USERS: usize = 700;
const ITEMS: usize = 900;
const D: usize = 37;
const WIDTH: usize = 130;
const TRIPLES: usize = 2500;

struct Setting {
    parameters: Parameters,
    features: Features,
    users: Rows,
    items: Rows,
    triples: Arc<Triples>,
    weights: Arc<[f32]>,
}

fn setting() -> Setting {
    let mut s = Seed(11).stream("test");
    let mut parameters = Parameters::new(&equipoise_nn::device("cpu").unwrap());
    for (name, shape) in [("user", [USERS, D]), ("weight", [D, WIDTH]), ("bias", [1, D])] {
        parameters.add(name, Group::Shared, shape, numbers(shape[0] * shape[1], &mut s));
    }
    let features = Features::new(ITEMS, WIDTH, numbers(ITEMS * WIDTH, &mut s)).unwrap();
    let (users, items): (Rows, Rows) =
        ((0..USERS as u32).step_by(2).collect(), (0..ITEMS as u32).step_by(3).collect());
    let mut draw = |bound: usize| (0..TRIPLES).map(|_| s.below(bound as u32)).collect();
    let triples =
        Triples { users: draw(users.len()), positives: draw(items.len()), negatives: draw(items.len()) };
    let weights = (0..items.len()).map(|k| k as f32 / 7.0).collect();
    Setting { parameters, features, users, items, triples: Arc::new(triples), weights }
}

/// Outputs, gradients, and parameters after two optimiser steps, as bits.
fn everything() -> Vec<Vec<u32>> {
    let mut s = setting();
    let mut adam = Adam::new(AdamConfig { lr: 0.01, ..AdamConfig::default() });
    let mut seen = Vec::new();
    for _ in 0..2 {
        let values = s.parameters.values(true);
        let y = functions::gather_rows(values.get("user"), &s.users);
        let z = functions::project_rows(values.get("weight"), values.get("bias"), &s.features, &s.items);
        let margins = functions::margins(y.clone(), z.clone(), &s.triples);
        let norm = functions::weighted_square_sum(z.clone(), &s.weights);
        let loss = equipoise_nn::math::softplus(margins.clone().neg()).mean() + norm.clone() * 1e-3;
        let mut gradients = loss.backward();
        let gradients = values.gradients(&mut gradients);
        drop(values);
        seen.extend([bits(y.inner()), bits(z.inner()), bits(margins.inner()), bits(norm.inner())]);
        seen.extend(gradients.iter().map(|g| bits(g.clone().expect("the loss reaches every table"))));
        adam.step(&mut s.parameters, gradients);
    }
    seen.extend(
        ["user", "weight", "bias"].map(|n| s.parameters.read(n).into_iter().map(f32::to_bits).collect()),
    );
    seen
}

#[test]
fn one_thread_and_four_give_the_same_bits() {
    let (one, four) = (on_threads(1, everything), on_threads(4, everything));
    assert_eq!(one.len(), 2 * (4 + 3) + 3);
    for (k, (a, b)) in one.iter().zip(&four).enumerate() {
        assert!(a == b, "result {k} depends on the number of threads");
    }
}
