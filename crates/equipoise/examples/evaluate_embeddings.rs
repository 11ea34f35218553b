//! Embeddings from anywhere under the protocol of this library, beside popularity.
//!
//! ```text
//! cargo run --release -p equipoise --example evaluate_embeddings
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;

/// Users are the mean of the features of what they met: a content recommender in five lines.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 400, items: 200, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.modalities(["text"]).scale(Scale::L2).load()?;
    let features = data.features("text")?;
    let width = features.width();

    let items = features.values();
    let mut users = vec![0.0; data.n_users() * width];
    for (user, item) in data.train().pairs() {
        let row = &items[item as usize * width..(item as usize + 1) * width];
        users[user as usize * width..][..width].iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }

    let (train, test, config) = (data.train(), data.unseal_test(), EvalConfig::default());
    let content = equipoise::evaluate(&users, &items, train, test, &config)?;
    let counts: Vec<f32> = train.item_counts().iter().map(|&count| count as f32).collect();
    let popularity = equipoise::evaluate(&vec![1.0; data.n_users()], &counts, train, test, &config)?;
    for (name, value) in &content.metrics {
        println!("{name:<14} content {value:.4}   popularity {:.4}", popularity.metrics[name]);
    }
    println!("{}", content.definitions["candidates"]);
    Ok(())
}
