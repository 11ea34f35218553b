//! A search over settings by a metric on validation, and a run at the best of them.
//!
//! ```text
//! cargo run --release -p equipoise --example sweep
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;
use equipoise::study::search::SearchEvent;
use equipoise::study::sweep::{Sweep, SweepPlan};

/// Six points at random; a search that was interrupted is taken up by the same call.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 200, items: 100, ..DemoConfig::default() })?;

    let text = format!(
        r#"
        data.path = {path:?}
        train.epochs = 4
        [sweep]
        method = "random"
        trials = 6
        [sweep.space]
        "train.lr" = {{ low = 1e-4, high = 1e-1, log = true }}
        "backbone.width" = [8, 32]
        "#
    );
    let plan = SweepPlan::text(&text, "sweep.toml", &[])?;
    let sweep = Sweep { plan: &plan, out: &place.path().join("search"), jobs: 2, threads: 1, runner: None };
    let outcome = sweep.run(&mut |_: &SearchEvent| {}, &equipoise::StopFlag::default())?;
    println!("{}", outcome.results.headline());

    let best = outcome.best.ok_or("no trial succeeded")?;
    let data = Dataset::open(path)?.load()?;
    let done = Training::new(&data).config(|config| *config = best).run()?;
    println!("test recall@20 at the best point {:.4}", done.metric("recall@20")?);
    Ok(())
}
