//! `equipoise task` as a scheduler meets it: exit codes, one process at a time, and the same bytes after a kill.

use crate::common;

use common::{Demo, failure, json, ok, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A CKD run, whose teachers are trained first: long enough to be killed on the way.
fn specification(demo: &Demo, dir: &str, epochs: usize) -> PathBuf {
    let file = demo.dir(&format!("{dir}.toml"));
    let text = format!(
        "kind = \"train\"\ndir = {dir:?}\n[config]\nseed = 3\ndata.path = {:?}\nbackbone.width = 8\n\
         train.epochs = {epochs}\ntrain.patience = {epochs}\ntrain.batch_size = 64\n\
         balance = {{ name = \"ckd\", ckd = {{ generic_triples = 50 }} }}\n",
        demo.data()
    );
    fs::write(&file, text).unwrap();
    file
}

fn task(spec: &Path) -> assert_cmd::Command {
    let mut command = program();
    command.args(["task", "--quiet", "--threads", "1"]).arg(spec);
    command
}

fn start(spec: &Path) -> Child {
    let mut command = Command::new(common::path());
    command.args(["task", "--quiet", "--threads", "1"]).arg(spec);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until a path is there.
fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The parameters of a model without the header, whose metadata have no order.
fn parameters(dir: &Path) -> Vec<u8> {
    let bytes = fs::read(dir.join("model.safetensors")).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

/// The metrics without the seconds.
fn metrics(dir: &Path) -> serde_json::Value {
    let mut report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("metrics.json")).unwrap()).unwrap();
    report["seconds"] = 0.into();
    report
}

#[test]
fn a_killed_task_is_taken_up_by_the_same_command_and_ends_with_the_same_bytes() {
    let demo = Demo::new();
    let (whole, killed) = (specification(&demo, "whole", 12), specification(&demo, "killed", 12));
    let told = json(task(&whole).args(["--format", "json"]));
    assert!(told["finished"]["validation"].is_number(), "{told}");

    let dir = demo.dir("killed");
    for mark in ["teachers/text/config.toml", "teachers/audio/config.toml"] {
        let mut child = start(&killed);
        wait_for(&dir.join(mark));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        assert!(!dir.join("finished.json").exists(), "it was killed before its end");
    }
    ok(&mut task(&killed));
    assert_eq!(parameters(&dir), parameters(&demo.dir("whole")));
    assert_eq!(metrics(&dir), metrics(&demo.dir("whole")));

    // What is finished is not done again.
    let written = || fs::metadata(dir.join("model.safetensors")).unwrap().modified().unwrap();
    let before = written();
    ok(&mut task(&killed));
    assert_eq!(written(), before);
    // Other settings are another unit, which does not take the place of the first.
    let error = failure(&mut task(&specification(&demo, "killed", 3)), 1);
    assert!(error.contains("a unit of other settings, inputs or another version lies here"), "{error}");
    assert_eq!(metrics(&dir), metrics(&demo.dir("whole")));
}

#[test]
fn of_two_at_once_the_second_says_who_works_and_asks_for_another_attempt() {
    let demo = Demo::new();
    let spec = specification(&demo, "run", 400);
    let mut first = start(&spec);
    wait_for(&demo.dir("run/unit.json"));
    let error = failure(&mut task(&spec), 75);
    assert!(
        error.contains(&format!("process {} ", first.id())) && error.contains("is at work here"),
        "{error}"
    );
    let error = failure(task(&spec).args(["--wait", "1"]), 75);
    assert!(error.contains("is at work here"), "{error}");
    // A scheduler that ends a task politely gets the same answer.
    #[cfg(unix)]
    {
        assert!(Command::new("kill").args(["-TERM", &first.id().to_string()]).status().unwrap().success());
        assert_eq!(first.wait().unwrap().code(), Some(75));
        assert!(!demo.dir("run/finished.json").exists());
    }
    let _ = first.kill();
    let _ = first.wait();
}

#[test]
fn a_task_that_fails_by_itself_says_so_for_good() {
    let demo = Demo::new();
    let spec = specification(&demo, "run", 3);
    let text = fs::read_to_string(&spec).unwrap();
    fs::write(&spec, text.replace("seed = 3\n", "seed = 3\ntrain.lr = 1e30\n")).unwrap();
    let error = failure(&mut task(&spec), 1);
    assert!(error.contains("the loss became") || error.contains("not finite"), "{error}");
    let failed = fs::read_to_string(demo.dir("run/failed.json")).unwrap();
    assert!(failed.contains("the loss became") || failed.contains("not finite"), "{failed}");
    let error = failure(&mut task(&demo.dir("nothing.toml")), 2);
    assert!(error.contains("nothing.toml"), "{error}");
    fs::write(&spec, text.replace("dir = \"run\"", "inputs = \"0123\"\ndir = \"other\"")).unwrap();
    let error = failure(&mut task(&spec), 1);
    assert!(error.contains("inputs = \"0123\"") && error.contains("has fingerprint"), "{error}");
}

#[test]
fn teachers_points_and_encodings_are_tasks_too() {
    let demo = Demo::new();
    let run = format!(
        "[config]\ndata.path = {:?}\nbackbone.width = 8\ntrain.epochs = 2\ntrain.batch_size = 64\nbalance.name = \"ckd\"\n",
        demo.data()
    );
    fs::write(demo.data().join("texts.jsonl"), texts()).unwrap();
    let encoding =
        format!("[config]\ndata = {:?}\nmodel = \"builtin\"\nname = \"words\"\ndims = 4\n", demo.data());
    fs::create_dir(demo.dir("sounds")).unwrap();
    (0..80).for_each(|i| {
        let sound = common::tone(200.0 + 10.0 * f64::from(i));
        fs::write(demo.dir("sounds").join(format!("item-{i:04}.wav")), sound).unwrap();
    });
    let hearing = format!("[config]\ndata = {:?}\naudio = {:?}\n", demo.data(), demo.dir("sounds"));
    for (kind, config, left) in [
        ("teachers", &run, "teachers/text/metrics.json"),
        ("search", &run, "events.jsonl"),
        ("encode-text", &encoding, "words_feat.npy"),
        ("encode-audio", &hearing, "audio_feat.npy"),
    ] {
        let spec = demo.dir(kind).join("task.toml");
        fs::create_dir_all(demo.dir(kind)).unwrap();
        fs::write(&spec, format!("kind = {kind:?}\n{config}")).unwrap();
        let told = json(task(&spec).args(["--format", "json"]));
        assert_eq!(told["finished"]["kind"], kind);
        assert_eq!(told["finished"]["validation"].is_number(), kind == "search", "{told}");
        assert!(
            demo.dir(kind).join(left).exists() && demo.dir(kind).join("finished.json").exists(),
            "{kind}"
        );
        assert!(!demo.dir(kind).join("per_user.parquet").exists(), "nothing is measured on test");
    }
}

/// A text for each item of the demo.
fn texts() -> String {
    (0..80)
        .map(|i| format!("{{\"id\": \"item-{i:04}\", \"text\": \"word{} word{}\"}}\n", i % 7, i % 5))
        .collect()
}
