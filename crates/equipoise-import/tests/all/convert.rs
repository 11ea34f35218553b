//! Conversion keeps the data: every layout into every other, and what must not be written over.

use std::fs;
use std::path::{Path, PathBuf};

use equipoise_data::{DataError, FeatureScale, LoadOptions, Loaded, SplitRule, check, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_import::{ConvertOptions, Target, convert};
use tempfile::TempDir;

const TARGETS: [Target; 4] = [Target::Equipoise, Target::Lattice, Target::Mmrec, Target::Recbole];

/// The demo, with raw ids, categories, items that nobody met, users who met nothing in train, and three items that
/// lack a modality.
fn demo() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("demo");
    write_demo(&data, &DemoConfig { users: 60, items: 40, seed: 3 }).expect("write");
    let name = &open(&data).data.modalities[0].name;
    fs::write(data.join(format!("{name}_missing.json")), "[3, 17, 39]").expect("write");
    (dir, data)
}

fn open(path: &Path) -> Loaded {
    load(path, &LoadOptions::default()).expect("a sound data set")
}

fn to(from: &Path, target: Target, out: &Path) -> Result<equipoise_import::Conversion, DataError> {
    convert(from, &LoadOptions::default(), target, out, &ConvertOptions::default())
}

#[track_caller]
fn assert_same(a: &Loaded, b: &Loaded) {
    // The fingerprint covers train, validation, raw ids, features and categories; the rest is said apart.
    assert_eq!(a.data.fingerprint(), b.data.fingerprint());
    assert_eq!(a.data.categories, b.data.categories);
    assert!(a.test.open() == b.test.open());
    for (one, two) in a.data.modalities.iter().zip(&b.data.modalities) {
        assert_eq!((&one.name, one.features.values()), (&two.name, two.features.values()));
        assert_eq!(one.missing, two.missing);
    }
}

#[test]
fn every_layout_converts_into_every_other_and_back() {
    let (dir, data) = demo();
    let original = open(&data);
    assert!(original.data.categories.is_some());
    assert!(original.data.modalities[0].missing.as_ref().is_some_and(|missing| missing.len() == 3));
    for first in TARGETS {
        let one = dir.path().join(format!("one-{}", first.name()));
        let said = to(&data, first, &one).expect("convert");
        assert_eq!(said.fingerprint, original.data.fingerprint());
        assert_same(&open(&one), &original);
        assert_eq!(open(&one).data.format, first.name());
        for second in TARGETS {
            let two = dir.path().join(format!("{}-{}", first.name(), second.name()));
            to(&one, second, &two).expect("convert");
            assert_same(&open(&two), &original);
            let report = check(&two, &LoadOptions::default());
            assert!(report.faults.is_empty(), "{report}");
        }
    }
}

#[test]
fn timestamps_travel_where_there_is_room_for_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let table = dir.path().join("interactions.csv");
    let rows: String = (0..40).map(|n| format!("u{},i{},{}\n", n % 4, n % 10, 1_000 + n)).collect();
    fs::write(&table, format!("user,item,timestamp\n{rows}")).expect("write");
    fs::write(dir.path().join("item_list.txt"), (0..10).map(|i| format!("i{i}\t{i}\n")).collect::<String>())
        .expect("write");
    let features = equipoise_data::Features::new(10, 1, (0..10).map(|v| v as f32).collect()).expect("finite");
    equipoise_data::formats::write_npy(&dir.path().join("text_feat.npy"), &features).expect("write");
    let options = LoadOptions { split: Some(SplitRule::Time), ..LoadOptions::default() };
    let own = dir.path().join("own");
    convert(&table, &options, Target::Equipoise, &own, &ConvertOptions::default()).expect("convert");
    let (mmrec, recbole, back) =
        (dir.path().join("mmrec"), dir.path().join("recbole"), dir.path().join("back"));
    to(&own, Target::Mmrec, &mmrec).expect("convert");
    to(&mmrec, Target::Recbole, &recbole).expect("convert");
    to(&recbole, Target::Equipoise, &back).expect("convert");
    let bytes = |dir: &Path| fs::read(dir.join("interactions.parquet")).expect("read");
    assert!(bytes(&own) == bytes(&back));
    let said = to(&own, Target::Lattice, &dir.path().join("lattice")).expect("convert");
    assert!(said.notes.iter().any(|n| n.contains("timestamps were left out")), "{:?}", said.notes);
}

#[test]
fn nothing_is_written_over_unasked() {
    let (dir, data) = demo();
    let out = dir.path().join("out");
    to(&data, Target::Lattice, &out).expect("convert");
    let before = fs::read(out.join("conversion.json")).expect("read");
    let message = to(&data, Target::Equipoise, &out).expect_err("it is taken").to_string();
    assert!(message.contains("--overwrite"), "{message}");
    let over = ConvertOptions { overwrite: true, ..ConvertOptions::default() };
    let again =
        |from: &Path, out: &Path| convert(from, &LoadOptions::default(), Target::Equipoise, out, &over);
    // Not what no conversion wrote, not the source, and not if the source is broken.
    let message = again(&out, &data).expect_err("the demo is no conversion").to_string();
    assert!(message.contains("something other than a conversion"), "{message}");
    let message = again(&out, &out).expect_err("reads and writes one place").to_string();
    assert!(message.contains("where the data comes from"), "{message}");
    let broken = dir.path().join("broken");
    to(&data, Target::Lattice, &broken).expect("convert");
    fs::write(broken.join("5-core/val.json"), "{").expect("write");
    again(&broken, &out).expect_err("broken");
    assert_eq!(fs::read(out.join("conversion.json")).expect("still there"), before);
    again(&data, &out).expect("replace");
    assert_eq!(open(&out).data.format, "equipoise");
    let left: Vec<_> =
        fs::read_dir(dir.path()).expect("list").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(left.len(), 3, "demo, broken and out, nothing half done: {left:?}");
}

#[test]
fn ids_that_a_layout_cannot_hold_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let table = dir.path().join("interactions.csv");
    fs::write(&table, "user,item,split\n\"a\tb\",0,train\nc,1,train\nc,0,test\n").expect("write");
    let features = equipoise_data::Features::new(2, 1, vec![1.0, 2.0]).expect("finite");
    equipoise_data::formats::write_npy(&dir.path().join("text_feat.npy"), &features).expect("write");
    let error = to(dir.path(), Target::Recbole, &dir.path().join("out")).expect_err("a tab in an id");
    assert!(error.to_string().contains("recbole layout cannot hold"), "{error}");
    assert!(!dir.path().join("out").exists());
    to(dir.path(), Target::Equipoise, &dir.path().join("own")).expect("Parquet holds any text");
    assert_eq!(&open(&dir.path().join("own")).data.vocabulary.users()[0], "a\tb");
}

#[test]
fn the_scale_is_given_for_good_and_recorded() {
    let (dir, data) = demo();
    let out = dir.path().join("out");
    let how = ConvertOptions { scale: FeatureScale::Pca(4), ..ConvertOptions::default() };
    convert(&data, &LoadOptions::default(), Target::Equipoise, &out, &how).expect("convert");
    let there = open(&out).data;
    assert_eq!(there.modalities, open(&data).data.scaled(FeatureScale::Pca(4)).modalities);
    assert!(there.modalities.iter().all(|m| m.features.width() == 4));
    let manifest = fs::read_to_string(out.join("manifest.toml")).expect("read");
    assert!(manifest.contains("scale = \"pca:4\"") && manifest.contains("provenance"), "{manifest}");
}

/// The demo in the project's own layout.
fn own() -> (TempDir, PathBuf) {
    let (dir, data) = demo();
    let out = dir.path().join("own");
    to(&data, Target::Equipoise, &out).expect("convert");
    (dir, out)
}

fn fault(path: &Path) -> String {
    load(path, &LoadOptions::default()).expect_err("a broken data set").to_string()
}

fn rewrite(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("read");
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).expect("write");
}

#[test]
fn features_of_the_own_layout_are_mapped_not_read() {
    let (_dir, own) = own();
    assert!(open(&own).data.modalities.iter().all(|m| m.features.is_mapped()));
    // Half precision is mapped too, where its values start at an even byte.
    let manifest = own.join("manifest.toml");
    let halves: Vec<u8> = (0..80u16).flat_map(|n| half::f16::from_f32(f32::from(n)).to_le_bytes()).collect();
    let mut bytes =
        b"\x93NUMPY\x01\x00\x3a\x00{'descr': '<f2', 'fortran_order': False, 'shape': (40, 2)}".to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), b' ');
    bytes[8] = (bytes.len() - 10) as u8;
    bytes.extend(halves);
    fs::write(own.join("features/text.npy"), bytes).expect("write");
    let text = fs::read_to_string(&manifest).expect("read");
    let (head, tail) = text.split_once("name = \"text\"\nwidth = ").expect("the text modality");
    let rest = tail.split_once('\n').expect("more lines").1;
    fs::write(&manifest, format!("{head}name = \"text\"\nwidth = 2\n{rest}")).expect("write");
    let data = open(&own).data;
    let text = &data.modality("text").expect("there").features;
    assert_eq!((text.is_mapped(), &*text.row(39)), (true, &[78.0, 79.0][..]));
}

#[test]
fn half_precision_stays_as_it_is_in_the_own_layout_and_changes_no_fingerprint() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (single, half) = (dir.path().join("single"), dir.path().join("half"));
    for (name, descr) in [("single", "<f4"), ("half", "<f2")] {
        let source = dir.path().join(format!("{name}-source"));
        fs::create_dir_all(source.join("5-core")).expect("create");
        for (split, text) in
            [("train", r#"{"0": [0, 1]}"#), ("val", r#"{"0": [2]}"#), ("test", r#"{"0": [3]}"#)]
        {
            fs::write(source.join(format!("5-core/{split}.json")), text).expect("write");
        }
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (4, 2)}}");
        let mut bytes =
            [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        for value in (0..8).map(|k| k as f32 / 4.0) {
            match descr {
                "<f2" => bytes.extend(half::f16::from_f32(value).to_le_bytes()),
                _ => bytes.extend(value.to_le_bytes()),
            }
        }
        fs::write(source.join("text_feat.npy"), bytes).expect("write");
        to(&source, Target::Equipoise, &dir.path().join(name)).expect("convert");
    }
    assert_eq!(open(&single).data.fingerprint(), open(&half).data.fingerprint());
    let size = |dir: &Path| fs::metadata(dir.join("features/text.npy")).expect("there").len();
    assert_eq!(size(&single) - size(&half), 8 * 2);
    assert!(open(&half).data.modalities[0].features.is_mapped());
}

#[test]
fn a_later_version_is_refused_in_words() {
    let (_dir, own) = own();
    rewrite(&own.join("manifest.toml"), "version = 1\n", "version = 2\nfuture = true\n");
    let message = fault(&own);
    assert!(message.contains("version 2") && message.contains("newer equipoise"), "{message}");
}

#[test]
fn loading_notices_changed_tables_and_the_check_changed_features() {
    let (_dir, own) = own();
    let parquet = own.join("interactions.parquet");
    let mut bytes = fs::read(&parquet).expect("read");
    bytes[40] ^= 1;
    fs::write(&parquet, &bytes).expect("write");
    let message = fault(&own);
    assert!(message.contains("interactions.parquet") && message.contains("BLAKE3"), "{message}");
    bytes[40] ^= 1;
    fs::write(&parquet, &bytes).expect("write");
    assert!(check(&own, &LoadOptions::default()).faults.is_empty());

    let feature = own.join("features/text.npy");
    let mut bytes = fs::read(&feature).expect("read");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&feature, &bytes).expect("write");
    open(&own);
    let faults = check(&own, &LoadOptions::default()).faults;
    assert!(
        faults.len() == 1 && faults[0].contains("text.npy") && faults[0].contains("manifest.toml"),
        "{faults:?}"
    );
    fs::write(&feature, &bytes[..bytes.len() - 1]).expect("write");
    assert!(fault(&own).contains("cut short"));
}

#[test]
fn the_check_compares_the_fingerprint() {
    let (_dir, own) = own();
    let manifest = own.join("manifest.toml");
    let print = open(&own).data.fingerprint();
    rewrite(&manifest, &print, &"0".repeat(64));
    open(&own);
    let faults = check(&own, &LoadOptions::default()).faults;
    assert!(faults.len() == 1 && faults[0].contains("fingerprint"), "{faults:?}");
}

#[test]
fn a_manifest_cannot_point_elsewhere() {
    let (_dir, own) = own();
    for elsewhere in ["../secret.npy", "/etc/passwd", "features/../../x.npy", "features/.."] {
        let manifest = own.join("manifest.toml");
        let before = fs::read_to_string(&manifest).expect("read");
        rewrite(&manifest, "features/text.npy", elsewhere);
        let message = fault(&own);
        assert!(message.contains("features/<name>.npy"), "{message}");
        fs::write(&manifest, before).expect("write");
    }
    rewrite(&own.join("manifest.toml"), "users = 60", "users = sixty");
    let message = fault(&own);
    assert!(message.contains("manifest.toml: line 4"), "{message}");
}
