//! The walk-through for a format of one's own: it is the example, and the format is known everywhere once registered.

#[allow(dead_code)] // its `main` is the whole program
#[path = "../../examples/own_format.rs"]
mod own;

use std::fs;
use std::path::Path;

use equipoise_data::formats::{FormatEntry, register, write_npy};
use equipoise_data::{Features, LoadOptions, check, item_ids, load};
use equipoise_import::{ConvertOptions, Target, convert};

const EXAMPLE: &str = include_str!("../../examples/own_format.rs");
const GUIDE: &str = include_str!("../../../../docs/add-a-format.md");

#[test]
fn the_guide_shows_the_example_and_it_is_short() {
    assert!(GUIDE.contains(EXAMPLE.trim_end()), "docs/add-a-format.md must show examples/own_format.rs");
    assert!(EXAMPLE.lines().count() < 100, "{} lines", EXAMPLE.lines().count());
}

fn write(dir: &Path) {
    let rows = [("b", "x", 5, 0), ("a", "y", 4, 0), ("a", "x", 1, 0), ("b", "y", 5, 1), ("a", "x", 3, 2)];
    let line = |(user, item, stars, split)| {
        format!("{{\"user\": \"{user}\", \"item\": \"{item}\", \"stars\": {stars}, \"split\": {split}}}\n")
    };
    fs::create_dir_all(dir).expect("a directory");
    fs::write(dir.join("likes.jsonl"), rows.map(line).concat()).expect("write");
    let features = Features::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]).expect("finite");
    write_npy(&dir.join("text_feat.npy"), &features).expect("write");
}

fn least_stars(value: serde_json::Value) -> LoadOptions {
    let layout = [("least_stars".to_owned(), value)].into_iter().collect();
    LoadOptions { layout, ..LoadOptions::default() }
}

#[test]
fn a_registered_format_is_recognised_read_checked_and_converted() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dir = root.path().join("likes");
    write(&dir);
    load(&dir, &LoadOptions::default()).expect_err("nobody knows the layout yet");
    register(FormatEntry::new(own::Likes)).expect("the name is free");
    assert!(register(FormatEntry::new(own::Likes)).is_err(), "a name is taken once");

    let options = least_stars(4.into());
    let loaded = load(&dir, &options).expect("sound");
    assert_eq!((loaded.data.format.as_str(), loaded.data.train.len()), ("likes", 2));
    assert_eq!(loaded.data.vocabulary.users(), ["b", "a"]);
    assert_eq!(item_ids(&dir).expect("two items").ids, ["x", "y"]);
    assert!(check(&dir, &options).faults.is_empty());
    let own = root.path().join("own");
    let done =
        convert(&dir, &options, Target::Equipoise, &own, &ConvertOptions::default()).expect("converts");
    assert_eq!(done.from_layout, "likes");
    let converted = load(&own, &LoadOptions::default()).expect("sound");
    assert_eq!(converted.data.fingerprint(), loaded.data.fingerprint());

    for options in
        [least_stars("four".into()), LoadOptions { min_rating: Some(4.0), ..LoadOptions::default() }]
    {
        let message = load(&dir, &options).expect_err("refused").to_string();
        assert!(message.contains("likes layout"), "{message}");
    }
    fs::write(dir.join("likes.jsonl"), "{}\n").expect("write");
    let faults = check(&dir, &LoadOptions::default()).faults;
    assert!(faults[0].contains("likes.jsonl: line 1: expected user"), "{faults:?}");
}
