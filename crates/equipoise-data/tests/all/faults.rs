//! Every fault gives one clear message: file, place, what was expected, what was found, what to do.

use std::fs;
use std::path::Path;

use equipoise_data::formats::write_npy;
use equipoise_data::{DataError, Features, LoadOptions, check, load};
use tempfile::TempDir;

const TRAIN: &str = r#"{"0": [0, 1], "1": [2, 3]}"#;
const VAL: &str = r#"{"0": [2], "1": []}"#;
const TEST: &str = r#"{"0": [3], "1": [4]}"#;

/// A sound data set of 2 users and 5 items in the LATTICE layout.
fn lattice() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in [("train", TRAIN), ("val", VAL), ("test", TEST)] {
        put(dir.path(), &format!("5-core/{name}.json"), text);
    }
    features(dir.path(), "text", 5);
    features(dir.path(), "image", 5);
    dir
}

/// The same in the MMRec layout.
fn mmrec() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    put(dir.path(), "tiny.inter", INTER);
    features(dir.path(), "text", 5);
    features(dir.path(), "image", 5);
    dir
}

const INTER: &str = "userID\titemID\trating\ttimestamp\tx_label\n\
    0\t0\t5.0\t1\t0\n0\t1\t5.0\t2\t0\n1\t2\t1.0\t3\t0\n1\t3\t1.0\t4\t0\n\
    0\t2\t5.0\t5\t1\n0\t3\t5.0\t6\t2\n1\t4\t5.0\t7\t2\n";

fn put(dir: &Path, name: &str, text: &str) {
    let file = dir.join(name);
    fs::create_dir_all(file.parent().expect("inside the directory")).expect("create");
    fs::write(file, text).expect("write");
}

fn features(dir: &Path, name: &str, rows: usize) {
    let values = (0..rows * 2).map(|n| n as f32).collect();
    let features = Features::new(rows, 2, values).expect("finite");
    write_npy(&dir.join(format!("{name}_feat.npy")), &features).expect("write");
}

fn fault(dir: &TempDir) -> DataError {
    fault_asking(dir, &LoadOptions::default())
}

/// The one fault; the check must find it too, and only it.
fn fault_asking(dir: &TempDir, options: &LoadOptions) -> DataError {
    let error = load(dir.path(), options).expect_err("a broken data set");
    let report = check(dir.path(), options);
    assert_eq!(report.faults, [error.to_string()]);
    error
}

#[track_caller]
fn assert_says(error: &DataError, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn both_layouts_give_the_same_data() {
    let (lattice, mmrec) = (lattice(), mmrec());
    let read = |dir: &TempDir| load(dir.path(), &LoadOptions::default()).expect("sound");
    let (a, b) = (read(&lattice), read(&mmrec));
    assert_eq!((a.data.format.as_str(), b.data.format.as_str()), ("lattice", "mmrec"));
    assert_eq!(a.data.fingerprint(), b.data.fingerprint());
    assert!(a.test.open() == b.test.open());
    assert_eq!(a.test.open().pairs().collect::<Vec<_>>(), [(0, 3), (1, 4)]);
    assert_eq!(a.data.modalities[0].name, "image");
}

#[test]
fn the_test_split_has_no_part_in_the_data() {
    let (one, two) = (lattice(), lattice());
    put(two.path(), "5-core/test.json", r#"{"0": [4], "1": [0, 1]}"#);
    let read = |dir: &TempDir| load(dir.path(), &LoadOptions::default()).expect("sound");
    let (a, b) = (read(&one), read(&two));
    assert!(a.test.open() != b.test.open());
    assert_eq!(a.data.fingerprint(), b.data.fingerprint());
    assert_eq!(a.data.notes, b.data.notes);
}

#[test]
fn crlf_lines_are_read_like_lf_lines() {
    let dir = mmrec();
    put(dir.path(), "tiny.inter", &INTER.replace('\n', "\r\n"));
    let read = |dir: &TempDir| load(dir.path(), &LoadOptions::default()).expect("sound");
    assert_eq!(read(&dir).data.fingerprint(), read(&mmrec()).data.fingerprint());
}

#[test]
fn an_item_without_features() {
    let dir = lattice();
    put(dir.path(), "5-core/val.json", r#"{"0": [2], "1": [5]}"#);
    let places = ["val.json", "user 1", "item id 5", "0..=4", "image_feat.npy has 5"];
    assert_says(&fault(&dir), &places);
    let dir = mmrec();
    put(dir.path(), "tiny.inter", &(INTER.to_owned() + "1\t7\t1\t9\t2\n"));
    assert_says(&fault(&dir), &["tiny.inter (test, x_label 2)", "user 1", "item id 7"]);
}

#[test]
fn a_user_id_out_of_all_proportion() {
    let dir = lattice();
    put(dir.path(), "5-core/train.json", r#"{"0": [0, 1], "4000000000": [2]}"#);
    assert_says(&fault(&dir), &["train.json", "4000000000", "only 3 users occur", "from 0"]);
}

#[test]
fn a_user_named_without_items_counts() {
    let dir = lattice();
    put(dir.path(), "5-core/val.json", r#"{"0": [2], "3": []}"#);
    let data = load(dir.path(), &LoadOptions::default()).expect("sound").data;
    assert_eq!(data.n_users(), 4);
    put(dir.path(), "5-core/val.json", r#"{"0": [2], "4000000000": []}"#);
    assert_says(&fault(&dir), &["val.json", "user id 4000000000"]);
}

#[test]
fn modalities_of_different_length() {
    let dir = lattice();
    features(dir.path(), "text", 4);
    let parts = ["text_feat.npy: 4 rows", "expected 5", "image_feat.npy has 5", "one row per item"];
    assert_says(&fault(&dir), &parts);
}

#[test]
fn features_that_do_not_match_the_item_list() {
    let dir = lattice();
    put(dir.path(), "5-core/item_list.txt", "a\t0\nb\t1\nc\t2\nd\t3\n e f\t4\ng\t5\n");
    let report = check(dir.path(), &LoadOptions::default());
    assert_eq!(report.faults.len(), 2, "{report}");
    for part in ["image_feat.npy", "5 rows without ids, expected 6", "as many as items are listed"] {
        assert!(report.faults[0].contains(part), "{report}");
    }
}

#[test]
fn values_that_are_not_finite() {
    let dir = lattice();
    let file = dir.path().join("text_feat.npy");
    let mut bytes = fs::read(&file).expect("read");
    let start = bytes.len() - 40;
    bytes[start + 28..start + 32].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, bytes).expect("write");
    assert_says(&fault(&dir), &["text_feat.npy", "row 3, column 1 is NaN", "1 such values"]);
}

#[test]
fn one_interaction_in_two_splits() {
    let dir = lattice();
    put(dir.path(), "5-core/test.json", r#"{"0": [3], "1": [3]}"#);
    assert_says(&fault(&dir), &["user 1: item 3", "train.json", "test.json", "disjoint"]);
}

#[test]
fn nothing_to_train_on() {
    let dir = lattice();
    put(dir.path(), "5-core/train.json", r#"{"0": [], "1": []}"#);
    assert_says(&fault(&dir), &["train.json", "no interaction", "at least one"]);
}

#[test]
fn json_cut_short_or_misshapen() {
    let cases = [
        ("{\"0\": [0, 1],\n \"1\": [2,", "line 2, column 9", "EOF"),
        ("{\"0\": [0 1]}", "line 1, column 10", "expected `,`"),
        ("[1, 2]", "line 1, column 1", "an object from user ids"),
        ("{\"0\": 5}", "line 1, column 7", "list of item ids for user \"0\""),
        ("{} {}", "line 1, column 4", "trailing"),
        ("", "line 1, column 1", "EOF"),
    ];
    for (text, place, problem) in cases {
        let dir = lattice();
        put(dir.path(), "5-core/val.json", text);
        assert_says(&fault(&dir), &["val.json", place, problem, "{\"user id\": [item ids], ...}"]);
    }
}

#[test]
fn ids_that_are_no_indices() {
    let cases = [
        (r#"{"0": [-3]}"#, "user \"0\", entry 1", "item id -3"),
        (r#"{"0": [2, 1.5]}"#, "user \"0\", entry 2", "item id 1.5"),
        (r#"{"0": ["B00X"]}"#, "user \"0\", entry 1", "item id \"B00X\""),
        (r#"{"0": [[1, [2]]]}"#, "user \"0\", entry 1", "[a list]"),
        (r#"{"0": [5000000000]}"#, "user \"0\", entry 1", "item id 5000000000"),
        (r#"{"Ann": [2]}"#, "user \"Ann\"", "expected a whole number"),
        (r#"{"-1": [2]}"#, "user \"-1\"", "expected a whole number"),
        (r#"{"0": [2], "0": [4]}"#, "user \"0\"", "occurs twice"),
    ];
    for (text, place, problem) in cases {
        let dir = lattice();
        put(dir.path(), "5-core/val.json", text);
        assert_says(&fault(&dir), &["val.json", place, problem]);
    }
}

#[test]
fn lines_of_an_inter_file() {
    let cases = [
        ("1\t4\t5.0\t7", "line 9", "expected 5 columns, found 4"),
        ("1\t4\t5.0\t7\t3", "line 9", "x_label \"3\", expected 0 (train)"),
        ("x\t4\t5.0\t7\t0", "line 9", "userID \"x\""),
        ("1\t-4\t5.0\t7\t0", "line 9", "itemID \"-4\""),
    ];
    for (line, place, problem) in cases {
        let dir = mmrec();
        put(dir.path(), "tiny.inter", &format!("{INTER}{line}\n"));
        assert_says(&fault(&dir), &["tiny.inter", place, problem]);
    }
}

#[test]
fn an_inter_file_without_its_columns() {
    let dir = mmrec();
    put(dir.path(), "tiny.inter", &INTER.replace("x_label", "split"));
    assert_says(&fault(&dir), &["tiny.inter", "line 1", "no column x_label", "\"timestamp\", \"split\""]);
    put(dir.path(), "second.inter", INTER);
    assert_says(&fault(&dir), &["2 files end in .inter", "exactly one"]);
}

#[test]
fn a_modality_asked_for_and_not_there() {
    let options = |names: &[&str]| LoadOptions {
        modalities: Some(names.iter().map(|n| (*n).to_owned()).collect()),
        ..LoadOptions::default()
    };
    let dir = lattice();
    let error = fault_asking(&dir, &options(&["text", "audio"]));
    assert_says(&error, &["\"audio\"", "found image, text", "audio_feat.npy"]);
    let error = fault_asking(&dir, &options(&["text", "text"]));
    assert_says(&error, &["modalities", "text occurs twice"]);
    assert_says(&fault_asking(&dir, &options(&[])), &["no modality"]);
    let loaded = load(dir.path(), &options(&["text"])).expect("text is there");
    assert_eq!(loaded.data.modalities.len(), 1);
}

#[test]
fn no_modality_at_all() {
    let dir = lattice();
    for name in ["text", "image"] {
        fs::remove_file(dir.path().join(format!("{name}_feat.npy"))).expect("remove");
    }
    assert_says(&fault(&dir), &["no modality", "<modality>_feat.npy", "image_feat.npy"]);
}

#[test]
fn a_split_that_is_missing() {
    let dir = lattice();
    fs::remove_file(dir.path().join("5-core/test.json")).expect("remove");
    assert_says(&fault(&dir), &["test.json", "no such file", "add it"]);
}

#[test]
fn no_layout_or_two() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_says(&fault(&dir), &["no known layout", "5-core", ".inter"]);
    let dir = lattice();
    put(dir.path(), "tiny.inter", INTER);
    assert_says(&fault(&dir), &["several layouts (lattice, mmrec)"]);
    for (name, bytes, says) in [
        ("rows.zip", &b"PK\x03\x04rest"[..], ["a zip archive or a workbook of Excel", "unpack it"]),
        ("rows.csv.bz2", b"BZh91AY", ["compressed with bzip2", "bunzip2"]),
        ("rows.zst", b"\x28\xb5\x2f\xfd", ["compressed with zstd", "zstd -d"]),
        ("rows.jsonl", b"{\"user\": 1}", ["no column of items among \"user\"", "--item-column"]),
        ("rows.json", b"user,item\n1,2\n", ["line 1", "expected one JSON object per line"]),
        ("rows.NDJSON", b"\n", ["no object: the file is empty", "fill it"]),
        ("tiny.inter", INTER.as_bytes(), ["a part of a data set", "the folder in which it lies"]),
        ("rows.log", b"1 2", ["does not end as that of a table", "rename or convert it"]),
        ("rows", b"", ["does not end as that of a table", "rename"]),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, bytes).expect("write");
        let error = load(&file, &LoadOptions::default()).expect_err(name);
        assert_says(&error, &[name, says[0], says[1]]);
        assert!(error.to_string().len() < 300, "{error}");
    }
    let gone = load(&dir.path().join("gone"), &LoadOptions::default());
    assert_says(&gone.expect_err("no such directory"), &["gone", "check that the path exists"]);
}

#[test]
fn id_lists_with_mistakes() {
    let cases = [
        ("", "line 1", "no id"),
        ("a\t0\nb\tx\n", "line 2", "raw id, tab, index"),
        ("a\t0\nb\t0\n", "line 2", "index 0 is taken by \"a\""),
        ("id\tindex\na\t0\nb\t2\n", "line 3", "without gaps"),
    ];
    for (text, place, problem) in cases {
        let dir = lattice();
        put(dir.path(), "5-core/user_list.txt", text);
        assert_says(&fault(&dir), &["user_list.txt", place, problem]);
    }
    let dir = lattice();
    put(dir.path(), "5-core/user_list.txt", "same\t0\nsame\t1\n");
    assert_says(&fault(&dir), &["user id \"same\" occurs twice"]);
}

#[test]
fn categories_are_read_beside_the_splits_of_both_layouts() {
    let text = r#"{"1": "Cups", "0": ["Baby", "Bottles"], "4": ["Baby"]}"#;
    let (a, b, plain) = (lattice(), mmrec(), lattice());
    put(a.path(), "5-core/categories.json", text);
    put(b.path(), "categories.json", text);
    let read = |dir: &TempDir| load(dir.path(), &LoadOptions::default()).expect("sound").data;
    let (a, b, plain) = (read(&a), read(&b), read(&plain));
    let paths = a.categories.as_ref().expect("there is a file").paths();
    assert_eq!(paths, [vec!["Baby", "Bottles"], vec!["Cups"], vec![], vec![], vec!["Baby"]]);
    assert_eq!(a.categories, b.categories);
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert_ne!(a.fingerprint(), plain.fingerprint());
    assert_eq!(plain.categories, None);
}

#[test]
fn categories_with_mistakes() {
    let cases = [
        (r#"{"5": "Cups"}"#, "item \"5\"", "no such item, expected 0..=4"),
        (r#"{"B00X": "Cups"}"#, "item \"B00X\"", "expected a whole number from 0"),
        (r#"{"1": "Cups", "1": "Cups"}"#, "item \"1\"", "occurs twice"),
        (r#"{"1": 7}"#, "item \"1\"", "category 7, expected a label or a list of labels"),
        (r#"{"1": ["Baby", ["Cups"]]}"#, "item \"1\"", "category [\"Baby\",[\"Cups\"]], expected"),
        (r#"{"1": []}"#, "item \"1\"", "category [], expected a label"),
        (r#"{"1": ["Baby", " "]}"#, "item \"1\"", "category [\"Baby\",\" \"], expected a label"),
        (r#"["Cups"]"#, "line 1, column 1", "an object from item ids to categories"),
        (r#"{"1": "Cups""#, "line 1, column 12", "EOF"),
        ("{} 1", "line 1, column 4", "expected {\"item id\": \"label\" or [labels, widest first], ...}"),
    ];
    for (text, place, problem) in cases {
        let dir = lattice();
        put(dir.path(), "5-core/categories.json", text);
        assert_says(&fault(&dir), &["categories.json", place, problem]);
    }
    let dir = lattice();
    put(dir.path(), "5-core/categories.json", r#"{"1": 7, "9": "Cups", "2": null, "0": "Cups"}"#);
    let report = check(dir.path(), &LoadOptions::default());
    assert_eq!((report.faults.len(), report.categorised_items), (3, Some(2)), "{report}");
    assert!(report.to_string().contains("items with category  2\n"), "{report}");
}

#[test]
fn raw_ids_come_from_the_lists() {
    let dir = lattice();
    put(dir.path(), "5-core/user_list.txt", "org_id remap_id\nAnn B.\t1\nCy\t0\n\n");
    let loaded = load(dir.path(), &LoadOptions::default()).expect("sound");
    assert_eq!(*loaded.data.vocabulary.users(), ["Cy", "Ann B."]);
    assert_eq!(&loaded.data.vocabulary.items()[4], "4");
}

#[test]
fn repeats_are_merged_and_said() {
    let dir = lattice();
    put(dir.path(), "5-core/train.json", r#"{"0": [0, 1, 0, 0], "1": [2, 3]}"#);
    let data = load(dir.path(), &LoadOptions::default()).expect("sound").data;
    assert_eq!(data.train.items_of(0), [0, 1]);
    let said = data.notes.iter().any(|n| n.contains("train.json: merged 2 repeated"));
    assert!(said, "{:?}", data.notes);
}

#[test]
fn users_and_items_unknown_to_train_are_kept_and_said() {
    let dir = lattice();
    put(dir.path(), "5-core/val.json", r#"{"0": [2], "2": [1]}"#);
    features(dir.path(), "text", 6);
    features(dir.path(), "image", 6);
    let data = load(dir.path(), &LoadOptions::default()).expect("sound").data;
    assert_eq!((data.n_users(), data.n_items()), (3, 6));
    assert!(data.validation.contains(2, 1));
    let notes = data.notes.join(" ");
    assert!(
        notes.contains("Users without a train item, skipped in training: 1; held-out items are kept for 1"),
        "{notes}"
    );
    assert!(notes.contains("only their features speak: 2."), "{notes}");
}

#[test]
fn the_check_finds_every_fault() {
    let dir = lattice();
    put(dir.path(), "5-core/train.json", r#"{"0": [0, -1, 9], "x": [1], "1": [3]}"#);
    put(dir.path(), "5-core/val.json", r#"{"0": [2"#);
    put(dir.path(), "5-core/test.json", r#"{"0": [0], "1": [4]}"#);
    put(dir.path(), "text_feat.npy", "no numbers");
    let report = check(dir.path(), &LoadOptions::default());
    let text = report.to_string();
    for part in ["item id -1", "user \"x\"", "line 1, column 8", "magic", "item id 9", "user 0: item 0"] {
        assert!(report.faults.iter().any(|f| f.contains(part)), "{part:?} is missing in:\n{text}");
    }
    assert!(text.ends_with("6 faults found\n"), "{text}");
}

#[test]
fn a_flood_of_faults_is_counted() {
    let dir = lattice();
    let ids: Vec<String> = (100..200).map(|n: u32| n.to_string()).collect();
    put(dir.path(), "5-core/train.json", &format!("{{\"0\": [{}]}}", ids.join(",")));
    let report = check(dir.path(), &LoadOptions::default());
    assert_eq!(report.faults.len(), 21, "{report}");
    assert!(report.faults[20].contains("80 more faults of the kind \"item id out of range\""));
}

#[test]
fn a_sound_data_set_has_a_clean_report() {
    let report = check(lattice().path(), &LoadOptions::default());
    assert!(report.faults.is_empty(), "{report}");
    assert_eq!((report.users, report.items, report.interactions), (2, 5, 7));
    assert_eq!((report.splits.train, report.splits.validation, report.splits.test), (4, 1, 2));
    assert!((report.sparsity - 0.3).abs() < 1e-12);
    assert_eq!((report.users_without_train, report.cold_items), (0, 1));
    assert_eq!(report.modalities[1].dtype, "float32");
    assert!(report.to_string().contains("no fault found"));
}
