//! What the tests of the program share.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// The program under test.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_equipoise"))
}

/// A call of it.
pub fn program() -> Command {
    Command::new(path())
}

/// Runs a call that must succeed; its stdout.
pub fn ok(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {error}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Runs a call that must succeed and print one JSON document.
pub fn json(command: &mut Command) -> serde_json::Value {
    let text = ok(command);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Runs a call that must end with `code`; its stderr, which must not show a panic.
pub fn failure(command: &mut Command, code: i32) -> String {
    let output = command.output().expect("the program starts");
    let error = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    error
}

/// Trains one epoch on the data set into `out`; the run's metrics.
pub fn one_epoch(data: &Path, out: &Path) -> serde_json::Value {
    let mut command = program();
    command.args([
        "train",
        "--quiet",
        "--epochs",
        "1",
        "--set",
        "backbone.width=4",
        "--format",
        "json",
        "--data",
    ]);
    let metrics = json(command.arg(data).arg("--out").arg(out));
    assert!(metrics["test"]["recall@20"].is_number(), "{metrics}");
    metrics
}

/// A small demo data set in a directory of its own.
pub struct Demo(tempfile::TempDir);

impl Demo {
    /// Writes it.
    pub fn new() -> Demo {
        let demo = Demo(tempfile::tempdir().expect("a temporary directory"));
        let mut command = program();
        command.args(["data", "generate", "demo", "--users", "120", "--items", "80", "--out"]);
        ok(command.arg(demo.data()));
        demo
    }

    /// The data.
    pub fn data(&self) -> PathBuf {
        self.dir("data")
    }

    /// Names of its modalities, in order.
    pub fn modalities(&self) -> Vec<String> {
        let loaded = equipoise_data::load(&self.data(), &equipoise_data::LoadOptions::default());
        loaded.expect("the demo can be read").data.modalities.into_iter().map(|m| m.name).collect()
    }

    /// A path beside it.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Multiplies the features of a modality.
    pub fn louder(&self, modality: &str, factor: f32) {
        let path = self.data().join(format!("{modality}_feat.npy"));
        let mut bytes = std::fs::read(&path).expect("features");
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        for value in bytes[start..].as_chunks_mut::<4>().0 {
            *value = (f32::from_le_bytes(*value) * factor).to_le_bytes();
        }
        std::fs::write(&path, bytes).expect("written");
        // Which row is which item's is bound to the features by their hash.
        std::fs::remove_file(self.data().join(format!("{modality}_feat_ids.json"))).expect("ids of the rows");
    }

    /// A short training into `out`.
    pub fn train(&self, out: &Path) -> Command {
        let mut command = program();
        command.args(["train", "--quiet", "--epochs", "3", "--lr", "0.005"]);
        command.args(["--set", "backbone.width=8", "--set", "train.batch_size=64", "--data"]);
        command.arg(self.data()).arg("--out").arg(out);
        command
    }
}

/// Writes made-up raw files in the formats of Amazon, with so many records of images, and items that have none.
pub fn raw_files(dir: &Path, images: u32, without: u32) {
    let mut command = program();
    command.args([
        "data",
        "fake-amazon",
        "--users",
        "60",
        "--items",
        "40",
        "--reviews",
        "400",
        "--catalogue",
        "50",
    ]);
    command.args(["--without-image", &without.to_string(), "--images", &images.to_string(), "--out"]);
    ok(command.arg(dir));
}

/// A directory with `raw`, and `data`, an import of it without image features.
pub fn imported() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let raw = dir.path().join("raw");
    raw_files(&raw, 0, 0);
    let mut command = program();
    command
        .args(["data", "import", "amazon", "--quiet", "--reviews"])
        .arg(raw.join("reviews_Made_Up_5.json.gz"));
    command.arg("--meta").arg(raw.join("meta_Made_Up.json.gz"));
    ok(command.arg("--out").arg(dir.path().join("data")));
    dir
}

/// A run of the demo data.
pub struct Trained {
    pub demo: Demo,
    pub run: PathBuf,
}

impl Trained {
    pub fn new() -> Trained {
        let demo = Demo::new();
        let run = demo.dir("run");
        one_epoch(&demo.data(), &run);
        Trained { demo, run }
    }
}

/// A program that starts tasks as a queue of jobs does: it notes each, and gives what it is given to `equipoise`.
pub fn queue(demo: &Demo) -> (String, PathBuf) {
    let (script, log) = (demo.dir("a queue.sh"), demo.dir("log"));
    let text = format!("#!/bin/sh\necho \"$1 $2\" >> {:?}\nexec {:?} \"$@\"\n", log, path());
    std::fs::write(&script, text).unwrap();
    (format!("sh {:?}", script.display()), log)
}

/// A WAV file of a fifth of a second, 16 bits and 8,000 samples a second.
pub fn tone(hertz: f64) -> Vec<u8> {
    let step = 2.0 * std::f64::consts::PI * hertz / 8_000.0;
    let sample = |n: u32| ((0.5 * (step * f64::from(n)).sin() * 32767.0) as i16).to_le_bytes();
    let data: Vec<u8> = (0..1600).flat_map(sample).collect();
    let size = data.len() as u32;
    let numbers = [16u32, 1 | 1 << 16, 8_000, 16_000, 2 | 16 << 16].map(u32::to_le_bytes).concat();
    [b"RIFF", &(36 + size).to_le_bytes()[..], b"WAVEfmt ", &numbers, b"data", &size.to_le_bytes(), &data]
        .concat()
}
