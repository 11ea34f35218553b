//! Trains VBPR as it is and with counterfactual knowledge distillation, and shows what each modality can do alone.
//!
//! ```text
//! cargo run --release -p equipoise --example train
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;

/// Two runs on the same data, side by side.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 400, items: 200, ..DemoConfig::default() })?;

    let data = Dataset::open(path)?.scale(Scale::L2).load()?;
    let training = || {
        Training::new(&data).backbone(Vbpr::default()).set("train.lr", 5e-3).set("train.epochs", 25).seed(1)
    };
    let plain = training().run()?;
    let balanced = training().balancer(Ckd::default()).run_in(place.path().join("runs/ckd"))?;

    println!("test recall@20       plain   balanced");
    let row = |name: &str, plain: f64, balanced: f64| println!("{name:<18} {plain:>7.4} {balanced:>10.4}");
    row("the whole model", plain.metric("recall@20")?, balanced.metric("recall@20")?);
    for modality in data.modalities() {
        let channel = |run: &TrainedRun| run.channel_metric(modality, "recall@20");
        row(&format!("only {modality}"), channel(&plain)?, channel(&balanced)?);
    }
    Ok(())
}
