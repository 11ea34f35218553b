//! Random graphs, random tables and comparisons.

use equipoise_kernels::sparse::BySource;
use equipoise_kernels::sparse::SparseRows;
use proptest::prelude::*;

/// A directed edge set, by target and by source.
#[derive(Clone, Debug)]
pub struct Graph {
    pub n_targets: usize,
    pub n_sources: usize,
    indptr: Vec<usize>,
    columns: Vec<u32>,
    by_source: (Vec<usize>, Vec<u32>, Vec<u32>),
}

impl Graph {
    /// Pairs are `(target, source)`; repeated ones count once.
    pub fn new(n_targets: usize, n_sources: usize, mut pairs: Vec<(u32, u32)>) -> Graph {
        pairs.sort_unstable();
        pairs.dedup();
        let bounds = |n: usize, of: &dyn Fn(&(u32, u32)) -> u32| -> Vec<usize> {
            (0..=n).map(|r| pairs.iter().filter(|p| (of(p) as usize) < r).count()).collect()
        };
        let mut order: Vec<u32> = (0..pairs.len() as u32).collect();
        order.sort_by_key(|&e| (pairs[e as usize].1, pairs[e as usize].0));
        let targets = order.iter().map(|&e| pairs[e as usize].0).collect();
        let (indptr, columns) = (bounds(n_targets, &|p| p.0), pairs.iter().map(|p| p.1).collect());
        let by_source = (bounds(n_sources, &|p| p.1), targets, order);
        Graph { n_targets, n_sources, indptr, columns, by_source }
    }

    /// Rows of most lengths, empty ones among them, a row of 5000 and a source in every third row: more than
    /// one task, and a row longer than a task.
    pub fn large() -> Graph {
        let scattered = (0..12_000u32).map(|k| ((k * 7919) % 1301, (k * 104_729) % 5000));
        let (long, popular) = ((0..5000).map(|s| (700, s)), (0..1300).step_by(3).map(|t| (t, 17)));
        Graph::new(1400, 5000, scattered.chain(long).chain(popular).collect())
    }

    pub fn rows(&self) -> SparseRows<'_> {
        SparseRows { indptr: &self.indptr, columns: &self.columns }
    }

    pub fn by_source(&self) -> BySource<'_> {
        let (indptr, columns, edges) = &self.by_source;
        BySource { rows: SparseRows { indptr, columns }, edges }
    }

    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    pub fn n_edges(&self) -> usize {
        self.columns.len()
    }

    /// `(target, source)` of every entry.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let of_row = |t: usize| (self.indptr[t]..self.indptr[t + 1]).map(move |e| (t, e));
        (0..self.n_targets).flat_map(of_row).map(|(t, e)| (t, self.columns[e] as usize)).collect()
    }
}

/// Graphs of no rows, one node, isolated nodes, and, every other time, a target and a source with all edges.
pub fn graphs() -> impl Strategy<Value = Graph> {
    let sizes = prop_oneof![Just((0, 0)), Just((1, 1)), Just((4, 0)), (1usize..30, 1usize..25)];
    (sizes, prop::collection::vec((0u32..1000, 0u32..1000), 0..120), any::<bool>()).prop_map(
        |((n_targets, n_sources), pairs, hubs)| {
            let (t, s) = (n_targets as u32, n_sources as u32);
            let mut pairs = if t * s == 0 { Vec::new() } else { pairs };
            pairs.iter_mut().for_each(|(a, b)| (*a, *b) = (*a % t, *b % s));
            if hubs && t * s > 0 {
                pairs.extend((0..s).map(|b| (t / 2, b)).chain((0..t).map(|a| (a, s / 3))));
            }
            Graph::new(n_targets, n_sources, pairs)
        },
    )
}

/// Widths on and off the blocks of the kernels.
pub fn widths() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1, 3, 8, 16, 24, 32, 64, 71, 128])
}

/// Numbers in `(-1, 1)`, the same for a seed.
pub fn table(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Row `r` of a table.
pub fn row(x: &[f64], width: usize, r: usize) -> &[f64] {
    &x[r * width..][..width]
}

#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (k, (&found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance * (1.0 + expected.abs()), "at {k}: {found} is not {expected}");
    }
}

/// The gradient of `loss` by central differences.
pub fn differences(x: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|k| {
            let middle = x[k];
            let mut at = |value| {
                x[k] = value;
                loss(&x)
            };
            let slope = (at(middle + STEP) - at(middle - STEP)) / (2.0 * STEP);
            x[k] = middle;
            slope
        })
        .collect()
}

/// Runs `work` on one thread and on three, and asserts that all bits agree.
#[track_caller]
pub fn assert_same_on_any_number_of_threads(work: impl Fn() -> Vec<f32> + Sync) {
    let on = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(&work).into_iter().map(f32::to_bits).collect()
    };
    let (one, three) = (on(1), on(3));
    assert!(!one.is_empty() && one == three, "one and three threads differ");
}
