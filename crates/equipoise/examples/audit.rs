//! Which modality is under-used, in a sentence each, as a table and as a page.
//!
//! ```text
//! cargo run --release -p equipoise --example audit
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;

/// Audits a balanced run beside the plain one.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 300, items: 150, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.load()?;
    let training = || Training::new(&data).set("train.lr", 5e-3).set("train.epochs", 15);
    let plain = training().run_in(place.path().join("plain"))?;
    let balanced = training().balancer(Ckd::default()).run_in(place.path().join("ckd"))?;

    let audit = balanced.audit_against(&plain)?;
    println!("{}\n", audit.headline());
    for verdict in audit.verdicts() {
        println!("{}: {}", verdict.modality, verdict.sentence);
    }
    println!("\n{}", audit.text());
    let page = place.path().join("report.html");
    audit.write_html(&page)?;
    println!("a page of {} bytes", std::fs::metadata(&page)?.len());
    Ok(())
}
