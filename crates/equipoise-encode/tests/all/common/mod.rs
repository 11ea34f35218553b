//! Small data sets without features, and the tiny models of `reference/golden/encoders`.

use std::path::{Path, PathBuf};

use equipoise_data::Features;
use equipoise_data::formats::read_npy;
use equipoise_encode::TextRequest;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Folder of a tiny model.
pub fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden/encoders").join(name)
}

/// A JSON file of the golden values.
pub fn golden(name: &str) -> Value {
    let text = std::fs::read(model(name)).expect("golden values are there");
    serde_json::from_slice(&text).expect("golden values are JSON")
}

/// A data set whose item `n` is called `item<n>` and has text `n`, if there is one.
pub fn data(texts: &[Option<String>]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).expect("written");
    let items: Vec<usize> = (0..texts.len()).collect();
    write("train.json", json!({ "0": items }).to_string());
    write("val.json", json!({ "0": [] }).to_string());
    write("test.json", json!({ "0": [] }).to_string());
    write("item_list.txt", items.iter().map(|n| format!("item{n}\t{n}\n")).collect());
    let line = |(n, text): (usize, &Option<String>)| {
        text.as_ref().map(|text| format!("{}\n", json!({ "id": format!("item{n}"), "text": text })))
    };
    // Backwards: rows are joined by id, not by place.
    write("texts.jsonl", texts.iter().enumerate().rev().filter_map(line).collect());
    dir
}

/// A request for features of this data from this model.
pub fn request(data: &TempDir, model: &Path) -> TextRequest {
    TextRequest { data: data.path().to_owned(), model: model.display().to_string(), ..TextRequest::default() }
}

/// The features that were written.
pub fn features(data: &TempDir) -> Features {
    read_npy(&data.path().join("text_feat.npy")).expect("features were written").0
}

/// Many texts of different lengths, some of them odd.
pub fn texts(count: usize) -> Vec<Option<String>> {
    let words =
        ["blue", "towel", "Soft", "blanket,", "40", "wooden-toy", "<b>", "ﬁne", "日本", "🙂", "(grey)"];
    let text = |n: usize| {
        let length = 1 + n * 7 % 13;
        (0..length).map(|k| words[(n * 5 + k * k) % words.len()]).collect::<Vec<_>>().join(" ")
    };
    (0..count).map(|n| (n % 9 != 4).then(|| text(n))).collect()
}

/// The rows of the features of this name in a folder.
pub fn rows(dir: &Path, name: &str) -> Vec<Vec<f32>> {
    let features = read_npy(&dir.join(format!("{name}_feat.npy"))).expect("written").0;
    (0..features.rows()).map(|item| features.row(item).to_vec()).collect()
}

/// Largest difference of two rows.
pub fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
