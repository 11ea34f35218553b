//! Lists for everyone beside the ranking kernel alone.
//!
//! `cargo bench -p equipoise-recommend --bench batch`; `-- USERS ITEMS WIDTH ROUNDS` takes other sizes.
//!
//! A served model of random tables makes the lists of all users as Parquet parts, by turns with the bare kernel, which ranks the
//! same users without what they have met and writes nothing. The last line is the rate of the batch as a share of the kernel's: the best
//! of the rounds of each. The peak of the process's memory is that of tables, packed items, kernel and batch together.

use equipoise_data::Interactions;
use equipoise_eval::ItemIndex;
use equipoise_jobs::StopFlag;
use equipoise_recommend::{Batch, ServedModel};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// Items that each user has met.
const MET: usize = 8;
/// Lengths of the lists.
const LENGTHS: [usize; 2] = [10, 50];
/// Parts of a batch.
const SHARDS: usize = 4;

/// Values in (-1, 1) from a fixed linear congruential sequence.
fn table(len: usize, mut state: u64) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Writes a model that can be served.
fn write_model(dir: &Path, users: &[f32], items: &[f32], width: usize, met: &Interactions) {
    let (n, m) = (users.len() / width, items.len() / width);
    let indptr: Vec<u8> = met.indptr().iter().flat_map(|&bound| (bound as u64).to_le_bytes()).collect();
    let indices: Vec<u8> = met.indices().iter().flat_map(|item| item.to_le_bytes()).collect();
    let (none, users, items) = (vec![0u8; 8 * (n + 1)], bytes(users), bytes(items));
    let view = |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).expect("the shape fits");
    let tensors = [
        ("users.0", view(Dtype::F32, vec![n, width], &users)),
        ("items.0", view(Dtype::F32, vec![m, width], &items)),
        ("train.indptr", view(Dtype::U64, vec![n + 1], &indptr)),
        ("train.indices", view(Dtype::U32, vec![indices.len() / 4], &indices)),
        ("validation.indptr", view(Dtype::U64, vec![n + 1], &none)),
        ("validation.indices", view(Dtype::U32, vec![0], &[])),
    ];
    let header =
        r#"{"version":1,"fingerprint":"bench","modalities":[],"views":[{"silenced":[],"blocks":[0]}]}"#;
    let metadata = HashMap::from([("equipoise".to_owned(), header.to_owned())]);
    let file = safetensors::serialize(tensors, Some(metadata)).expect("tables");
    std::fs::write(dir.join("tables.safetensors"), file).expect("written");
    let names =
        |kind: &str, n: usize| (0..n).map(|k| format!("\"{kind}{k:07}\"")).collect::<Vec<_>>().join(",");
    let vocabulary =
        format!("{{\"version\":1,\"users\":[{}],\"items\":[{}]}}", names("user-", n), names("item-", m));
    std::fs::write(dir.join("vocabulary.json"), vocabulary).expect("written");
}

/// The largest resident memory of this process so far, in MiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [n, m, width, rounds] = [50_000, 20_000, 64, 3]
        .into_iter()
        .enumerate()
        .map(|(place, default)| given.get(place).copied().unwrap_or(default))
        .collect::<Vec<_>>()[..]
    else {
        unreachable!("four numbers")
    };
    let (users, items) = (table(n * width, 1), table(m * width, 2));
    let pairs: Vec<(u32, u32)> = (0..n * MET).map(|k| ((k / MET) as u32, (k * 7_919 % m) as u32)).collect();
    let met = Interactions::from_pairs(n, m, &pairs).0;
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_model(dir.path(), &users, &items, width, &met);
    let model = ServedModel::open(dir.path()).expect("a model");
    println!("{n} users, {m} items, {width} columns, {} threads", rayon::current_num_threads());
    for k in LENGTHS {
        let (mut kernel, mut batch) = (f64::INFINITY, f64::INFINITY);
        for round in 0..rounds {
            let start = Instant::now();
            let index = ItemIndex::new(&items, width).expect("finite tables");
            std::hint::black_box(index.rank(&users, &[&met], k).expect("a ranking"));
            kernel = kernel.min(start.elapsed().as_secs_f64());
            drop(index);
            let out = dir.path().join(format!("lists-{k}-{round}"));
            let what = Batch { n: k, shards: SHARDS, shard: None, exclude_seen: true };
            let start = Instant::now();
            model.batch(&out, &what, &StopFlag::default(), &mut |_| {}).expect("lists");
            batch = batch.min(start.elapsed().as_secs_f64());
        }
        println!(
            "lists of {k}: kernel {kernel:.3} s ({:.0} users/s), batch {batch:.3} s ({:.0} users/s): {:.1} % of the kernel's rate",
            n as f64 / kernel,
            n as f64 / batch,
            100.0 * kernel / batch
        );
    }
    println!("peak memory {} MiB", peak());
}
