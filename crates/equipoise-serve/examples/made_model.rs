//! Writes a served model of random tables of any size, without training: what `bench/serve/run` serves.
//!
//! ```text
//! made_model DIR USERS ITEMS IDS NAME=WIDTH... [--seed N]
//! ```
//!
//! The block of the ids is `IDS` wide, that of each modality `WIDTH`; each user has met about twenty items.

#[path = "../tests/all/made/mod.rs"]
mod made;

use made::Made;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "made_model DIR USERS ITEMS IDS NAME=WIDTH... [--seed N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = written(&arguments).and_then(|(dir, made)| made.write(dir).map_err(|e| e.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("made_model: {error}\nusage: {USAGE}");
            ExitCode::from(2)
        }
    }
}

fn written(arguments: &[String]) -> Result<(&Path, Made<'_>), String> {
    let number = |text: &str| text.parse::<usize>().map_err(|e| format!("{text:?}: {e}"));
    let (arguments, seed) = match arguments {
        [rest @ .., flag, seed] if flag == "--seed" => (rest, number(seed)? as u64),
        all => (all, 1),
    };
    let [dir, users, items, ids, modalities @ ..] = arguments else { return Err("too few arguments".into()) };
    let mut named: Vec<(&str, usize)> = Vec::new();
    for text in modalities {
        let (name, width) = text.split_once('=').ok_or(format!("{text:?}: expected NAME=WIDTH"))?;
        named.push((name, number(width)?));
    }
    let made = Made {
        users: number(users)?,
        items: number(items)?,
        modalities: named.leak(),
        ids: number(ids)?,
        taken: 20,
        seed,
    };
    Ok((Path::new(dir), made))
}
