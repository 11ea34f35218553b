//! A made-up data set whose modalities have known strengths.
//!
//! Items have latent factors, users have tastes over them, and interactions follow popularity
//! times taste. `text` shows all factors of an item, `image` a few of them under noise, `audio`
//! none. A method that claims to tell strong from weak modalities can be held to that. Items of one
//! cluster stand on one shelf of a department: their category. Their titles, brands and prices are made up.
//!
//! Only additions, products, quotients and square roots occur, all of them exact to the last
//! bit under IEEE 754: a seed gives the same bytes on every machine.

mod categories;
mod config;
mod modalities;
mod normal;
mod titles;
mod world;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use equipoise_data::formats::{write_npy, write_row_ids};
use equipoise_data::{DataError, Holdout, ITEM_INFOS, Seed, split_per_user, write_atomic};

pub use config::DemoConfig;

use crate::output::{DEMO, OutputDir};
use modalities::RECIPES;
use world::World;

/// Writes the demo into `dir` in the LATTICE layout, with a `demo.toml` that says what each
/// modality is. A demo that is already there is replaced as a whole; files of other names beside it stay.
///
/// # Errors
/// [`DataError::Setting`] for a size out of range, [`DataError::Exists`] if `dir` holds
/// something other than a demo, [`DataError::Held`] if another program is writing it, [`DataError::Io`] if a file cannot be
/// written.
pub fn write_demo(dir: &Path, config: &DemoConfig) -> Result<(), DataError> {
    config.validate()?;
    let output = OutputDir::reserve(dir, DEMO, true)?;
    fill(output.dir(), config)?;
    output.finish_beside_others()
}

fn fill(dir: &Path, config: &DemoConfig) -> Result<(), DataError> {
    let world = World::new(config);
    let mut rng = Seed(config.seed).stream("demo/split");
    let parts: Vec<Holdout> = world.histories().iter().map(|items| split_per_user(items, &mut rng)).collect();
    write_split(dir, "train", parts.iter().map(|p| &p.train))?;
    write_split(dir, "val", parts.iter().map(|p| &p.validation))?;
    write_split(dir, "test", parts.iter().map(|p| &p.test))?;
    write_ids(dir, "user_list.txt", "user", config.users)?;
    write_ids(dir, "item_list.txt", "item", config.items)?;
    let categories = categories::paths(&world, config.seed);
    let text = serde_json::to_string(&categories).expect("labels by item are JSON");
    write_text(&dir.join("5-core/categories.json"), &text)?;
    let titles = titles::lines(&world, &categories, names("item", config.items), config.seed);
    write_text(&dir.join(ITEM_INFOS), &titles)?;
    for recipe in &RECIPES {
        let file = dir.join(format!("{}_feat.npy", recipe.name));
        write_npy(&file, &recipe.features(&world, config.seed))?;
        write_row_ids(&file, &names("item", config.items).collect())?;
    }
    write_text(&dir.join(DEMO.file), &describe(config))
}

fn write_split<'a>(
    dir: &Path,
    name: &str,
    lists: impl Iterator<Item = &'a Vec<u32>>,
) -> Result<(), DataError> {
    let by_user: BTreeMap<usize, &Vec<u32>> = lists.enumerate().collect();
    let text = serde_json::to_string(&by_user).expect("numbers and lists are JSON");
    write_text(&dir.join("5-core").join(format!("{name}.json")), &text)
}

fn write_ids(dir: &Path, name: &str, kind: &str, count: usize) -> Result<(), DataError> {
    let lines: String = names(kind, count).enumerate().map(|(n, id)| format!("{id}\t{n}\n")).collect();
    write_text(&dir.join("5-core").join(name), &lines)
}

/// Raw ids by index.
fn names(kind: &str, count: usize) -> impl Iterator<Item = String> + '_ {
    (0..count).map(move |n| format!("{kind}-{n:04}"))
}

fn write_text(file: &Path, text: &str) -> Result<(), DataError> {
    write_atomic(file, |out| out.write_all(text.as_bytes())).map_err(DataError::io(file))
}

/// Contents of `demo.toml`.
fn describe(config: &DemoConfig) -> String {
    let DemoConfig { users, items, seed } = config;
    let mut text = format!(
        "# A made-up data set: what each modality knows of the items.\n\
         version = 1\nseed = {seed}\nusers = {users}\nitems = {items}\n\
         latent_dimensions = {}\n",
        world::LATENT
    );
    RECIPES.iter().for_each(|recipe| text.push_str(&recipe.describe()));
    text
}

#[cfg(test)]
mod tests;
