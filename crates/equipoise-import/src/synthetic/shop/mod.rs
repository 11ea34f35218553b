//! A made-up shop in the form in which shops keep their data: tables and pictures.
//!
//! ```text
//! <dir>/interactions.csv   user_id,item_id,timestamp
//! <dir>/items.csv          item_id,title,picture     picture: path relative to the table; empty where there is none
//! <dir>/pictures/*.png     32 x 32, RGB
//! <dir>/shop.toml          settings, which mark the directory
//! ```
//!
//! A title says what an item is, its picture alone says which colour it has. Customers like some kinds of goods and
//! one colour, so that either modality knows something that the other does not. A seed gives the same bytes on every
//! machine.

mod goods;
mod picture;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use equipoise_data::{DataError, Seed, Stream, write_atomic};

use crate::output::{OutputDir, SHOP};
use goods::{COLOURS, Good, KINDS};

/// Size and seed of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopConfig {
    /// Number of customers, 1 to 1,000,000.
    pub users: usize,
    /// Number of items, 40 to 1,000,000.
    pub items: usize,
    /// Seed from which everything follows.
    pub seed: u64,
}

impl Default for ShopConfig {
    /// 600 customers, 300 items, seed 7.
    fn default() -> Self {
        ShopConfig { users: 600, items: 300, seed: 7 }
    }
}

/// Fewest and most items of a customer.
const HISTORY: (usize, usize) = (5, 12);
/// The first purchase.
const OPENING: u64 = 1_700_000_000;

/// Writes the shop into `dir`; one that is already there is replaced as a whole, and files of other names stay.
///
/// # Errors
/// [`DataError::Setting`] for a size out of range, [`DataError::Exists`] if `dir` holds something other than a shop,
/// [`DataError::Held`] if another program is writing it, [`DataError::Io`] if a file cannot be written.
pub fn write_shop(dir: &Path, config: &ShopConfig) -> Result<(), DataError> {
    for (field, found, low) in [("users", config.users, 1), ("items", config.items, 40)] {
        if !(low..=1_000_000).contains(&found) {
            let expected = format!("{low} to 1000000");
            return Err(DataError::Setting { field, found: found.to_string(), expected });
        }
    }
    let output = OutputDir::reserve(dir, SHOP, true)?;
    fill(output.dir(), config)?;
    output.finish_beside_others()
}

fn fill(dir: &Path, config: &ShopConfig) -> Result<(), DataError> {
    let ShopConfig { users, items, seed } = config;
    let goods = goods::stock(*items, &mut Seed(*seed).stream("shop/goods"));
    for (n, good) in goods.iter().enumerate().filter(|(_, good)| good.pictured) {
        let mut rng = Seed(*seed).stream(&format!("shop/picture/{n}"));
        let pixels = good.pixels(&mut rng);
        write(&dir.join(picture(n)), &picture::encode(&pixels))?;
    }
    write(&dir.join("items.csv"), catalogue(&goods).as_bytes())?;
    let purchases = purchases(&goods, *users, &mut Seed(*seed).stream("shop/purchases"));
    write(&dir.join("interactions.csv"), purchases.as_bytes())?;
    let about = format!("# A made-up shop.\nversion = 1\nusers = {users}\nitems = {items}\nseed = {seed}\n");
    write(&dir.join(SHOP.file), about.as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), DataError> {
    write_atomic(file, |out| out.write_all(bytes)).map_err(DataError::io(file))
}

fn id(item: usize) -> String {
    format!("G{item:04}")
}

fn picture(item: usize) -> String {
    format!("pictures/{}.png", id(item))
}

fn catalogue(goods: &[Good]) -> String {
    let mut text = "item_id,title,picture\n".to_owned();
    for (n, good) in goods.iter().enumerate() {
        let picture = if good.pictured { picture(n) } else { String::new() };
        let _ = writeln!(text, "{},{},{picture}", id(n), good.title);
    }
    text
}

/// A row for each purchase: customers one after another, each in the order of time.
fn purchases(goods: &[Good], users: usize, rng: &mut Stream) -> String {
    let mut text = "user_id,item_id,timestamp\n".to_owned();
    for user in 0..users {
        let mut time = OPENING + u64::from(rng.below(10_000_000));
        for item in history(goods, rng) {
            time += 3_600 + u64::from(rng.below(1_000_000));
            let _ = writeln!(text, "c{user:04},{},{time}", id(item));
        }
    }
    text
}

/// Distinct items, drawn with probability proportional to taste for kind times taste for colour times popularity.
fn history(goods: &[Good], rng: &mut Stream) -> Vec<usize> {
    let (kinds, colours) = (KINDS.len() as u32, COLOURS.len() as u32);
    let liked = [rng.below(kinds) as usize, rng.below(kinds) as usize];
    let colour = rng.below(colours) as usize;
    let weight = |good: &Good| {
        let kind = if liked.contains(&good.kind) { 12.0 } else { 1.0 };
        let colour = if good.colour == colour { 8.0 } else { 1.0 };
        kind * colour * good.popularity
    };
    let mut total = 0.0;
    let cumulative: Vec<f64> = goods
        .iter()
        .map(weight)
        .map(|weight| {
            total += weight;
            total
        })
        .collect();
    let (least, most) = HISTORY;
    let wanted = least + rng.below((most - least + 1) as u32) as usize;
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let place = rng.unit() * total;
        let item = cumulative.partition_point(|&c| c <= place);
        if item < goods.len() && !chosen.contains(&item) {
            chosen.push(item);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_files_and_another_seed_others() {
        let dirs = [7, 7, 8].map(|seed| {
            let dir = tempfile::tempdir().expect("a temporary directory");
            write_shop(dir.path(), &ShopConfig { users: 20, items: 50, seed }).expect("writes");
            dir
        });
        for name in ["interactions.csv", "items.csv", "pictures/G0003.png"] {
            let [a, b, c] = dirs.each_ref().map(|dir| std::fs::read(dir.path().join(name)).expect(name));
            assert!(a == b && a != c, "{name}");
        }
    }

    #[test]
    fn customers_return_to_their_kinds_and_their_colour() {
        let goods = goods::stock(300, &mut Seed(1).stream("goods"));
        let mut rng = Seed(1).stream("purchases");
        let (mut same_kind, mut same_colour, mut pairs) = (0.0, 0.0, 0.0);
        for _ in 0..400 {
            let items = history(&goods, &mut rng);
            for pair in items.windows(2) {
                let (a, b) = (&goods[pair[0]], &goods[pair[1]]);
                same_kind += f64::from(u8::from(a.kind == b.kind));
                same_colour += f64::from(u8::from(a.colour == b.colour));
                pairs += 1.0;
            }
        }
        // By chance, one pair in 24 is of a kind and one in 8 of a colour.
        assert!(same_kind / pairs > 2.0 / 24.0, "{}", same_kind / pairs);
        assert!(same_colour / pairs > 2.0 / 8.0, "{}", same_colour / pairs);
    }

    #[test]
    fn other_directories_are_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("thesis.tex"), "work").expect("write");
        let refused = write_shop(dir.path(), &ShopConfig::default());
        assert!(matches!(refused, Err(DataError::Exists { .. })), "{refused:?}");
    }
}
