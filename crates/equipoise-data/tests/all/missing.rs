//! Lists of missing items beside the features: read, checked, counted.

use std::fs;
use std::path::Path;

use equipoise_data::formats::write_npy;
use equipoise_data::{Features, LoadOptions, check, load};
use tempfile::TempDir;

fn put(dir: &Path, name: &str, text: &str) {
    let file = dir.join(name);
    fs::create_dir_all(file.parent().expect("inside the directory")).expect("create");
    fs::write(file, text).expect("write");
}

/// Two users and five items in either layout, with a list of missing items.
fn data_set(lattice: bool, list: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    if lattice {
        put(dir.path(), "5-core/train.json", r#"{"0": [0, 1], "1": [2, 3]}"#);
        put(dir.path(), "5-core/val.json", r#"{"0": [2], "1": []}"#);
        put(dir.path(), "5-core/test.json", r#"{"0": [3], "1": [4]}"#);
    } else {
        let rows = "0\t0\t0\n0\t1\t0\n1\t2\t0\n1\t3\t0\n0\t2\t1\n0\t3\t2\n1\t4\t2\n";
        put(dir.path(), "tiny.inter", &format!("userID\titemID\tx_label\n{rows}"));
    }
    for name in ["image", "text"] {
        let features = Features::new(5, 1, vec![1.0, 2.0, 3.0, 4.0, 5.0]).expect("finite");
        write_npy(&dir.path().join(format!("{name}_feat.npy")), &features).expect("write");
    }
    put(dir.path(), "image_missing.json", list);
    dir
}

#[test]
fn a_list_is_read_in_either_layout_and_counted() {
    for lattice in [true, false] {
        let dir = data_set(lattice, "[4, 1]");
        let data = load(dir.path(), &LoadOptions::default()).expect("sound").data;
        let missing = data.modality("image").expect("there").missing.as_ref().expect("listed");
        assert_eq!(missing.items(), [1, 4]);
        assert!(missing.contains(4) && !missing.contains(0));
        assert!(data.modality("text").expect("there").missing.is_none());
        let report = check(dir.path(), &LoadOptions::default());
        assert_eq!(report.modalities[0].marked_missing, Some(2));
        assert_eq!(report.modalities[1].marked_missing, None);
        assert!(report.faults.is_empty(), "{:?}", report.faults);
    }
}

#[test]
fn an_empty_list_says_that_nothing_is_missing() {
    let dir = data_set(true, "[]");
    let data = load(dir.path(), &LoadOptions::default()).expect("sound").data;
    assert!(data.modality("image").expect("there").missing.as_ref().is_some_and(|m| m.is_empty()));
}

#[test]
fn faults_of_a_list_are_named() {
    for (list, expected) in [
        ("[1, 5]", "item 5: no such item, expected 0..=4"),
        ("[1, 2, 1]", "item 1: occurs twice"),
        ("[0, 1, 2, 3, 4]", "lists every item"),
        ("[1, -2]", "line 1, column 6"),
        ("[1, \"2\"]", "expected u32"),
        ("{\"1\": 2}", "expected [item ids]"),
        ("[1, 2", "line 1"),
    ] {
        let dir = data_set(true, list);
        let error = load(dir.path(), &LoadOptions::default()).expect_err(list).to_string();
        assert!(error.contains("image_missing.json") && error.contains(expected), "{list}: {error}");
        assert_eq!(check(dir.path(), &LoadOptions::default()).faults, [error]);
    }
}

#[test]
fn a_list_that_belongs_to_no_modality_is_a_fault() {
    let dir = data_set(true, "[1]");
    fs::rename(dir.path().join("image_missing.json"), dir.path().join("images_missing.json"))
        .expect("rename");
    let error = load(dir.path(), &LoadOptions::default()).expect_err("a stray list").to_string();
    assert!(error.contains("images_missing.json") && error.contains("no images_feat.npy"), "{error}");
    // A modality that is there but not asked for is no slip.
    let dir = data_set(true, "[1]");
    let options = LoadOptions { modalities: Some(vec!["text".into()]), ..LoadOptions::default() };
    assert_eq!(load(dir.path(), &options).expect("sound").data.modalities.len(), 1);
}

#[test]
fn features_of_given_items_are_joined_by_id_and_say_what_is_missing() {
    use equipoise_data::formats::{read_sources, row_ids_file, write_npy};
    use equipoise_data::{FeatureSource, Features};
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("image_feat.npy");
    let features = Features::new(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("finite");
    write_npy(&path, &features).expect("written");
    let source = [FeatureSource { name: "image".into(), path: path.clone() }];
    let ids = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
    let read = |names: &[&str]| {
        let mut notes = Vec::new();
        read_sources(&source, &ids(names), &mut notes).map(|found| (found, notes)).map_err(|e| e.to_string())
    };
    // Without ids: as many rows as items, which is said, or nothing.
    let (found, notes) = read(&["a", "b", "c"]).expect("as many rows");
    assert_eq!((&found[0].features.row(2)[..], &found[0].missing), (&[5.0, 6.0][..], &None));
    assert!(notes.iter().any(|note| note.contains("without ids")), "{notes:?}");
    assert!(read(&["a", "b"]).expect_err("which two?").contains("image_feat_ids.json"));
    // With ids: in the order of the items.
    std::fs::write(row_ids_file(&path), r#"["c", "x", "a"]"#).expect("written");
    let (found, notes) = read(&["a", "b", "c"]).expect("two match");
    assert_eq!(
        (&found[0].features.row(0)[..], &found[0].features.row(2)[..]),
        (&[5.0, 6.0][..], &[1.0, 2.0][..])
    );
    assert_eq!(found[0].missing.as_ref().map(|missing| missing.items().to_vec()), Some(vec![1]));
    assert!(!notes.is_empty());
    assert!(read(&["q"]).expect_err("none matches").contains("\"q\""));
}
