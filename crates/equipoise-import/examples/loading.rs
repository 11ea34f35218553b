//! How long loading takes: the project's own layout beside the LATTICE layout.
//!
//! ```text
//! cargo run -p equipoise-import --example loading [users] [items] [directory]
//! ```
//!
//! Makes random data of the size of Amazon Baby (19,445 users, 7,050 items, features of 4,096 and 1,024 columns) unless
//! told otherwise, converts it, and prints the best and the median of nine loads of each. Files are in the page
//! cache, as they are for all but the first run of a day.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use equipoise_data::formats::write_npy;
use equipoise_data::{FeatureScale, Features, LoadOptions, Seed, load};
use equipoise_import::{ConvertOptions, Target, convert};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: usize| arguments.get(place).map_or(Ok(usual), |n| n.parse());
    let (users, items) = (number(0, 19_445)?, number(1, 7_050)?);
    let scratch = tempfile::tempdir()?;
    let root = arguments.get(2).map_or(scratch.path(), Path::new);
    let lattice = root.join("lattice");
    make(&lattice, users, items)?;
    let own = root.join("own");
    let start = Instant::now();
    convert(&lattice, &LoadOptions::default(), Target::Equipoise, &own, &ConvertOptions::default())?;
    println!("convert    {:8.1} ms", 1e3 * start.elapsed().as_secs_f64());
    for (name, path) in [("lattice", &lattice), ("equipoise", &own)] {
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..9 {
            let start = Instant::now();
            let loaded = load(path, &LoadOptions::default())?;
            times.push(1e3 * start.elapsed().as_secs_f64());
            drop(loaded);
        }
        times.sort_by(f64::total_cmp);
        println!("{name:<10} {:8.1} ms at best, {:8.1} ms median", times[0], times[4]);
    }
    let data = load(&own, &LoadOptions::default())?.data;
    let start = Instant::now();
    let print = data.fingerprint();
    println!("fingerprint{:8.1} ms ({})", 1e3 * start.elapsed().as_secs_f64(), &print[..12]);
    for scale in [FeatureScale::L2, FeatureScale::Standard, FeatureScale::Pca(256)] {
        let start = Instant::now();
        let scaled = data.clone().scaled(scale);
        println!(
            "{:<10} {:8.1} ms ({})",
            scale.to_string(),
            1e3 * start.elapsed().as_secs_f64(),
            &scaled.fingerprint()[..12]
        );
    }
    Ok(())
}

fn make(dir: &Path, users: usize, items: usize) -> Result<(), Box<dyn Error>> {
    let mut rng = Seed(1).stream("loading");
    fs::create_dir_all(dir.join("5-core"))?;
    for (name, count, offset) in [("train", 6, 0), ("val", 1, 6), ("test", 1, 7)] {
        let list = |user: usize| {
            let list: Vec<String> =
                (0..count).map(|k| ((user * 31 + (offset + k) * 17) % items).to_string()).collect();
            format!("\"{user}\":[{}]", list.join(","))
        };
        let lists: Vec<String> = (0..users).map(list).collect();
        fs::write(dir.join(format!("5-core/{name}.json")), format!("{{{}}}", lists.join(",")))?;
    }
    for (kind, count) in [("user", users), ("item", items)] {
        let lines: String = (0..count).map(|n| format!("A{n:013}\t{n}\n")).collect();
        fs::write(dir.join(format!("5-core/{kind}_list.txt")), lines)?;
    }
    for (name, width) in [("image", 4_096), ("text", 1_024)] {
        let values = (0..items * width).map(|_| rng.unit() as f32).collect();
        write_npy(&dir.join(format!("{name}_feat.npy")), &Features::new(items, width, values)?)?;
    }
    Ok(())
}
