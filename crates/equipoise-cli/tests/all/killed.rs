//! The program killed and stopped in the middle of trainings: the same command goes on and leaves the same bits.
#![cfg(unix)]

use crate::common;

use common::{Demo, failure, path, program};
use equipoise_data::{Seed, Stream};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const BACKBONES: [&str; 3] = ["vbpr", "grcn", "mgcn"];

/// `none`, `ckd`, `gb` and the balancer that was added last.
fn balancers() -> [&'static str; 4] {
    let newest = equipoise_balance::built_in().last().expect("there are balancers").name;
    ["none", "ckd", "gb", newest]
}

/// Everything in a run directory that is not time, by file.
fn left(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // What a write left that was cut short.
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            files.extend(left(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let bytes = match name.as_str() {
            // It names the directory of the run.
            "report.html" => Vec::new(),
            "run.json" => hashes(&bytes).into_bytes(),
            "metrics.json" => timeless(&bytes).to_string().into_bytes(),
            "events.jsonl" => log(&bytes).into_bytes(),
            _ => bytes,
        };
        files.insert(name, bytes);
    }
    files
}

/// The hashes in `run.json`, without those of files that hold seconds and of the configuration, which is compared itself.
fn hashes(text: &[u8]) -> String {
    let mut value: Value = serde_json::from_slice(text).unwrap();
    let files = value["files"].as_object_mut().unwrap();
    for name in ["metrics.json", "events.jsonl", "config.toml"] {
        files.remove(name);
    }
    value["files"].to_string()
}

fn timeless(text: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(text).unwrap();
    for key in ["seconds", "train_seconds", "eval_seconds"] {
        value.as_object_mut().unwrap().remove(key);
    }
    value
}

fn log(text: &[u8]) -> String {
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(timeless);
    lines.filter(|line| line["event"] != "resumed").map(|line| line.to_string() + "\n").collect()
}

/// A training that is ended in the middle and begun again until it is over.
struct Case {
    backbone: &'static str,
    balance: &'static str,
    data: PathBuf,
    out: PathBuf,
    whole: PathBuf,
    /// How long it takes when nothing happens to it.
    time: Duration,
}

impl Case {
    /// After a training that nothing happened to.
    fn new(demo: &Demo, backbone: &'static str, balance: &'static str) -> Case {
        let name = format!("{backbone}-{balance}");
        let (out, whole) = (demo.dir(&name), demo.dir(&format!("{name}-whole")));
        let case = Case { backbone, balance, data: demo.data(), out, whole, time: Duration::ZERO };
        let start = Instant::now();
        let output = case.start(&case.whole).wait_with_output().unwrap();
        case.succeeded(&output);
        Case { time: start.elapsed(), ..case }
    }

    fn start(&self, out: &Path) -> Child {
        let mut command = Command::new(path());
        command.args(["train", "--epochs", "16", "--lr", "0.005", "--set", "train.patience=100"]);
        command.args(["--backbone", self.backbone, "--balance", self.balance]);
        command.args(["--set", "backbone.width=8", "--set", "train.batch_size=64"]);
        command.args(["--set", "train.checkpoint_every=2", "--data"]).arg(&self.data).arg("--out").arg(out);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    fn succeeded(&self, output: &Output) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {}: {said}", self.backbone, self.balance, output.status);
        assert!(!said.contains("training starts from the beginning"), "{said}");
    }

    /// Starts it and kills it after a random time; whether it went down before it was over. What is left when it was over
    /// is compared.
    fn kill(&self, stream: &mut Stream) -> bool {
        let mut child = self.start(&self.out);
        std::thread::sleep(self.time.mul_f64(0.6 * stream.unit()));
        let over = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if over || output.status.success() {
            self.succeeded(&output);
            self.compare();
            return false;
        }
        true
    }

    /// Lets it come to its end.
    fn finish(&self) {
        let output = self.start(&self.out).wait_with_output().unwrap();
        self.succeeded(&output);
        self.compare();
    }

    /// Compares what it left with what the training left that nothing happened to, and removes it.
    fn compare(&self) {
        let (found, expected) = (left(&self.out), left(&self.whole));
        let what = format!("{} {}", self.backbone, self.balance);
        assert!(found.keys().eq(expected.keys()), "{what}: {:?} and {:?}", found.keys(), expected.keys());
        for (file, bytes) in expected {
            assert!(found[&file] == bytes, "{what}: {file} is another");
        }
        std::fs::remove_dir_all(&self.out).unwrap();
    }
}

/// Kills each training in turn until so many went down; how many came to their end with the right bits.
fn killed(cases: &[Case], kills: usize, stream: &mut Stream) -> usize {
    let (mut down, mut ended) = (0, 0);
    for case in cases.iter().cycle() {
        if down == kills {
            break;
        }
        // Several times in a row: each process gets a little further.
        for _ in 0..1 + stream.below(4) {
            if down < kills && case.kill(stream) {
                down += 1;
            } else {
                break;
            }
        }
        if case.out.exists() {
            case.finish();
        }
        ended += 1;
    }
    ended
}

#[test]
fn a_training_that_is_killed_again_and_again_leaves_the_same_bits() {
    let demo = Demo::new();
    let newest = balancers()[3];
    let cases = [("vbpr", "ckd"), ("grcn", "none"), ("mgcn", newest)];
    let cases = cases.map(|(backbone, balance)| Case::new(&demo, backbone, balance));
    killed(&cases, 6, &mut Seed(1).stream("kills"));
}

/// A hundred kills over every combination.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_kills_change_no_bit() {
    let demo = Demo::new();
    let mut cases = Vec::new();
    for backbone in BACKBONES {
        cases.extend(balancers().map(|balance| Case::new(&demo, backbone, balance)));
    }
    let start = Instant::now();
    let ended = killed(&cases, 100, &mut Seed(2).stream("kills"));
    println!("100 kills, {ended} trainings brought to their end, {:.0?}", start.elapsed());
}

/// Sends SIGTERM once there are so many epochs in a log of the run.
fn terminate(case: &Case, log: &str, epochs: usize) -> Output {
    let child = case.start(&case.out);
    let log = case.out.join(log);
    let done = || std::fs::read_to_string(&log).unwrap_or_default().matches(r#""event":"epoch""#).count();
    let start = Instant::now();
    while done() < epochs && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait_with_output().unwrap()
}

#[test]
fn sigterm_ends_every_training_with_130_and_the_same_command_goes_on() {
    let demo = Demo::new();
    let teacher = format!("teachers/{}/events.jsonl", demo.modalities()[0]);
    let [plain, ckd, gb] = ["none", "ckd", "gb"].map(|balance| Case::new(&demo, "vbpr", balance));
    let model = "events.jsonl";
    let moments =
        [(&plain, model), (&ckd, model), (&ckd, teacher.as_str()), (&gb, "teachers/plain/events.jsonl")];
    for (case, log) in moments {
        let (balance, output) = (case.balance, terminate(case, log, 3));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{balance} {log}: {said}");
        assert!(said.contains("go on") || said.contains("goes on"), "{balance} {log}: {said}");
        let output = case.start(&case.out).wait_with_output().unwrap();
        case.succeeded(&output);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.matches("goes on at epoch").count(), 1, "{balance} {log}: {said}");
        case.compare();
    }
}

#[test]
fn an_interrupted_run_is_read_and_said_to_be_unfinished() {
    let demo = Demo::new();
    let case = Case::new(&demo, "vbpr", "none");
    terminate(&case, "events.jsonl", 3);
    for command in ["evaluate", "audit"] {
        let output = program().arg(command).arg(&case.out).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("is unfinished"), "{command}: {said}");
        let output = program().arg(command).arg(&case.whole).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("unfinished"), "{command}");
    }
}

#[test]
fn what_would_be_noticed_in_the_end_is_noticed_before_training() {
    let demo = Demo::new();
    let mut command = demo.train(&demo.dir("huge"));
    let error = failure(command.args(["--set", "train.batch_size=4000000000"]), 2);
    assert!(error.contains("train.batch_size = 4000000000") && !demo.dir("huge").exists(), "{error}");
    let test = demo.data().join("5-core/test.json");
    assert!(test.exists(), "the demo is in the LATTICE layout");
    std::fs::write(test, "{}").unwrap();
    let error = failure(&mut demo.train(&demo.dir("untested")), 2);
    assert!(error.contains("the test split is empty") && !demo.dir("untested").exists(), "{error}");
}
