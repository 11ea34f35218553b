//! From raw files to features of texts to a model, by the program alone.

use crate::common;

use common::{failure, imported, json, ok, one_epoch, program};
use std::path::{Path, PathBuf};

fn features(data: &Path, model: &str) -> assert_cmd::Command {
    let mut command = program();
    command.args(["features", "text", "--quiet", "--model", model, "--data"]).arg(data);
    command
}

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden/encoders").join(name)
}

#[test]
fn an_import_gets_features_of_its_texts_and_is_trained_on() {
    let dir = imported();
    let data = dir.path().join("data");
    let report = json(features(&data, "builtin").args(["--dims", "8", "--format", "json"]));
    assert_eq!((&report["rows"], &report["width"]), (&40.into(), &8.into()));
    let again = ok(features(&data, "builtin").args(["--dims", "8"]));
    assert!(again.contains("up to date"), "{again}");
    let model = tiny("bert").display().to_string();
    let report = json(features(&data, &model).args(["--name", "words", "--format", "json"]));
    assert_eq!(
        (&report["rows"], &report["width"], &report["normalised"]),
        (&40.into(), &32.into(), &true.into())
    );

    let check = json(program().args(["data", "check", "--format", "json"]).arg(&data));
    let names: Vec<_> =
        check["modalities"].as_array().expect("a list").iter().map(|m| m["name"].clone()).collect();
    assert_eq!(names, ["text", "words"]);
    one_epoch(&data, &dir.path().join("run"));
}

#[test]
fn what_cannot_be_used_ends_with_code_2_and_one_sentence() {
    let dir = imported();
    let data = dir.path().join("data");
    let message = failure(&mut features(&data, "org/no-such-model"), 2);
    assert!(message.contains("org/no-such-model") && message.contains("hf download"), "{message}");
    let message = failure(features(&data, "builtin").args(["--max-length", "9"]), 2);
    assert!(message.contains("max_length = 9"), "{message}");
    ok(features(&data, "builtin").args(["--dims", "4"]));
    let message = failure(features(&data, "builtin").args(["--dims", "5"]), 2);
    assert!(message.contains("--overwrite"), "{message}");
}
