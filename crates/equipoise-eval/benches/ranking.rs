//! Exact full ranking at the size of a small Amazon category.
//!
//! `cargo bench -p equipoise-eval --bench ranking`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use equipoise_data::Interactions;
use equipoise_eval::{Embeddings, rank};

const USERS: usize = 19_445;
const ITEMS: usize = 7_050;
const EXCLUDED_PER_USER: usize = 6;

/// Values in (-1, 1) from a fixed linear congruential sequence.
fn table(len: usize, mut state: u64) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn excluded() -> Interactions {
    let pair = |n: usize| ((n / EXCLUDED_PER_USER) as u32, (n * 7_919 % ITEMS) as u32);
    let pairs: Vec<(u32, u32)> = (0..USERS * EXCLUDED_PER_USER).map(pair).collect();
    Interactions::from_pairs(USERS, ITEMS, &pairs).0
}

fn ranking(c: &mut Criterion) {
    let train = excluded();
    let everyone: Vec<u32> = (0..USERS as u32).collect();
    let mut group = c.benchmark_group("rank_top20_7050_items");
    group.sample_size(10);
    for (dim, n) in [(64, 2_048), (192, 2_048), (192, USERS)] {
        let (users, items) = (table(USERS * dim, 1), table(ITEMS * dim, 2));
        let model = Embeddings { users: &users, items: &items, dim };
        group.throughput(Throughput::Elements((n * ITEMS) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{n}_users_dim_{dim}")), |b| {
            b.iter(|| rank(&model, &everyone[..n], &[&train], 20));
        });
    }
    group.finish();
}

criterion_group!(benches, ranking);
criterion_main!(benches);
