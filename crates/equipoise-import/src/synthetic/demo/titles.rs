//! What the demo's items are called.

use std::collections::BTreeMap;

use equipoise_data::Seed;
use serde_json::{Map, json};

use super::world::World;
use crate::item_table::line;

const NOUNS: [&str; 24] = [
    "kettle", "lamp", "blanket", "bottle", "basket", "mirror", "teapot", "cushion", "clock", "vase", "stool",
    "bowl", "rug", "candle", "jug", "tray", "shelf", "mug", "towel", "apron", "spoon", "box", "chair",
    "broom",
];
const ADJECTIVES: [&str; 16] = [
    "amber", "plain", "tall", "round", "small", "blue", "striped", "old", "light", "heavy", "green",
    "folding", "painted", "woven", "narrow", "bright",
];
const BRANDS: [&str; 8] = ["Alder", "Birch", "Cedar", "Elm", "Hazel", "Linden", "Maple", "Rowan"];

/// The lines of `items.jsonl`: items of one cluster are goods of one kind. Brand and price mean nothing.
pub(super) fn lines(
    world: &World,
    categories: &BTreeMap<usize, [String; 2]>,
    ids: impl Iterator<Item = String>,
    seed: u64,
) -> String {
    let mut rng = Seed(seed).stream("demo/titles");
    let one = |((item, id), &cluster): ((usize, String), &usize)| {
        let adjective = ADJECTIVES[rng.below(ADJECTIVES.len() as u32) as usize];
        let noun = NOUNS[cluster % NOUNS.len()];
        let brand = BRANDS[rng.below(BRANDS.len() as u32) as usize];
        let price = f64::from(rng.below(9900) + 100) / 100.0;
        let mut row = Map::new();
        row.insert("title".into(), json!(format!("{brand} {adjective} {noun} {item}")));
        row.insert("brand".into(), json!(brand));
        row.insert("price".into(), json!(price));
        if let Some(path) = categories.get(&item) {
            row.insert("categories".into(), json!(path));
        }
        line(&id, row)
    };
    ids.enumerate().zip(&world.clusters).map(one).collect()
}
