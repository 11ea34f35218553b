//! From raw files to a report, by the program alone.

use crate::common;

use common::{failure, json, ok, program};
use std::fs;
use std::path::{Path, PathBuf};

/// Made-up raw files of Amazon's form in a directory of their own.
struct Raw(tempfile::TempDir);

impl Raw {
    fn new() -> Raw {
        let raw = Raw(tempfile::tempdir().expect("a temporary directory"));
        let mut command = program();
        command.args(["data", "fake-amazon", "--users", "60", "--items", "40", "--reviews", "400"]);
        command.args(["--catalogue", "50", "--images", "40", "--without-image", "8", "--out"]);
        ok(command.arg(raw.dir("raw")));
        raw
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn import(&self, out: &Path) -> assert_cmd::Command {
        let mut command = program();
        command.args(["data", "import", "amazon", "--quiet", "--reviews"]);
        command.arg(self.dir("raw/reviews_Made_Up_5.json.gz"));
        command.arg("--meta").arg(self.dir("raw/meta_Made_Up.json.gz"));
        command.arg("--image-features").arg(self.dir("raw/image_features_Made_Up.b"));
        command.arg("--out").arg(out);
        command
    }
}

#[test]
fn raw_files_become_a_data_set_a_model_and_a_report_of_what_is_missing() {
    let raw = Raw::new();
    let data = raw.dir("data");
    let report = json(raw.import(&data).args(["--format", "json", "--split", "mmrec", "--seed", "5"]));
    assert_eq!(report["kept"]["reviews"], 400);
    assert_eq!(report["images"]["items_without"], 8);
    assert_eq!(report["settings"]["split"], "mmrec");
    let check = json(program().args(["data", "check", "--format", "json"]).arg(&data));
    assert_eq!(check["modalities"][0]["marked_missing"], 8);

    let train = |out: &Path, fill: &str| {
        let mut command = program();
        command.args(["train", "--quiet", "--epochs", "1", "--set", "backbone.width=4", "--missing", fill]);
        command.args(["--format", "json", "--data"]).arg(&data).arg("--out").arg(out);
        json(&mut command)
    };
    let run = raw.dir("run");
    let metrics = train(&run, "mean");
    let presence = &metrics["presence"]["image"];
    assert_eq!((&presence["lacks"]["items"], &presence["has"]["items"]), (&8.into(), &32.into()));
    let of = |group: &str, what: &str| presence[group][what].as_u64().unwrap();
    assert!(of("lacks", "interactions") > 0 && of("has", "users") > 0);
    assert!(presence["lacks"]["metrics"]["recall@20"].is_number());
    assert!(metrics["definitions"]["presence"].as_str().unwrap().contains("lack"));
    let text = ok(program().arg("audit").arg(&run));
    assert!(text.contains("image is missing for 8 of 40 items"), "{text}");
    // The fill is part of what a model was trained on.
    let other = train(&raw.dir("zero"), "zero");
    assert_ne!(metrics["fingerprint"], other["fingerprint"]);
    assert_ne!(train(&raw.dir("near"), "neighbours")["fingerprint"], other["fingerprint"]);
    let config = fs::read_to_string(raw.dir("zero/config.toml")).unwrap();
    assert!(config.contains("missing = \"zero\""), "{config}");
    ok(program().arg("evaluate").arg(raw.dir("zero")));
}

#[test]
fn imports_say_what_is_wrong_and_what_to_do() {
    let raw = Raw::new();
    let data = raw.dir("data");
    let text = failure(raw.import(&data).args(["--shares", "0.8,0.2"]), 2);
    assert!(text.contains("expected three numbers, such as 0.8,0.1,0.1"), "{text}");
    let text = failure(raw.import(&data).args(["--core", "99"]), 2);
    assert!(text.contains("lower --core from 99"), "{text}");
    let text = failure(raw.import(&data).args(["--split", "lattise"]), 2);
    assert!(text.contains("lattice"), "{text}");
    assert!(!data.exists());
    let meta = raw.dir("raw/meta_Made_Up.json.gz");
    let whole = fs::read(&meta).unwrap();
    fs::write(&meta, &whole[..whole.len() / 2]).unwrap();
    let text = failure(&mut raw.import(&data), 2);
    assert!(text.contains("meta_Made_Up.json.gz") && text.contains("after line"), "{text}");
    assert!(!data.exists());
    fs::write(&meta, whole).unwrap();
    let text = ok(&mut raw.import(&data));
    assert!(text.contains("items without text") && text.contains("data set written to"), "{text}");
    let text = failure(&mut raw.import(&data), 2);
    assert!(text.contains("--overwrite"), "{text}");
    ok(raw.import(&data).arg("--overwrite"));
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_what_was_there() {
    let raw = Raw::new();
    let data = raw.dir("data");
    ok(&mut raw.import(&data));
    let before = fs::read(data.join("import.json")).unwrap();
    // No file may grow beyond 64 KiB: the features do not fit, as on a full disk.
    let mut limited = assert_cmd::Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "limited"]).arg(common::path());
    limited.args(["data", "import", "amazon", "--quiet", "--overwrite", "--seed", "9", "--reviews"]);
    limited.arg(raw.dir("raw/reviews_Made_Up_5.json.gz"));
    limited.arg("--image-features").arg(raw.dir("raw/image_features_Made_Up.b")).arg("--out").arg(&data);
    let text = failure(&mut limited, 1);
    assert!(text.contains("image_feat.npy"), "{text}");
    assert_eq!(fs::read(data.join("import.json")).unwrap(), before);
    let entries = fs::read_dir(raw.0.path()).unwrap().count();
    assert_eq!(entries, 2, "nothing but the raw files and the data is left");
}

#[cfg(unix)]
#[test]
fn an_import_that_is_killed_leaves_what_was_there() {
    use std::process::{Command, Stdio};
    let raw = Raw::new();
    let data = raw.dir("data");
    ok(&mut raw.import(&data));
    let before = fs::read(data.join("import.json")).unwrap();
    // The reviews come through a pipe that never ends, so that the import is surely under way.
    let pipe = raw.dir("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut import = Command::new(common::path());
    import.args(["data", "import", "amazon", "--quiet", "--overwrite", "--reviews"]).arg(&pipe);
    let mut child =
        import.arg("--out").arg(&data).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    use std::io::Write;
    writer.write_all(b"{\"reviewerID\": \"A1\", \"asin\": \"B000000001\"}\n").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read(data.join("import.json")).unwrap(), before);
    ok(program().args(["data", "check"]).arg(&data));
    ok(raw.import(&data).args(["--overwrite", "--seed", "8"]));
    assert_ne!(fs::read(data.join("import.json")).unwrap(), before);
}
