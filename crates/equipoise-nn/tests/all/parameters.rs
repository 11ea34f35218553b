//! Parameter files: a round trip, and refusals that name the file and the tensor and change nothing.

use equipoise_nn::{Group, ParameterError, Parameters};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn parameters(tables: &[(&str, [usize; 2])], offset: f32) -> Parameters {
    let mut p = Parameters::new(&equipoise_nn::device("cpu").unwrap());
    for (name, [rows, columns]) in tables {
        let values = (0..rows * columns).map(|k| offset + k as f32 / 3.0).collect();
        p.add(name, Group::Modality("text".into()), [*rows, *columns], values);
    }
    p
}

fn saved(dir: &Path, p: &Parameters) -> PathBuf {
    let path = dir.join("model.safetensors");
    std::fs::write(&path, p.to_safetensors(&BTreeMap::new()).unwrap()).unwrap();
    path
}

/// Loads a bad file into a model of `user.id [3, 2]` and `bias [1, 4]`; nothing may change.
fn refused(path: &Path) -> ParameterError {
    let mut p = parameters(&[("user.id", [3, 2]), ("bias", [1, 4])], 100.0);
    let before = p.snapshot();
    let error = p.load_safetensors(path).unwrap_err();
    assert_eq!(p.snapshot(), before, "a refused file changes nothing");
    assert!(error.to_string().contains(&path.display().to_string()), "names the file: {error}");
    error
}

#[test]
fn a_file_gives_back_the_bits_that_were_saved() {
    let dir = tempfile::tempdir().unwrap();
    let tables = [("user.id", [3, 2]), ("bias", [1, 4])];
    let original = parameters(&tables, -1.0);
    let path = saved(dir.path(), &original);
    let mut copy = parameters(&tables, 7.0);
    assert_ne!(copy.snapshot(), original.snapshot());
    copy.load_safetensors(&path).unwrap();
    assert_eq!(copy.snapshot(), original.snapshot());
    assert_eq!(copy.count(), 10);
}

#[test]
fn no_table_at_all_is_a_file_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let mut none = parameters(&[], 0.0);
    let path = saved(dir.path(), &none);
    none.load_safetensors(&path).unwrap();
    assert!(none.is_empty());
}

#[test]
fn another_shape_is_refused_with_both_shapes() {
    let dir = tempfile::tempdir().unwrap();
    let path = saved(dir.path(), &parameters(&[("user.id", [3, 2]), ("bias", [1, 5])], 0.0));
    let text = refused(&path).to_string();
    assert!(text.contains("`bias`") && text.contains("[1, 4]") && text.contains("[1, 5]"), "{text}");
}

#[test]
fn a_missing_tensor_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = saved(dir.path(), &parameters(&[("user.id", [3, 2])], 0.0));
    let text = refused(&path).to_string();
    assert!(text.contains("`bias`") && text.contains("no such tensor"), "{text}");
}

#[test]
fn garbage_and_every_truncation_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("garbage.safetensors");
    std::fs::write(&path, b"these are not tables").unwrap();
    refused(&path);
    refused(&dir.path().join("absent.safetensors"));
    let whole =
        parameters(&[("user.id", [3, 2]), ("bias", [1, 4])], 0.0).to_safetensors(&BTreeMap::new()).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path);
    }
}

#[test]
fn a_snapshot_is_a_copy_that_later_changes_do_not_reach() {
    let mut p = parameters(&[("x", [2, 2])], 0.0);
    let (before, snapshot) = (p.read("x"), p.snapshot());
    p.write("x", vec![9.0; 4]);
    p.restore(&snapshot);
    assert_eq!(p.read("x"), before);
}

#[test]
fn equal_models_give_equal_files_whose_metadata_is_sorted() {
    let entries = ["version", "what", "data", "format", "made \"by\"", "é"];
    let metadata: BTreeMap<String, String> = entries.map(|k| (k.to_owned(), format!("of {k}"))).into();
    let p = parameters(&[("user.id", [3, 2]), ("bias", [1, 4])], 0.5);
    let file = p.to_safetensors(&metadata).unwrap();
    for _ in 0..8 {
        assert!(p.to_safetensors(&metadata).unwrap() == file);
    }
    let (_, header) = safetensors::SafeTensors::read_metadata(&file).unwrap();
    let found: BTreeMap<String, String> = header.metadata().clone().unwrap().into_iter().collect();
    assert_eq!(found, metadata);
    let text = String::from_utf8_lossy(&file[8..]);
    let places: Vec<usize> = metadata.values().map(|v| text.find(&v.replace('"', "\\\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let tables = safetensors::SafeTensors::deserialize(&file).unwrap();
    assert_eq!(tables.tensor("bias").unwrap().shape(), [1, 4]);
}
