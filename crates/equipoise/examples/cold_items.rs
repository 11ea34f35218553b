//! Items that have features but no interactions: what a model's content says of them.
//!
//! A tenth of the items loses its train and validation interactions; their test interactions are to be found among the
//! cold items alone. The parameters of ids learned nothing of such items, and popularity has nothing to count. What is
//! left is the content: the score of the whole model less that of its ids.
//!
//! ```text
//! cargo run --release -p equipoise --example cold_items
//! ```

use equipoise::EmbeddingTables;
use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Whether an item is cold.
fn cold(item: u32) -> bool {
    item % 10 == 3
}

/// Moves every interaction with a cold item to the test part.
fn chill(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    type Part = BTreeMap<u32, Vec<u32>>;
    let path = |name: &str| dir.join("5-core").join(name);
    let mut test: Part = serde_json::from_slice(&std::fs::read(path("test.json"))?)?;
    for name in ["train.json", "val.json"] {
        let mut part: Part = serde_json::from_slice(&std::fs::read(path(name))?)?;
        for (&user, items) in &mut part {
            test.entry(user).or_default().extend(items.iter().filter(|&&item| cold(item)));
            items.retain(|&item| !cold(item));
        }
        std::fs::write(path(name), serde_json::to_vec(&part)?)?;
    }
    Ok(std::fs::write(path("test.json"), serde_json::to_vec(&test)?)?)
}

/// Rows side by side whose product is the score of `whole` less that of `ids`.
fn difference(whole: &EmbeddingTables, ids: &EmbeddingTables) -> (Vec<f32>, Vec<f32>) {
    let join = |a: &[f32], b: &[f32], sign: f32| {
        let rows = a.chunks(whole.width).zip(b.chunks(ids.width));
        rows.flat_map(|(a, b)| a.iter().copied().chain(b.iter().map(move |v| sign * v))).collect()
    };
    (join(&whole.users, &ids.users, 1.0), join(&whole.items, &ids.items, -1.0))
}

/// Recall of held-out cold items, by content, by ids and by popularity.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 600, items: 300, ..DemoConfig::default() })?;
    chill(&path)?;
    let data = Dataset::open(path)?.load()?;
    let done = Training::new(&data).set("train.lr", 5e-3).set("train.epochs", 30).run()?;

    // Cold items are the candidates, and those of the test part that should come first.
    let (users, items) = (data.n_users(), data.n_items());
    let pairs = |keep: &dyn Fn(u32) -> bool| -> Vec<(u32, u32)> {
        let all = (0..items as u32).filter(|&item| keep(item)).collect::<Vec<_>>();
        (0..users as u32)
            .flat_map(|user| all.iter().map(move |&item| (user, item)).collect::<Vec<_>>())
            .collect()
    };
    let warm = Interactions::from_pairs(users, items, &pairs(&|item| !cold(item))).0;
    let held_out = data.unseal_test().of_items(cold);
    let config = EvalConfig { ks: vec![5], ..EvalConfig::default() };
    let recall = |users: &[f32], items: &[f32]| -> Result<f64, Error> {
        Ok(equipoise::evaluate(users, items, &warm, &held_out, &config)?.metrics["recall@5"])
    };

    let (whole, ids) = (done.model().embeddings(), done.model().ids_only()?.embeddings());
    let (by_user, by_item) = difference(&whole, &ids);
    let counts: Vec<f32> = data.train().item_counts().iter().map(|&count| count as f32).collect();
    println!("recall@5 of {} interactions with cold items", held_out.len());
    println!("  content      {:.3}", recall(&by_user, &by_item)?);
    println!("  whole model  {:.3}", recall(&whole.users, &whole.items)?);
    println!("  ids          {:.3}", recall(&ids.users, &ids.items)?);
    println!(
        "  popularity   {:.3} (every count is 0: the order of the catalogue)",
        recall(&vec![1.0; users], &counts)?
    );
    let chance = 5.0 / (0..items as u32).filter(|&item| cold(item)).count() as f64;
    println!("  chance       {chance:.3}");
    Ok(())
}
