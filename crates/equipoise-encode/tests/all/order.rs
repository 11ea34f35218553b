//! Features that were made for a data set are read back for the same items, in every layout and whatever items are called.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use equipoise_data::formats::{
    GatheredSplit, NativeContents, formats, row_ids_file, write_native, write_npy,
};
use equipoise_data::{FeatureSource, Features, LoadOptions, Loaded, load};
use equipoise_encode::{EncodeReport, TextRequest, encode_texts};
use equipoise_jobs::Silent;
use serde_json::json;
use tempfile::TempDir;

const ITEMS: usize = 24;

/// Text of the item of this raw id: one of four kinds, which do not follow any order.
fn kind(id: &str) -> usize {
    let sum = id.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    (sum >> 2) as usize % 4
}

const TEXTS: [&str; 4] = ["red cup", "blue blanket", "red toy", "green blanket cup"];

/// Raw ids of the items, by index.
fn ids(names: &str) -> Vec<String> {
    let order = (0..ITEMS).map(|n| (n * 7 + 5) % ITEMS);
    match names {
        "row numbers" => (0..ITEMS).map(|n| n.to_string()).collect(),
        "numbers from 0" => order.map(|n| n.to_string()).collect(),
        "numbers from 1" => order.map(|n| (n + 1).to_string()).collect(),
        "numbers with zeros" => order.map(|n| format!("{n:03}")).collect(),
        _ => order.map(|n| format!("B0{n}-x y")).collect(),
    }
}

/// User, item and split of the interactions; items occur in the order of their indices.
fn interactions() -> Vec<(u32, u32, usize)> {
    (0..ITEMS as u32 * 2).map(|n| (n / 6, n % ITEMS as u32, [0, 0, 0, 0, 1, 2][n as usize % 6])).collect()
}

fn put(dir: &Path, name: &str, text: impl AsRef<[u8]>) {
    let file = dir.join(name);
    fs::create_dir_all(file.parent().expect("inside")).expect("made");
    fs::write(file, text).expect("written");
}

fn list(ids: &[String]) -> String {
    ids.iter().enumerate().map(|(n, id)| format!("{id}\t{n}\n")).collect()
}

/// A data set of the layout `format` with these items, without features.
fn write(format: &str, dir: &Path, ids: &[String], listed: bool) {
    let rows = interactions();
    let with_ids = |separator: char| {
        let row = |(user, item, split): &(u32, u32, usize)| {
            format!("u{user}{separator}{}{separator}{split}\n", ids[*item as usize])
        };
        rows.iter().map(row).collect::<String>()
    };
    match format {
        "lattice" => {
            for (split, name) in ["train", "val", "test"].iter().enumerate() {
                let of = |user: u32| {
                    let own = rows.iter().filter(|row| row.0 == user && row.2 == split);
                    (user.to_string(), own.map(|row| row.1).collect::<Vec<_>>())
                };
                let lists: std::collections::BTreeMap<_, _> = (0..8).map(of).collect();
                put(dir, &format!("5-core/{name}.json"), json!(lists).to_string());
            }
            if listed {
                put(dir, "5-core/item_list.txt", list(ids));
            }
        }
        "mmrec" => {
            let row = |(user, item, split): &(u32, u32, usize)| format!("{user}\t{item}\t{split}\n");
            let rows: String = rows.iter().map(row).collect();
            put(dir, "d.inter", format!("userID\titemID\tx_label\n{rows}"));
            if listed {
                put(dir, "i_id_mapping.csv", format!("asin\titemID\n{}", list(ids)));
            }
        }
        "matrices" => {
            for (split, name) in ["trnMat", "valMat", "tstMat"].iter().enumerate() {
                let pairs: Vec<(u32, u32)> =
                    rows.iter().filter(|row| row.2 == split).map(|row| (row.0, row.1)).collect();
                put(dir, &format!("{name}.npz"), coordinates(&pairs));
            }
            if listed {
                put(dir, "item_list.txt", list(ids));
            }
        }
        "recbole" => {
            put(dir, "d.inter", format!("user_id:token\titem_id:token\tx_label:float\n{}", with_ids('\t')));
            if listed {
                put(dir, "d.item", format!("item_id:token\n{}\n", ids.join("\n")));
            }
        }
        "table" => {
            put(dir, "interactions.csv", format!("user,item,split\n{}", with_ids(',')));
            if listed {
                put(dir, "item_list.txt", list(ids));
            }
        }
        "equipoise" => native(dir, ids),
        other => panic!("say here how a data set of the layout {other} is written"),
    }
    let text = |id: &String| format!("{}\n", json!({ "id": id, "text": TEXTS[kind(id)] }));
    put(dir, "texts.jsonl", ids.iter().rev().map(text).collect::<String>());
}

/// As SciPy writes a sparse matrix of ones.
fn coordinates(pairs: &[(u32, u32)]) -> Vec<u8> {
    let vector = |descr: &str, bytes: Vec<u8>, size: usize| {
        let count = bytes.len() / size;
        let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({count},), }}");
        text.extend(std::iter::repeat_n(' ', 63 - (10 + text.len()) % 64));
        text.push('\n');
        [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), &bytes].concat()
    };
    let whole = |values: Vec<u32>| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, array) in [
        ("row", vector("<i4", whole(pairs.iter().map(|p| p.0).collect()), 4)),
        ("col", vector("<i4", whole(pairs.iter().map(|p| p.1).collect()), 4)),
        ("data", vector("<i4", whole(vec![1; pairs.len()]), 4)),
        ("shape", vector("<i4", whole(vec![8, ITEMS as u32]), 4)),
        ("format", vector("|S3", b"coo".to_vec(), 3)),
    ] {
        let (mut entry, config) = archive.new_file(format!("{name}.npy")).start().expect("begun");
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&array).expect("memory");
        let (_, descriptor) = writer.finish().expect("memory");
        entry.finish(descriptor).expect("memory");
    }
    archive.finish().expect("memory")
}

fn native(dir: &Path, ids: &[String]) {
    let other = tempfile::tempdir().expect("a temporary directory");
    write("table", other.path(), ids, false);
    let features = Features::new(ITEMS, 1, vec![0.5; ITEMS]).expect("finite");
    write_npy(&other.path().join("x.npy"), &features).expect("written");
    put(other.path(), "x_ids.json", json!(ids).to_string());
    let loaded = open(other.path(), Some(&other.path().join("x.npy")));
    let split = |pairs: Vec<(u32, u32)>| GatheredSplit::new("made up".into(), pairs, Vec::new());
    let data = &loaded.data;
    let splits =
        [&data.train, &data.validation, loaded.test.open()].map(|part| split(part.pairs().collect()));
    let contents = NativeContents {
        name: "made up",
        source: "table",
        vocabulary: &data.vocabulary,
        splits: splits.each_ref(),
        categories: None,
        modalities: Vec::new(),
        fingerprint: "",
    };
    write_native(dir, &contents).expect("written");
}

fn open(path: &Path, features: Option<&Path>) -> Loaded {
    let source = |path: &Path| FeatureSource { name: "text".into(), path: path.to_owned() };
    let features = features.map(source).into_iter().collect();
    load(path, &LoadOptions { features, ..LoadOptions::default() }).expect("a sound data set")
}

fn encode(data: &Path, out: Option<PathBuf>) -> EncodeReport {
    let request = TextRequest { data: data.to_owned(), out, dims: Some(3), ..TextRequest::default() };
    encode_texts(&request, &mut Silent).expect("encoded")
}

/// Items of one text have one row, of different texts different ones.
#[track_caller]
fn belongs(loaded: &Loaded, case: &str) {
    let features = &loaded.data.modalities[0].features;
    let items = loaded.data.vocabulary.items();
    assert_eq!((items.len(), features.rows()), (ITEMS, ITEMS), "{case}");
    let apart = |a: usize, b: usize| {
        let (a, b) = (features.row(a), features.row(b));
        a.iter().zip(&*b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    for a in 0..ITEMS {
        for b in 0..a {
            let same = kind(&items[a]) == kind(&items[b]);
            assert_eq!(apart(a, b) < 1e-4, same, "{case}: {} and {}", &items[a], &items[b]);
        }
    }
}

/// A table of the same items in another order.
fn other_order(ids: &[String]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut turned = ids.to_vec();
    turned.reverse();
    turned.swap(3, 17);
    write("table", dir.path(), &turned, false);
    dir
}

#[test]
fn features_are_read_back_for_the_same_items_in_every_layout() {
    for format in formats().iter().map(|format| format.name()) {
        for names in ["row numbers", "numbers from 0", "numbers from 1", "numbers with zeros", "texts"] {
            for listed in [true, false] {
                let by_index = ["lattice", "mmrec", "matrices"].contains(&format) && !listed;
                if by_index && names != "row numbers" {
                    continue;
                }
                let case = format!("{format}, {names}, listed: {listed}");
                let (dir, ids) = (tempfile::tempdir().expect("a temporary directory"), ids(names));
                write(format, dir.path(), &ids, listed);
                let out = (format == "equipoise").then(|| dir.path().join("made"));
                let report = encode(dir.path(), out.clone());
                assert_eq!((report.rows, report.missing), (ITEMS, 0), "{case}");
                if format != "equipoise" {
                    belongs(&open(dir.path(), None), &case);
                }
                let made = out.unwrap_or_else(|| dir.path().to_owned()).join("text_feat.npy");
                belongs(&open(other_order(&ids).path(), Some(&made)), &format!("{case}, elsewhere"));
            }
        }
    }
}

#[test]
fn a_table_that_grew_or_was_turned_keeps_the_rows_of_its_items() {
    let (dir, ids) = (tempfile::tempdir().expect("a temporary directory"), ids("numbers from 0"));
    write("table", dir.path(), &ids, false);
    let texts = fs::read_to_string(dir.path().join("texts.jsonl")).expect("read");
    // The first item of the list lacks its text: the row that is marked missing moves with it.
    let lacking: String =
        texts.lines().filter(|l| !l.contains("\"id\":\"5\",")).map(|l| format!("{l}\n")).collect();
    put(dir.path(), "texts.jsonl", lacking);
    encode(dir.path(), None);
    let table = fs::read_to_string(dir.path().join("interactions.csv")).expect("read");
    let mut lines: Vec<&str> = table.lines().skip(1).collect();
    lines.reverse();
    put(dir.path(), "interactions.csv", format!("user,item,split\nu0,new,0\n{}\n", lines.join("\n")));
    let loaded = open(dir.path(), None);
    let (items, text) = (loaded.data.vocabulary.items(), &loaded.data.modalities[0]);
    let missing = text.missing.as_ref().expect("two lack it").items();
    let names: Vec<&str> = missing.iter().map(|&item| &items[item as usize]).collect();
    assert_eq!((items.len(), names.len()), (ITEMS + 1, 2));
    assert!(names.contains(&"new") && names.contains(&"5"), "{names:?}");
    assert!(loaded.data.notes.iter().any(|note| note.contains("1 of 25 items have no row")));
    let row = |id: &str| text.features.row(items.iter().position(|i| i == id).expect("there")).to_vec();
    let have: Vec<&str> = items.iter().filter(|id| !names.contains(id)).collect();
    for pair in have.windows(2) {
        let apart = row(pair[0]).iter().zip(row(pair[1])).any(|(a, b)| (a - b).abs() > 1e-4);
        assert_eq!(apart, kind(pair[0]) != kind(pair[1]), "{pair:?}");
    }
}

#[test]
fn ids_of_another_matrix_are_refused_and_ids_that_were_lost_are_written_again() {
    let (dir, ids) = (tempfile::tempdir().expect("a temporary directory"), ids("numbers from 0"));
    write("table", dir.path(), &ids, false);
    encode(dir.path(), None);
    let features = dir.path().join("text_feat.npy");
    let beside = row_ids_file(&features);
    let whole = fs::read(&beside).expect("written");
    let message = || load(dir.path(), &LoadOptions::default()).map(|_| ()).expect_err("refused").to_string();
    // Without their ids they could be in any order: an earlier version wrote such files.
    fs::remove_file(&beside).expect("removed");
    assert!(message().contains("earlier version"), "{}", message());
    assert!(encode(dir.path(), None).up_to_date);
    assert_eq!(fs::read(&beside).expect("written again"), whole);
    let other = Features::new(ITEMS, 3, vec![0.25; 3 * ITEMS]).expect("finite");
    write_npy(&features, &other).expect("written");
    assert!(message().contains("of another text_feat.npy"), "{}", message());
}
