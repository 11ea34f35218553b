//! A model at work: lists for users, similar items, one modality alone, tables for another program.
//!
//! ```text
//! cargo run --release -p equipoise --example recommend
//! ```

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;

/// Trains in memory, then asks.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 300, items: 150, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.load()?;
    let done = Training::new(&data).set("train.lr", 5e-3).set("train.epochs", 20).run()?;
    let model = done.model();

    let user = &model.users()[42];
    println!("for {user}, without what they have met:");
    for Hit { item, score } in model.recommend(user, 5)? {
        println!("  {item} {score:.3}");
    }
    for modality in model.modalities() {
        let channel = model.channel(modality)?;
        let items: Vec<&str> = channel.recommend(user, 5)?.iter().map(|hit| hit.item).collect();
        println!("by {modality} alone: {}", items.join(" "));
    }

    let item = &model.items()[0];
    let like: Vec<String> =
        model.similar_items(item, 3)?.iter().map(|h| format!("{} {:.2}", h.item, h.score)).collect();
    println!("like {item}: {}", like.join(", "));

    let everyone = model.recommend_all(10)?;
    println!("{} lists of up to 10 items", everyone.len());
    let tables = model.embeddings();
    println!("{} user and {} item values of width {}", tables.users.len(), tables.items.len(), tables.width);

    let unknown = model.recommend("user-42x", 5).err().map(|e| e.to_string());
    println!("an unknown user: {}", unknown.unwrap_or_default());
    Ok(())
}
