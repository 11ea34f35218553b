//! From pictures to features to a model, by the program alone.

use crate::common;

use common::{failure, imported, json, ok, one_epoch, program};
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden").join(name)
}

/// An import of made-up files without image features, and pictures of its first 30 items, one of them cut off.
fn shop() -> tempfile::TempDir {
    let dir = imported();
    let (data, photos) = (dir.path().join("data"), dir.path().join("photos"));
    fs::create_dir(&photos).expect("made");
    let texts = fs::read_to_string(data.join("texts.jsonl")).expect("written by the import");
    let sources = ["rgb.png", "rgba.png", "half_colour.jpg", "progressive.jpg", "lossy.webp"];
    for (n, line) in texts.lines().take(30).enumerate() {
        let text: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let (source, id) = (sources[n % 5], text["id"].as_str().expect("an id"));
        let ending = source.rsplit('.').next().expect("an ending");
        let mut bytes = fs::read(golden("pictures").join(source)).expect("read");
        bytes.truncate(if n == 3 { bytes.len() / 2 } else { bytes.len() });
        fs::write(photos.join(format!("{id}.{ending}")), bytes).expect("written");
    }
    dir
}

fn features(dir: &Path) -> assert_cmd::Command {
    let mut command = of_pictures(dir);
    command.arg("--model").arg(golden("tiny-clip"));
    command
}

fn of_pictures(dir: &Path) -> assert_cmd::Command {
    let mut command = program();
    command.args(["features", "image", "--quiet", "--data"]).arg(dir.join("data"));
    command.arg("--images").arg(dir.join("photos"));
    command
}

#[test]
fn pictures_become_features_that_a_model_is_trained_on() {
    let dir = shop();
    let said = ok(&mut features(dir.path()));
    assert!(said.contains("40 rows of 16 columns") && said.contains("JPEG cut off"), "{said}");
    assert!(ok(&mut features(dir.path())).contains("up to date"));
    let report = json(features(dir.path()).args(["--name", "photo", "--normalise", "--format", "json"]));
    assert_eq!((&report["rows"], &report["normalised"]), (&40.into(), &true.into()));
    assert_eq!(report["broken"].as_array().map(Vec::len), Some(1));
    let said = ok(of_pictures(dir.path()).args(["--name", "plain", "--model", "builtin"]));
    assert!(said.contains("40 rows of 240 columns from builtin (colours, layout and edges)"), "{said}");
    let check = json(program().args(["data", "check", "--format", "json"]).arg(dir.path().join("data")));
    assert_eq!(check["modalities"][0]["marked_missing"], report["missing"]);

    let metrics = one_epoch(&dir.path().join("data"), &dir.path().join("run"));
    assert!(metrics["presence"]["photo"]["lacks"]["items"].as_u64() >= Some(11), "{metrics}");
}

#[test]
fn what_cannot_be_used_ends_with_code_2_and_one_sentence() {
    let dir = shop();
    let message = failure(features(dir.path()).args(["--pooling", "mean"]), 2);
    assert!(message.contains("pooling = mean: expected model or cls"), "{message}");
    fs::remove_dir_all(dir.path().join("photos")).expect("removed");
    fs::create_dir(dir.path().join("photos")).expect("made");
    let message = failure(&mut features(dir.path()), 2);
    assert!(message.contains("no .jpg, .jpeg, .jpe, .jfif, .png, .webp or .gif"), "{message}");
}
