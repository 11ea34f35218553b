//! Where the demo's items stand in the shop.

use std::collections::BTreeMap;

use equipoise_data::Seed;

use super::world::{CLUSTERS, World};

const DEPARTMENTS: u32 = 6;
/// Shelves of each department.
const SHELVES: u32 = 4;
/// One item in so many has no category.
const UNKNOWN: u32 = 20;

/// Department and shelf of each item that has them: every cluster is given one shelf at random, and its items
/// stand there.
pub(super) fn paths(world: &World, seed: u64) -> BTreeMap<usize, [String; 2]> {
    let mut rng = Seed(seed).stream("demo/categories");
    let mut shelf = |_| {
        let department = format!("department-{}", rng.below(DEPARTMENTS));
        [department, format!("shelf-{}", rng.below(SHELVES))]
    };
    let shelves: Vec<[String; 2]> = (0..CLUSTERS).map(&mut shelf).collect();
    let items = world.clusters.iter().enumerate();
    let known = items.filter(|_| rng.below(UNKNOWN) != 0);
    known.map(|(item, &cluster)| (item, shelves[cluster].clone())).collect()
}
