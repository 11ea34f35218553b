//! Damaged raw files end in an error that names file and place, or in a data set that loads; never in a panic.

use std::fs;
use std::path::Path;

use equipoise_data::{LoadOptions, load};
use equipoise_import::synthetic::{RawAmazonConfig, write_amazon};
use equipoise_import::{AmazonConfig, BadLines, Release, import_amazon};
use proptest::prelude::*;
use proptest::sample::Index;

/// One change to the bytes of a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
    Start(Vec<u8>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let end = |at: usize, length: usize| (at + length).min(bytes.len());
        match self {
            Damage::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Remove(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..end(at, *length));
            }
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Start(more) => {
                bytes.splice(..0, more.iter().copied());
            }
            Damage::Repeat(at, length) => {
                let at = at.index(bytes.len());
                let copy = bytes[at..end(at, *length)].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    // What means something to one of the parsers, and what means nothing to any.
    let telling = prop::sample::select(vec![
        "\n",
        "'",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "(",
        ",",
        ":",
        "\\u",
        "\\x",
        "nan",
        "1e999",
        "\0",
        "\u{fffd}",
        "\t",
        "\"user_id\": \"U\", ",
        "'asin': 3, ",
        "None",
    ]);
    prop_oneof![
        (any::<Index>(), 1u8..).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 1usize..300).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<Index>(), telling).prop_map(|(at, text)| Damage::Insert(at, text.as_bytes().to_vec())),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, b)| Damage::Insert(at, b)),
        (any::<Index>(), 1usize..300).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

/// Imports with one of the three files damaged; the message of the fault, if there is one.
fn outcome(
    which: usize,
    damages: &[Damage],
    gzip: bool,
    release: Release,
    bad_lines: BadLines,
) -> Option<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let made_up = RawAmazonConfig {
        users: 20,
        items: 20,
        reviews: 100,
        catalogue: 24,
        images: 20,
        without_image: 2,
        release,
        gzip,
        ..RawAmazonConfig::default()
    };
    let files = write_amazon(dir.path(), &made_up).expect("written");
    let images = files.image_features.expect("asked for");
    let damaged = [&files.reviews, &files.meta, &images][which].clone();
    let mut bytes = fs::read(&damaged).expect("read");
    damages.iter().for_each(|damage| damage.apply(&mut bytes));
    fs::write(&damaged, bytes).expect("write");
    let config = AmazonConfig {
        reviews: files.reviews,
        meta: Some(files.meta),
        image_features: Some(images),
        core: 2,
        bad_lines,
        ..AmazonConfig::default()
    };
    let out = dir.path().join("data");
    match import_amazon(&config, &out, false, &mut |_| {}) {
        Ok(report) => {
            let loaded = load(&out, &LoadOptions::default()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(loaded.data.n_items(), report.kept.items);
            None
        }
        Err(error) => {
            assert!(!out.exists(), "{error}");
            Some(named(&error.to_string(), &damaged))
        }
    }
}

/// The message, which must name the file and a place in it.
fn named(message: &str, file: &Path) -> String {
    let start = format!("{}: ", file.display());
    let rest = message.strip_prefix(&start).unwrap_or_else(|| panic!("no file in: {message}"));
    let places = ["line ", "byte ", "after line ", "the whole file: "];
    assert!(places.iter().any(|place| rest.starts_with(place)), "no place in: {message}");
    rest.to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_damaged_file_gives_an_error_with_its_place_or_sound_data(
        which in 0usize..3,
        damages in prop::collection::vec(damage(), 1..4),
        gzip: bool,
        new: bool,
        skip: bool,
    ) {
        let release = if new { Release::Amazon2023 } else { Release::Amazon2014 };
        let bad_lines = if skip { BadLines::Skip } else { BadLines::Refuse };
        outcome(which, &damages, gzip, release, bad_lines);
    }
}

#[test]
fn the_fuzz_can_tell_damage_from_soundness() {
    let run = |damages: &[Damage]| outcome(0, damages, false, Release::Amazon2014, BadLines::Refuse);
    assert_eq!(run(&[]), None);
    assert!(run(&[Damage::Start(b"{".to_vec())]).is_some_and(|rest| rest.starts_with("line 1, byte 2")));
}
