//! Other people's files as a user brings them: converted, checked, trained on.

use crate::common;

use common::{Demo, failure, json, ok, program};
use std::fs;
use std::path::Path;

/// A table of 30 users with titles' features by raw id, as `.npz` without compression would be too much to write by
/// hand: one `.npy` per item instead.
fn table(dir: &Path) {
    let rows: String = (0..30)
        .flat_map(|u| {
            (0..6)
                .map(move |k| format!("u{u},i{},{},{}\n", (u * 7 + k * 5) % 20, 1 + (u + k) % 5, 100 * k + u))
        })
        .collect();
    fs::create_dir_all(dir.join("text")).unwrap();
    fs::write(dir.join("ratings.csv"), format!("user_id,item_id,rating,timestamp\n{rows}")).unwrap();
    for item in 0..20u8 {
        let mut bytes =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".to_vec();
        bytes.resize(127, b' ');
        bytes.push(b'\n');
        bytes.extend([f32::from(item), 1.0].iter().flat_map(|v| v.to_le_bytes()));
        fs::write(dir.join(format!("text/i{item}.npy")), bytes).unwrap();
    }
}

#[test]
fn a_csv_with_a_folder_of_features_becomes_a_trained_model() {
    let demo = Demo::new();
    let (raw, own) = (demo.dir("raw"), demo.dir("own"));
    table(&raw);
    let source = format!("text={}", raw.join("text").display());
    let convert = || {
        let mut command = program();
        command.args([
            "data",
            "convert",
            "--to",
            "equipoise",
            "--min-rating",
            "2",
            "--split",
            "leave-one-out",
        ]);
        command.args(["--features", &source]).arg(raw.join("ratings.csv")).arg("--out").arg(&own);
        command
    };
    let said = json(convert().args(["--format", "json"]));
    assert_eq!(
        (&said["from_layout"], &said["layout"], &said["users"]),
        (&"table".into(), &"equipoise".into(), &30.into())
    );
    let notes = said["notes"].to_string();
    assert!(notes.contains("rated below 2"), "{notes}");
    let error = failure(&mut convert(), 2);
    assert!(error.contains("--overwrite"), "{error}");
    let output = convert().arg("--overwrite").output().expect("the program starts");
    let [text, notes] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(text.contains("30 users") && text.contains("left out (rated below 2)"), "{text}");
    assert_eq!(notes.matches("rated below 2").count(), 1, "said once: {notes}");
    ok(program().args(["data", "check"]).arg(&own));

    let run = demo.dir("run");
    let mut train = program();
    train.args([
        "train",
        "--quiet",
        "--epochs",
        "1",
        "--set",
        "backbone.width=4",
        "--set",
        "train.metric=recall@5",
        "--set",
        "data.scale=pca:1",
    ]);
    ok(train.arg("--data").arg(&own).arg("--out").arg(&run));
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("scale = \"pca:1\""), "{config}");
    // The same data at the same scale: the run knows it by its fingerprint.
    ok(program().args(["evaluate", "--quiet"]).arg(&run));
}

#[test]
fn a_run_on_converted_data_is_the_run_on_the_original() {
    let demo = Demo::new();
    let own = demo.dir("own");
    ok(program().args(["data", "convert", "--to", "equipoise"]).arg(demo.data()).arg("--out").arg(&own));
    let (one, two) = (demo.dir("one"), demo.dir("two"));
    ok(&mut demo.train(&one));
    let mut command = program();
    command.args(["train", "--quiet", "--epochs", "3", "--lr", "0.005", "--set", "backbone.width=8"]);
    command.args(["--set", "train.batch_size=64"]).arg("--data").arg(&own).arg("--out").arg(&two);
    ok(&mut command);
    let metrics = |run: &Path| {
        let text = fs::read_to_string(run.join("metrics.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["test"].clone()
    };
    assert_eq!(metrics(&one), metrics(&two));
}

#[test]
fn flags_that_mean_nothing_are_bad_input() {
    let demo = Demo::new();
    let convert = |flags: &[&str]| {
        let mut command = program();
        command.args(["data", "convert"]).args(flags).arg(demo.data()).arg("--out").arg(demo.dir("out"));
        failure(&mut command, 2)
    };
    assert!(convert(&["--to", "csv"]).contains("possible values"));
    assert!(convert(&["--to", "mmrec", "--scale", "pca:0"]).contains("pca:256"));
    assert!(convert(&["--to", "mmrec", "--features", "image"]).contains("NAME=PATH"));
    assert!(convert(&["--to", "mmrec", "--min-rating", "nan"]).contains("finite"));
    assert!(!demo.dir("out").exists());
}
