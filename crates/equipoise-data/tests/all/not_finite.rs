//! Features that are no numbers are refused when a data set is loaded, in whatever layout: nothing behind the loader
//! meets them.
#![cfg(feature = "parquet")]

use std::fs;
use std::path::{Path, PathBuf};

use equipoise_data::formats::{
    GatheredSplit, NativeContents, NativeModality, formats, matrix_header, write_native, write_npy,
};
use equipoise_data::{Features, LoadOptions, Vocabulary, check, f16, load};

fn put(dir: &Path, name: &str, text: impl AsRef<[u8]>) {
    let file = dir.join(name);
    fs::create_dir_all(file.parent().expect("inside")).expect("create");
    fs::write(file, text).expect("write");
}

/// Writes a data set of 4 users and 5 items in the layout called `name`; returns where its features lie.
fn data_set(name: &str, dir: &Path) -> PathBuf {
    let features = Features::new(5, 2, (0..10u8).map(f32::from).collect()).expect("finite");
    match name {
        "lattice" => {
            for (split, text) in
                [("train", r#"{"0": [0, 1]}"#), ("val", r#"{"0": [2]}"#), ("test", r#"{"0": [3]}"#)]
            {
                put(dir, &format!("5-core/{split}.json"), text);
            }
        }
        "mmrec" => put(dir, "d.inter", "userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n0\t2\t2\n"),
        "recbole" => {
            put(dir, "d.item", "item_id:token\na\nb\nc\nd\ne\n");
            for (split, item) in [("train", "a"), ("valid", "b"), ("test", "c")] {
                put(dir, &format!("d.{split}.inter"), format!("user_id:token\titem_id:token\nu\t{item}\n"));
            }
        }
        "table" => {
            put(dir, "item_list.txt", "a\t0\nb\t1\nc\t2\nd\t3\ne\t4\n");
            put(dir, "interactions.csv", "user,item,split\nu,a,train\nu,b,val\nu,c,test\n");
        }
        "matrices" => {
            let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/csr.npz");
            for split in ["trnMat", "valMat", "tstMat"] {
                fs::copy(&fixture, dir.join(format!("{split}.npz"))).expect("copy");
            }
        }
        "equipoise" => {
            let ids = |n: u32| (0..n).map(|i| i.to_string()).collect();
            let vocabulary = Vocabulary::new(ids(1), ids(5)).expect("distinct");
            let split = |item| GatheredSplit::new("split".into(), vec![(0, item)], Vec::new());
            let splits = [0, 1, 2].map(split);
            let modality =
                NativeModality { name: "text", features: &features, provenance: "", scale: "none" };
            let contents = NativeContents {
                name: "d",
                source: "test",
                vocabulary: &vocabulary,
                splits: splits.each_ref(),
                categories: None,
                modalities: vec![modality],
                fingerprint: &"0".repeat(64),
            };
            write_native(dir, &contents).expect("write");
            return dir.join("features/text.npy");
        }
        other => panic!("the layout {other} is new: write a data set of it here"),
    }
    let file = dir.join("text_feat.npy");
    write_npy(&file, &features).expect("write");
    file
}

/// A matrix whose row 3 has `value` in column 1.
fn with(value: f32, descr: &str) -> Vec<u8> {
    let values = (0..10u8).map(|k| if k == 7 { value } else { f32::from(k) });
    let bytes = values.flat_map(|v| match descr {
        "<f2" => f16::from_f32(v).to_le_bytes().to_vec(),
        "<f4" => v.to_le_bytes().to_vec(),
        _ => f64::from(v).to_le_bytes().to_vec(),
    });
    matrix_header(descr, 5, 2).into_iter().chain(bytes).collect()
}

#[test]
fn every_layout_refuses_them_with_file_row_and_column() {
    for format in formats() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = data_set(format.name(), dir.path());
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for descr in ["<f2", "<f4", "<f8"] {
                fs::write(&file, with(value, descr)).expect("write");
                let error = load(dir.path(), &LoadOptions::default()).expect_err("not finite");
                let message = error.to_string();
                for part in ["text", "row 3", "column 1"] {
                    assert!(message.contains(part), "{} {descr}: {message}", format.name());
                }
                assert!(!check(dir.path(), &LoadOptions::default()).faults.is_empty(), "{}", format.name());
            }
        }
        // The same file with a number instead is no such fault.
        fs::write(&file, with(0.5, "<f4")).expect("write");
        if let Err(error) = load(dir.path(), &LoadOptions::default()) {
            assert!(!error.to_string().contains("row 3"), "{}: {error}", format.name());
        }
    }
}

#[test]
fn a_mapped_safetensors_file_is_looked_at_too() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    data_set("equipoise", dir.path());
    let manifest = fs::read_to_string(dir.path().join("manifest.toml")).expect("read");
    put(dir.path(), "manifest.toml", manifest.replace("text.npy", "text.safetensors"));
    let bytes: Vec<u8> = (0..10).flat_map(|k| if k == 7 { f32::NAN } else { 1.0 }.to_le_bytes()).collect();
    let tensor =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![5, 2], &bytes).expect("fits");
    let file = dir.path().join("features/text.safetensors");
    fs::write(file, safetensors::serialize([("text", tensor)], None).expect("memory")).expect("write");
    let message = load(dir.path(), &LoadOptions::default()).expect_err("not finite").to_string();
    assert!(message.contains("row 3, column 1"), "{message}");
}
