//! The operations of a step at Baby's size, and what the machine could do at best: the rate of one large product,
//! and that of adding two long vectors.

use crate::generate::Size;
use crate::measure::{median, times};
use equipoise_data::graph::Bipartite;
use equipoise_data::{Interactions, Seed};
use equipoise_eval::{Embeddings, rank};
use equipoise_kernels::adam::{AdamStep, adam_step};
use equipoise_kernels::affine::{Affine, affine};
use equipoise_kernels::attention::{Attention, attend};
use equipoise_kernels::features::{FeatureRows, FeatureValues};
use equipoise_kernels::product::inner_products;
use equipoise_kernels::project::{project_rows, project_rows_backward};
use equipoise_kernels::sparse::{SparseRows, spmm};
use rayon::prelude::*;
use serde_json::json;

const WIDTH: usize = 64;
/// Feature columns of the larger modality.
const COLUMNS: usize = 4096;
/// Distinct items of a CKD step.
const DISTINCT: usize = 5_770;

/// One operation: its floating-point operations and the bytes that it must at least read and write.
fn report(name: &str, flops: f64, bytes: f64, work: impl FnMut()) {
    let seconds = times(2, 9, work);
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let line = json!({ "who": "floor", "operation": name, "flops": flops, "bytes": bytes, "seconds": median(&seconds), "least": least });
    println!("{line}");
}

/// Every operation, a JSON line each.
pub fn run() {
    let Size { users, items, train } = Size::BABY;
    let nodes = users + items;
    peaks();
    projection(items);
    on_graph(&graph(users, items, train), nodes);
    adam(2 * nodes * WIDTH + (COLUMNS + 1024) * WIDTH);
    ranking(users, items);
}

fn values(count: usize) -> Vec<f32> {
    (0..count)
        .map(|k| ((k as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5)
        .collect()
}

/// The machine: all inner products of two tables, and `c = a + b`.
fn peaks() {
    let (n, k) = (1024, 1024);
    let (a, b) = (values(n * k), values(n * k));
    let mut out = vec![vec![0.0; n * n]; 4];
    let flops = 4.0 * 2.0 * (n * n * k) as f64;
    report("peak: products", flops, 0.0, || {
        out.par_iter_mut().for_each(|out| inner_products(&a, &b, k, out));
    });
    let length = 1 << 25;
    let (a, b, mut c) = (values(length), values(length), vec![0.0f32; length]);
    report("peak: c = a + b", 0.0, 3.0 * 4.0 * length as f64, || {
        let chunk = 1 << 16;
        c.par_chunks_mut(chunk).zip(a.par_chunks(chunk)).zip(b.par_chunks(chunk)).for_each(|((c, a), b)| {
            c.iter_mut().zip(a.iter().zip(b)).for_each(|(c, (a, b))| *c = a + b);
        });
    });
}

fn projection(items: usize) {
    let (e, weight, bias) = (values(items * COLUMNS), values(WIDTH * COLUMNS), values(WIDTH));
    let features = FeatureRows { values: FeatureValues::Single(&e), width: COLUMNS };
    for (what, count) in
        [("all items", items), ("a CKD step's items", DISTINCT), ("a plain step's items", 1_770)]
    {
        let rows: Vec<u32> = (0..count).map(|k| (k * items / count) as u32).collect();
        let flops = 2.0 * (count * COLUMNS * WIDTH) as f64;
        let bytes = 4.0 * (count * COLUMNS + WIDTH * COLUMNS + count * WIDTH) as f64;
        let mut out = vec![0.0; count * WIDTH];
        report(&format!("projection, {what}"), flops, bytes, || {
            project_rows(features, &rows, &weight, &bias, &mut out)
        });
        let mut gradient = vec![0.0; WIDTH * COLUMNS];
        report(&format!("its weight gradient, {what}"), flops, bytes, || {
            project_rows_backward(features, &rows, &out, WIDTH, &mut gradient);
        });
    }
}

fn graph(users: usize, items: usize, train: usize) -> Bipartite {
    let mut random = Seed(9).stream("floors");
    let pairs: Vec<(u32, u32)> =
        (0..train).map(|k| ((k * users / train) as u32, random.below(items as u32))).collect();
    Bipartite::new(&Interactions::from_pairs(users, items, &pairs).0)
}

fn on_graph(graph: &Bipartite, nodes: usize) {
    let rows = SparseRows { indptr: graph.indptr(), columns: graph.indices() };
    let (edges, table) = (rows.n_edges(), values(nodes * WIDTH));
    let (weights, mut out) = (values(edges), vec![0.0; nodes * WIDTH]);
    // The table fits no cache: a row is read from memory for every edge, the sum is written once.
    let (reads, writes) = (4.0 * (edges * WIDTH) as f64, 4.0 * (nodes * WIDTH) as f64);
    let (once, numbers) = (4.0 * (nodes * WIDTH) as f64, 8.0 * edges as f64);
    let flops = 2.0 * (edges * WIDTH) as f64;
    report("sparse product", flops, once + writes + numbers, || {
        spmm(rows, &weights, &table, WIDTH, &mut out)
    });
    report("sparse product, a row per edge", flops, reads + writes + numbers, || {
        spmm(rows, &weights, &table, WIDTH, &mut out);
    });
    let mut alpha = vec![0.0; edges];
    let tables = Attention { q: &table, k: &table, v: &table, more: &[], width: WIDTH, residual: false };
    report("attention", 2.0 * flops, once + writes + numbers, || attend(rows, tables, &mut alpha, &mut out));
    let (weight, bias) = (values(WIDTH * WIDTH), values(WIDTH));
    let map = Affine { weight: &weight, bias: &bias, slope: Some(0.01) };
    report("linear map, all nodes", 2.0 * (nodes * WIDTH * WIDTH) as f64, once + writes, || {
        affine(map, &table, &[], &mut out);
    });
}

fn adam(count: usize) {
    let gradient = values(count);
    let (mut p, mut m, mut v) = (values(count), vec![0.0; count], vec![0.0; count]);
    let step = AdamStep { lr: 5e-4, beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 10 };
    report("Adam, VBPR's parameters", 12.0 * count as f64, 7.0 * 4.0 * count as f64, || {
        adam_step(&mut p, &gradient, &mut m, &mut v, step);
    });
}

fn ranking(users: usize, items: usize) {
    let dim = 3 * WIDTH;
    let (y, z) = (values(users * dim), values(items * dim));
    let model = Embeddings { users: &y, items: &z, dim };
    let everyone: Vec<u32> = (0..users as u32).collect();
    let flops = 2.0 * (users * items * dim) as f64;
    report("ranking all users, top 20", flops, 4.0 * ((users + items) * dim) as f64, || {
        rank(&model, &everyone, &[], 20).expect("finite scores");
    });
}
