//! Steps and evaluations of one backbone on the data of a directory.

use crate::measure::{Found, peak_mib, processor_seconds, seconds, times};
use equipoise_balance::{BalanceConfig, Balancer, Setup, Teacher};
use equipoise_data::{Dataset, LoadOptions, Seed, load};
use equipoise_models::{Ablation, AblationEffect, BackboneConfig, Model};
use equipoise_train::evaluation::Selection;
use equipoise_train::{RunConfig, Stepper};
use std::path::Path;

/// Measures `[warm, steps, evaluations]` of a kind; `None` if the backbone has nothing to train.
pub fn measure(dir: &Path, backbone: &str, kind: &str, counts: [usize; 3]) -> Option<Found> {
    let [warm, count, evaluations] = counts;
    let (load_seconds, loaded) = seconds(|| load(dir, &LoadOptions::default()).expect("the data is sound"));
    let (data, loaded_mib) = (loaded.data, peak_mib());
    let primary = if kind == "teacher" { Ablation::only(0, data.modalities.len()) } else { Ablation::FULL };
    let (start_seconds, stepper) = seconds(|| stepper(&data, backbone, kind, primary));
    let mut stepper = stepper?;
    let used = processor_seconds();
    let device = stepper.model.parameters.device().clone();
    let steps = times(warm, count, || {
        stepper.step(&data.train);
        // A GPU is given its work and does it later.
        device.sync().expect("the device ends its work");
    });
    let processor = (processor_seconds() - used) / (warm + count) as f64;
    let stepped_mib = peak_mib();
    let evaluations =
        times(usize::from(evaluations > 0), evaluations, || evaluate(&stepper.model, primary, &data));
    Some(Found {
        who: "ours".into(),
        backbone: backbone.into(),
        kind: kind.into(),
        steps,
        evaluations,
        processor,
        load_seconds,
        start_seconds,
        steps_per_epoch: stepper.steps_per_epoch(),
        peak_mib: [loaded_mib, stepped_mib, peak_mib()],
    })
}

fn stepper(data: &Dataset, backbone: &str, kind: &str, primary: Ablation) -> Option<Stepper> {
    let name = std::env::var("EQUIPOISE_DEVICE").unwrap_or_else(|_| "cpu".into());
    let device = equipoise_nn::device(&name).unwrap_or_else(|error| panic!("EQUIPOISE_DEVICE: {error}"));
    let config = BackboneConfig::named(backbone);
    let model = Model::new(&config, data, Seed(1), &device).expect("the default model is sound");
    if model.parameters.is_empty() {
        return None;
    }
    let balancer = balancer(kind, data);
    let config = RunConfig::default().checked().expect("the defaults are in range");
    let made = Stepper::new(model, primary, balancer, &data.train, &config, Seed(1));
    Some(made.expect("there is data to sample"))
}

/// CKD with made-up teachers (a step's work does not depend on what they hold), or nothing.
fn balancer(kind: &str, data: &Dataset) -> Box<dyn Balancer> {
    let (name, n) = (if kind == "ckd" { "ckd" } else { "none" }, data.modalities.len());
    let teacher = |m: usize| {
        let table = |rows: usize| (0..rows * 128).map(|k| ((k * 37 + m) % 101) as f32 / 505.0).collect();
        Teacher::new(&m.to_string(), table(data.n_users()), table(data.n_items()), 128)
    };
    let teachers = if kind == "ckd" { (0..n).map(teacher).collect() } else { Vec::new() };
    let entry = equipoise_balance::find(name).expect("a registered balancer");
    let setup = Setup { teachers, ..Setup::new(n, AblationEffect::Additive, Seed(0)) };
    entry.build(&BalanceConfig::default().sections, setup)
}

fn evaluate(model: &Model, primary: Ablation, data: &Dataset) {
    let selection = Selection::parse("recall@20").expect("a metric");
    let encoded = model.encode_all(&[primary]);
    selection.measure(&encoded, primary, &data.validation, &[&data.train], None).expect("finite scores");
}
