//! Files of earlier versions are read as ever: each folder of `old/` holds what the program of that day wrote.

use crate::common;

use common::{json, ok, program};
use std::path::{Path, PathBuf};

fn versions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    found.sort();
    assert!(found.len() >= 2, "{found:?}");
    found
}

/// A copy that may be written to.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("room");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            std::fs::copy(&path, &copied).expect("room");
        }
    }
}

/// Calls `act` with a copy of each version's folder.
fn each(act: impl Fn(&Path, &str)) {
    for version in versions() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        copy(&version, dir.path());
        act(dir.path(), &version.file_name().expect("a folder").to_string_lossy());
    }
}

fn stored(dir: &Path, name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(dir.join(name)).expect("it is there");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn runs_are_evaluated_to_the_same_digits() {
    each(|dir, version| {
        let evaluate = |data: &str| {
            let mut command = program();
            command.args(["evaluate", "run", "--data", data, "--format", "json"]).current_dir(dir);
            json(&mut command)
        };
        let (now, then) = (evaluate("demo"), stored(dir, "evaluate.json"));
        assert!(then["metrics"]["recall@5"].is_number(), "{then}");
        assert_eq!(now["metrics"], then["metrics"], "{version}");
        assert_eq!(now["evaluated_users"], then["evaluated_users"], "{version}");
    });
}

#[test]
fn runs_are_audited_compared_and_recommend() {
    each(|dir, version| {
        let call = |args: &[&str]| ok(program().args(args).current_dir(dir));
        assert!(call(&["audit", "run"]).contains("image"), "{version}");
        assert!(call(&["compare", "run", "run/teachers/text"]).contains("recall@5"), "{version}");
        let ids = std::fs::read_to_string(dir.join("run/vocabulary.json")).expect("it is there");
        let ids: serde_json::Value = serde_json::from_str(&ids).expect("JSON");
        let user = ids["users"][0].as_str().expect("ids are texts").to_owned();
        let lists = call(&["recommend", "run", "--user", &user, "--n", "3", "--format", "json"]);
        let lists: serde_json::Value = serde_json::from_str(&lists).expect("JSON");
        assert_eq!(lists["lists"][0]["items"].as_array().map(Vec::len), Some(3), "{version}: {lists}");
    });
}

/// Teachers are trained models themselves: a run of the same settings takes them.
#[test]
fn teachers_are_used_again() {
    each(|dir, version| {
        let before = std::fs::read(dir.join("run/teachers/text/model.safetensors")).expect("it is there");
        let mut command = program();
        command.args([
            "train",
            "--quiet",
            "--data",
            "demo",
            "--balance",
            "ckd",
            "--teachers",
            "run/teachers",
        ]);
        for set in ["backbone.width=4", "train.epochs=4", "train.eval_every=2", "train.metric=recall@5"] {
            command.args(["--set", set]);
        }
        command.args(["--set", "eval.ks=[5]", "--out", "again"]).current_dir(dir);
        ok(&mut command);
        let after = std::fs::read(dir.join("run/teachers/text/model.safetensors")).expect("it is there");
        assert_eq!(before, after, "{version}");
        let events = std::fs::read_to_string(dir.join("again/events.jsonl")).expect("it is there");
        let started = events.lines().filter(|line| line.contains(r#""event":"started""#)).count();
        assert_eq!(started, 1, "{version}: only the model itself is trained\n{events}");
    });
}

#[test]
fn data_sets_are_read_as_they_were() {
    each(|dir, version| {
        let mut command = program();
        command.args(["data", "check", "native", "--format", "json"]).current_dir(dir);
        let (now, then) = (json(&mut command), stored(dir, "check.json"));
        for key in ["users", "items", "interactions", "splits", "sparsity"] {
            assert!(!then[key].is_null() && now[key] == then[key], "{version}: {key}");
        }
        for (now, then) in now["modalities"].as_array().iter().zip(then["modalities"].as_array()) {
            assert_eq!(now.len(), then.len(), "{version}");
        }
    });
}

#[test]
fn searches_are_taken_up() {
    each(|dir, version| {
        let best = std::fs::read_to_string(dir.join("sweep/best.toml")).expect("it is there");
        let mut command = program();
        command.args(["sweep", "sweep.toml", "--data", "demo", "--out", "sweep", "--format", "json"]);
        let output = command.current_dir(dir).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{version}: {said}");
        let now = std::fs::read_to_string(dir.join("sweep/best.toml")).expect("it is there");
        assert_eq!(best, now, "{version}");
    });
}
