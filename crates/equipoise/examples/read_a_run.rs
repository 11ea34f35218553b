//! What a run directory holds: settings, metrics, epochs, tables. The program's runs are the same.
//!
//! ```text
//! cargo run --release -p equipoise --example read_a_run
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;

/// Makes a run, and reads it as if it were found.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let (path, dir) = (place.path().join("my-data"), place.path().join("runs/first"));
    write_demo(&path, &DemoConfig { users: 200, items: 100, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.scale(Scale::L2).load()?;
    Training::new(&data).set("train.epochs", 5).run_in(&dir)?;
    drop(data);

    let run = TrainedRun::open(&dir)?;
    let (config, report) = (run.files().config()?, run.report());
    println!("{} on {}, seed {}", config.backbone.name, report.dataset, config.seed);
    println!("features at scale {}, missing rows: {}", config.data.scale, config.data.missing.name());
    println!("{} epochs, the best was epoch {}", report.epochs, report.best_epoch);
    for (ablation, metrics) in report.test.iter().flat_map(|test| &test.ablations) {
        println!("  {:<14} recall@20 {:.4}", ablation.label(&report.modality_names()), metrics["recall@20"]);
    }
    for epoch in run.epochs()? {
        println!(
            "  epoch {} loss {:.4} validation {:.4}",
            epoch.epoch,
            epoch.loss,
            epoch.validation.unwrap_or(f64::NAN)
        );
    }
    println!("{:?}", run.model());
    Ok(())
}
