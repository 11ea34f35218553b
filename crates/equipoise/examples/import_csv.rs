//! From two CSV files to a model: interactions, and titles from which the built-in encoder makes features.
//!
//! ```text
//! cargo run --release -p equipoise --example import_csv
//! ```

use equipoise::encode::{TextRequest, encode_texts};
use equipoise::import::{LoadOptions, SplitRule, import_table};
use equipoise::prelude::*;

/// Made-up readers, each with a favourite subject, and books whose titles name theirs.
fn tables() -> (String, String) {
    const SUBJECTS: [&str; 4] = ["garden", "kitchen", "harbour", "orchestra"];
    let (mut visits, mut titles) = ("user,item,time\n".to_owned(), "id,text\n".to_owned());
    for book in 0..40 {
        titles += &format!("book-{book},a history of the {} volume {}\n", SUBJECTS[book % 4], book / 4);
    }
    for reader in 0..60 {
        for n in 0..6 {
            let book = (reader % 4 + 4 * ((reader / 4 + 3 * n) % 10)) % 40;
            visits += &format!("reader-{reader},book-{book},{n}\n");
        }
    }
    (visits, titles)
}

/// Imports, encodes, trains and recommends.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir()?;
    let (visits, titles) = tables();
    std::fs::write(place.path().join("visits.csv"), visits)?;
    std::fs::write(place.path().join("titles.csv"), titles)?;

    let path = place.path().join("my-data");
    let options = LoadOptions { split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() };
    let imported = import_table(&place.path().join("visits.csv"), &options, &path, false)?;
    println!("{} users, {} items", imported.users, imported.items);

    let titles = Some(place.path().join("titles.csv"));
    let request = TextRequest { data: path.clone(), texts: titles, dims: Some(8), ..TextRequest::default() };
    let encoded = encode_texts(&request, &mut |_: &_| {})?;
    println!("features of {} titles, {} wide", encoded.rows, encoded.width);

    let data = Dataset::open(path)?.load()?;
    let done = Training::new(&data).set("train.lr", 1e-2).set("train.epochs", 20).run()?;
    for hit in done.model().recommend("reader-7", 5)? {
        println!("{} {:.3}", hit.item, hit.score);
    }
    Ok(())
}
