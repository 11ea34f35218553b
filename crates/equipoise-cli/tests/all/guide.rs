//! The guide to CKD names every switch, and no other.

use equipoise_balance::Ckd;
use equipoise_balance::weights::{Denominator, Guard, Level, Sum};

/// Names in the first column of the table under a heading.
fn names(guide: &str, heading: &str) -> Vec<String> {
    let section = guide.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading:?}"));
    let section = section.split("\n## ").next().expect("a split has a first part");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().expect("a split has a first part").to_owned()).collect()
}

#[test]
fn the_guide_to_ckd_has_a_row_for_every_switch() {
    let all = Ckd {
        generic_items: Some(512),
        sum: Some(Sum::One),
        level: Some(Level::Batch),
        denominator: Some(Denominator::Teacher),
        guard: Some(Guard::Floored),
        ..Ckd::default()
    };
    let written = serde_json::to_value(&all).expect("a configuration is plain data");
    let mut keys: Vec<String> = written.as_object().expect("a table").keys().cloned().collect();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ckd.md");
    let mut names = names(&std::fs::read_to_string(guide).unwrap(), "## Every switch");
    keys.sort();
    names.sort();
    assert_eq!(names, keys);
}
