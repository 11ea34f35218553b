//! Time per step, epoch and evaluation, and peak memory, at the scale of Amazon Baby with raw feature widths:
//! 19,445 users, 7,050 items, 118,551 train interactions, features of 4,096 and 1,024 columns (generated).
//!
//! `cargo bench -p equipoise-train --bench baby_scale` measures the plain and the CKD step of every backbone, each
//! in a process of its own; `-- mgcn` those of one backbone, `-- mgcn teacher` one kind of step (`plain`,
//! `teacher`, `ckd`) and `-- mgcn plain 256 256` the same with other widths.

use equipoise_balance::{BalanceConfig, Balancer, Setup, Teacher};
use equipoise_data::{Dataset, LoadOptions, Seed, load};
use equipoise_models::{Ablation, BackboneConfig, Model, Silencing, backbones};
use equipoise_train::evaluation::Selection;
use equipoise_train::{Stepper, TrainConfig};
use std::path::Path;
use std::time::Instant;

const USERS: usize = 19_445;
const ITEMS: usize = 7_050;
const TRAIN: usize = 118_551;
const WARM: usize = 3;
const STEPS: usize = 15;
const EVALUATIONS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    equipoise_train::memory::keep_freed();
    match arguments.as_slice() {
        [] => backbones().iter().for_each(|entry| both(entry.name)),
        [backbone] => both(backbone),
        [backbone, kind] => measure(backbone, kind, &[4096, 1024]),
        [backbone, kind, widths @ ..] => {
            let widths: Vec<usize> = widths.iter().map(|w| w.parse().expect("widths are numbers")).collect();
            measure(backbone, kind, &widths);
        }
    }
}

/// The plain step and, where the backbone can be balanced, CKD's.
fn both(backbone: &str) {
    let entry = equipoise_models::find(backbone).expect("a registered backbone");
    spawn(backbone, "plain");
    if entry.silencing.shows() {
        spawn(backbone, "ckd");
    }
}

fn spawn(backbone: &str, kind: &str) {
    let program = std::env::current_exe().expect("this program has a path");
    let status = std::process::Command::new(program).args([backbone, kind]).status().expect("it runs");
    assert!(status.success(), "{backbone} {kind} failed");
}

fn measure(backbone: &str, kind: &str, widths: &[usize]) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    write_data(dir.path(), widths);
    let data = load(dir.path(), &LoadOptions::default()).expect("generated data is sound").data;
    let n = data.modalities.len();
    let primary = if kind == "teacher" { Ablation::only(0, n) } else { Ablation::FULL };
    let config = BackboneConfig::named(backbone);
    let device = equipoise_nn::device("cpu").expect("every build has a CPU");
    let model = Model::new(&config, &data, Seed(1), &device).expect("the default model is sound");
    if model.parameters.is_empty() {
        return println!("{backbone:10} has nothing to train");
    }
    let balancer = balancer(kind, n);
    let mut stepper = Stepper::new(model, primary, balancer, &data.train, &TrainConfig::default(), Seed(1))
        .expect("there is data to sample");
    let used = processor_seconds();
    let steps = times(WARM, STEPS, || {
        stepper.step(&data.train);
    });
    let used = (processor_seconds() - used) / (WARM + STEPS) as f64;
    let evaluations = times(1, EVALUATIONS, || evaluate(&stepper.model, primary, &data));
    println!(
        "{backbone:10} {kind:7} widths {widths:?}: step median {:.1} ms, least {:.1} ms, processor {:.1} ms; \
         epoch {:.2} s; evaluation {:.2} s; peak memory {} MiB",
        1e3 * median(&steps),
        1e3 * steps[0],
        1e3 * used,
        median(&steps) * stepper.steps_per_epoch() as f64,
        median(&evaluations),
        peak_memory()
    );
}

fn balancer(kind: &str, n: usize) -> Box<dyn Balancer> {
    let name = if kind == "ckd" { "ckd" } else { "none" };
    let teacher = |m: usize| {
        let table = |rows: usize| (0..rows * 128).map(|k| ((k * 37 + m) % 101) as f32 / 505.0).collect();
        Teacher::new(&m.to_string(), table(USERS), table(ITEMS), 128)
    };
    let teachers = if kind == "ckd" { (0..n).map(teacher).collect() } else { Vec::new() };
    let entry = equipoise_balance::find(name).expect("a registered balancer");
    let setup = Setup { teachers, ..Setup::new(n, Silencing::Additive, Seed(0)) };
    (entry.build)(&BalanceConfig::default(), setup)
}

fn evaluate(model: &Model, primary: Ablation, data: &Dataset) {
    let selection = Selection::parse("recall@20").expect("a metric");
    let encoded = model.encode_all(&[primary]);
    selection.measure(&encoded, primary, &data.validation, &[&data.train]).expect("finite scores");
}

/// Seconds of each call after warming up, ascending.
fn times(warm: usize, count: usize, mut work: impl FnMut()) -> Vec<f64> {
    (0..warm).for_each(|_| work());
    let mut seconds: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

fn median(ascending: &[f64]) -> f64 {
    ascending[ascending.len() / 2]
}

/// Seconds of all cores that this process has used.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// A data set of the real one's sizes: every user has 6 or 7 train items, 1 validation and 1 test item.
fn write_data(dir: &Path, widths: &[usize]) {
    let mut random = Seed(9).stream("bench");
    let mut splits = [String::from("{"), String::from("{"), String::from("{")];
    for user in 0..USERS {
        let train = TRAIN / USERS + usize::from(user < TRAIN % USERS);
        let mut items: Vec<u32> = Vec::new();
        while items.len() < train + 2 {
            let item = random.below(ITEMS as u32);
            if !items.contains(&item) {
                items.push(item);
            }
        }
        let parts = [&items[2..], &items[..1], &items[1..2]];
        for (split, part) in splits.iter_mut().zip(parts) {
            let comma = if user == 0 { "" } else { "," };
            split.push_str(&format!("{comma}\"{user}\":{part:?}"));
        }
    }
    std::fs::create_dir_all(dir.join("5-core")).expect("the directory can be made");
    for (name, text) in ["train", "val", "test"].iter().zip(splits) {
        std::fs::write(dir.join(format!("5-core/{name}.json")), text + "}").expect("the file can be written");
    }
    for (m, &width) in widths.iter().enumerate() {
        let values = (0..ITEMS * width).map(|_| random.unit() as f32).collect();
        let features = equipoise_data::Features::new(ITEMS, width, values).expect("finite features");
        equipoise_data::formats::write_npy(&dir.join(format!("m{m}_feat.npy")), &features)
            .expect("it can be written");
    }
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
