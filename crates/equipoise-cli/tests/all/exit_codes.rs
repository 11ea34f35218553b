//! Exit codes and faults of every command: one table, which a test compares with the commands that there are.
//!
//! What a command writes is not half there after any of them, and the same command works once its cause is gone.
#![cfg(unix)]

use crate::common;

use assert_cmd::Command;
use common::{Demo, failure, ok, program, raw_files};
use equipoise_jobs::Place;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A command of the program.
struct Case {
    name: &'static str,
    /// Arguments after the name that cannot be used.
    bad: fn(&World) -> Vec<OsString>,
    /// Arguments after the name that write to this place, if it writes.
    writes: Option<fn(&World, &Path) -> Vec<OsString>>,
    /// Whether the place is a directory of the command's own, which it locks; otherwise a single file, or a file in a run.
    own: bool,
    /// Its exit code for a failure that may pass.
    may_pass: i32,
}

/// Inputs for every command.
struct World {
    demo: Demo,
}

/// What there is of every command. A command that is not here fails a test.
fn cases() -> Vec<Case> {
    let case = |name, bad, writes, own| Case { name, bad, writes, own, may_pass: 1 };
    vec![
        case("demo", |w| args(&["--epochs", "0", "--out"]).and(w.at("bad")), Some(demo), true),
        case("run", |w| args(&["--out"]).and(w.at("bad")), Some(pipeline), true),
        case("data check", |w| args(&[]).and(w.at("absent")), None, false),
        case(
            "data convert",
            |w| convert(w, &w.at("bad"), "absent"),
            Some(|w, out| convert(w, out, "data")),
            true,
        ),
        case("data generate", |w| args(&["--users", "0", "--out"]).and(w.at("bad")), Some(generate), true),
        case(
            "data import amazon",
            |w| import(w, &w.at("bad"), "absent"),
            Some(|w, out| import(w, out, "raw")),
            true,
        ),
        case("data fake-amazon", |w| args(&["--reviews", "1", "--out"]).and(w.at("bad")), Some(fake), true),
        case(
            "features text",
            |w| features(w, "text", "absent", &w.at("bad")),
            Some(|w, out| features(w, "text", "data", out)),
            false,
        ),
        case(
            "features image",
            |w| features(w, "image", "absent", &w.at("bad")),
            Some(|w, out| features(w, "image", "data", out)),
            false,
        ),
        case(
            "features audio",
            |w| features(w, "audio", "absent", &w.at("bad")),
            Some(|w, out| features(w, "audio", "data", out)),
            false,
        ),
        case("backbones", |_| args(&["--format", "no-such-format"]), None, false),
        case("train", |w| train(w, &w.at("bad"), "vbrp"), Some(|w, out| train(w, out, "vbpr")), true),
        case(
            "sweep",
            |w| sweep(w, &w.at("bad"), "train.lrr"),
            Some(|w, out| sweep(w, out, "train.lr")),
            false,
        ),
        case(
            "evaluate",
            |w| args(&[]).and(w.at("absent")),
            Some(|w, out| args(&[]).and(w.run()).and("--per-user").and(out)),
            false,
        ),
        case(
            "audit",
            |w| args(&[]).and(w.at("absent")),
            Some(|w, out| args(&[]).and(w.run()).and("--svg").and(out)),
            false,
        ),
        case(
            "recommend",
            |w| args(&["--user", "nobody"]).and(w.run()),
            Some(|w, out| {
                args(&["--all-users", "--n", "3", "--shards", "2"]).and(w.run()).and("--out").and(out)
            }),
            false,
        ),
        case("similar", |w| args(&["--item", "nothing"]).and(w.run()), None, false),
        case("explain", |w| args(&["--user", "nobody", "--item", "nothing"]).and(w.run()), None, false),
        case("serve", |w| args(&["--bind", "127.0.0.1:0"]).and(w.at("absent")), None, false),
        case("feedback export", |w| args(&["--out"]).and(w.at("table.csv")).and(w.at("absent")), None, false),
        case("calibrate", |w| args(&["--k", "0"]).and(w.run()), None, false),
        case(
            "export",
            |w| args(&["--to", "npy", "--half", "--out"]).and(w.at("bad")).and(w.run()),
            Some(|w, out| args(&["--to", "npy", "--out"]).and(out).and(w.run())),
            true,
        ),
        case(
            "items add",
            |w| items(w, &w.at("bad"), "old.csv"),
            Some(|w, out| items(w, out, "new.csv")),
            true,
        ),
        case("compare", |w| args(&[]).and(w.at("absent")).and(w.run()), None, false),
        case(
            "reproduce",
            |w| reproduce(w, &w.at("bad"), "table9"),
            Some(|w, out| reproduce(w, out, "table1")),
            false,
        ),
        case("reproduce results", |w| args(&[]).and(w.at("absent")), None, false),
        Case {
            may_pass: 75,
            ..case("task", |w| task(w, &w.at("bad"), "dance"), Some(|w, out| task(w, out, "train")), false)
        },
    ]
}

trait And {
    fn and(self, more: impl Into<OsString>) -> Vec<OsString>;
}

impl And for Vec<OsString> {
    fn and(mut self, more: impl Into<OsString>) -> Vec<OsString> {
        self.push(more.into());
        self
    }
}

fn args(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

/// Settings of a quick run.
const QUICK: [&str; 6] =
    ["--set", "backbone.width=8", "--set", "train.batch_size=64", "--set", "balance.ckd.generic_triples=50"];

fn demo(_: &World, out: &Path) -> Vec<OsString> {
    args(&["--epochs", "1", "--out"]).and(out)
}

fn pipeline(w: &World, out: &Path) -> Vec<OsString> {
    let list =
        args(&["--epochs", "1", "--budget", "none", "--data"]).and(w.demo.data()).and("--out").and(out);
    [list, args(&QUICK)].concat()
}

fn convert(w: &World, out: &Path, data: &str) -> Vec<OsString> {
    args(&[]).and(w.at(data)).and("--to").and("equipoise").and("--out").and(out)
}

fn generate(_: &World, out: &Path) -> Vec<OsString> {
    args(&["demo", "--users", "60", "--items", "40", "--out"]).and(out)
}

fn import(w: &World, out: &Path, raw: &str) -> Vec<OsString> {
    let raw = w.at(raw);
    let list = args(&["--reviews"]).and(raw.join("reviews_Made_Up_5.json.gz"));
    list.and("--meta").and(raw.join("meta_Made_Up.json.gz")).and("--out").and(out)
}

fn fake(_: &World, out: &Path) -> Vec<OsString> {
    args(&["--users", "60", "--items", "40", "--reviews", "400", "--catalogue", "50", "--images", "0"])
        .and("--without-image")
        .and("0")
        .and("--out")
        .and(out)
}

fn features(w: &World, kind: &str, data: &str, out: &Path) -> Vec<OsString> {
    let list = args(&["--model", "builtin", "--data"]).and(w.at(data)).and("--out").and(out);
    match kind {
        "text" => list.and("--dims").and("4").and("--texts").and(w.at("texts.csv")),
        "image" => list.and("--images").and(w.at("photos")),
        _ => list.and("--audio").and(w.at("sounds")),
    }
}

fn train(w: &World, out: &Path, backbone: &str) -> Vec<OsString> {
    let list =
        args(&["--epochs", "2", "--backbone", backbone, "--data"]).and(w.demo.data()).and("--out").and(out);
    [list, args(&QUICK)].concat()
}

fn sweep(w: &World, out: &Path, key: &str) -> Vec<OsString> {
    let file = w.at(&format!("{key}.toml"));
    let text = format!(
        "[train]\nepochs = 1\nbatch_size = 64\n[backbone]\nwidth = 8\n[sweep.space]\n\"{key}\" = [1e-3, 1e-2]\n"
    );
    fs::write(&file, text).unwrap();
    args(&[]).and(file).and("--data").and(w.demo.data()).and("--out").and(out)
}

fn reproduce(w: &World, out: &Path, table: &str) -> Vec<OsString> {
    let mut list =
        args(&[table, "--backbones", "vbpr", "--methods", "ckd", "--dataset", "data", "--seeds", "1"]);
    list = list.and("--data").and(w.demo.dir("")).and("--out").and(out);
    let fixed = ["train.epochs=1", "backbone.width=8", "train.batch_size=64", "train.lr=0.01"];
    let fixed = fixed.iter().chain(&["balance.ckd.generic_triples=50", "balance.ckd.lambda_g=1.0"]);
    fixed.fold(list, |list, set| list.and("--set").and(*set))
}

fn task(w: &World, out: &Path, kind: &str) -> Vec<OsString> {
    let file = w.at(&format!("{}-{kind}.toml", out.file_name().unwrap().to_string_lossy()));
    let text = format!(
        "kind = {kind:?}\ndir = {out:?}\n[config]\ndata.path = {:?}\nbackbone.width = 8\ntrain.epochs = 1\n\
         train.batch_size = 64\n",
        w.demo.data()
    );
    fs::write(&file, text).unwrap();
    args(&[]).and(file)
}

/// New items with features of one modality: `old.csv` has one that the model knows.
fn items(w: &World, out: &Path, table: &str) -> Vec<OsString> {
    let features = format!("image={}", w.at("new_feat.npy").display());
    args(&["--items"]).and(w.at(table)).and("--features").and(features).and("--out").and(out).and(w.run())
}

impl World {
    fn new() -> World {
        let world = World { demo: Demo::new() };
        ok(&mut world.demo.train(&world.run()));
        raw_files(&world.at("raw"), 0, 0);
        let items = fs::read_to_string(world.demo.data().join("5-core/item_list.txt")).unwrap();
        let ids: Vec<&str> = items.lines().filter_map(|line| line.split('\t').next()).collect();
        let rows: String = ids.iter().map(|id| format!("{id},a thing called {id}\n")).collect();
        fs::write(world.at("texts.csv"), format!("item_id,text\n{rows}")).unwrap();
        // As many as the features have rows, which have no ids beside them here.
        fs::copy(world.demo.data().join("image_feat.npy"), world.at("new_feat.npy")).unwrap();
        let new: String = ids.iter().map(|id| format!("new {id},A new thing\n")).collect();
        fs::write(world.at("new.csv"), format!("id,title\n{new}")).unwrap();
        fs::write(world.at("old.csv"), format!("id,title\n{},An old thing\n", ids[0])).unwrap();
        fs::create_dir(world.at("photos")).unwrap();
        let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden/pictures/rgb.png");
        for id in ids.iter().take(20) {
            fs::copy(&picture, world.at("photos").join(format!("{id}.png"))).unwrap();
        }
        fs::create_dir(world.at("sounds")).unwrap();
        for (n, id) in ids.iter().take(20).enumerate() {
            fs::write(world.at("sounds").join(format!("{id}.wav")), common::tone(100.0 * (n + 1) as f64))
                .unwrap();
        }
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.demo.dir(name)
    }

    fn run(&self) -> PathBuf {
        self.at("a-run")
    }
}

impl Case {
    fn call(&self, arguments: &[OsString]) -> Command {
        let mut command = program();
        command.args(self.name.split(' ')).args(arguments).args(["--quiet", "--threads", "1"]);
        command
    }

    /// The same where no file may have more bytes.
    fn call_without_room(&self, arguments: &[OsString], bytes: usize) -> Command {
        let script = format!("ulimit -f {}; exec \"$@\"", bytes / 512);
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(common::path()).args(self.name.split(' ')).args(arguments);
        command.args(["--quiet", "--threads", "1"]);
        command
    }

    fn start(&self, arguments: &[OsString]) -> Child {
        let mut command = std::process::Command::new(common::path());
        command.args(self.name.split(' ')).args(arguments).args(["--quiet", "--threads", "1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap()
    }
}

fn code(command: &mut Command) -> (i32, String) {
    let output = command.output().expect("the program starts");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Hidden names beside and in a directory, at any depth.
fn hidden(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name != ".lock" && name != ".hashes.json" && name != ".sweep.sqlite.lock"
        {
            found.push(path.clone());
        }
        if path.is_dir() {
            found.extend(hidden(&path));
        }
    }
    found
}

#[test]
fn every_command_has_a_case() {
    let mut names: Vec<String> = cases().iter().map(|case| case.name.to_owned()).collect();
    let mut commands = equipoise_cli::commands();
    names.sort();
    commands.sort();
    assert_eq!(names, commands, "a command needs its line in `cases`");
}

#[test]
fn input_that_cannot_be_used_is_2() {
    let world = World::new();
    for case in cases() {
        let (found, told) = code(&mut case.call(&(case.bad)(&world)));
        assert_eq!(found, 2, "{}: {told}", case.name);
        assert!(
            told.starts_with("error: ") && !told.contains("fault of this program"),
            "{}: {told}",
            case.name
        );
    }
}

#[test]
fn without_room_every_command_is_1_and_works_when_there_is_some() {
    let world = World::new();
    for case in cases() {
        let Some(writes) = case.writes else { continue };
        let out = world.at(&format!("room-{}", case.name.replace(' ', "-")));
        let arguments = writes(&world, &out);
        let mut failed = 0;
        for bytes in [0, 1024, 4096, 16384] {
            let (found, told) = code(&mut case.call_without_room(&arguments, bytes));
            if found == 0 {
                break;
            }
            failed += 1;
            assert_eq!(found, case.may_pass, "{} with {bytes} bytes: {told}", case.name);
            assert!(
                ["File too large", "disk I/O error", "runs failed"].iter().any(|what| told.contains(what)),
                "{}: {told}",
                case.name
            );
        }
        assert!(failed > 0, "{}", case.name);
        let mut again = case.call(&arguments);
        if case.name == "reproduce" {
            again.arg("--retry-failed");
        }
        let (found, told) = code(&mut again);
        let had_room = told.contains("there is a run already") || told.contains("--overwrite");
        assert!(found == 0 || (found == 2 && had_room), "{}: {told}", case.name);
        assert_eq!(hidden(&out), Vec::<PathBuf>::new(), "{}", case.name);
    }
}

#[test]
fn a_place_that_another_process_writes_is_1_and_says_who() {
    let world = World::new();
    for case in cases().into_iter().filter(|case| case.own) {
        let out = world.at(&format!("held-{}", case.name.replace(' ', "-")));
        let arguments = case.writes.expect("it has a place")(&world, &out);
        // `run` holds the lock in its directory, beside those of its stages.
        let inner = out.join(".lock");
        let _held: Box<dyn std::any::Any> = match case.name {
            "run" => Box::new(equipoise_jobs::Lock::take(&inner).unwrap()),
            _ => Box::new(Place::claim(&out).unwrap()),
        };
        let (found, told) = code(&mut case.call(&arguments));
        assert_eq!(found, 1, "{}: {told}", case.name);
        let holder = format!("process {}", std::process::id());
        assert!(told.contains(&holder) && told.contains("is at work here"), "{}: {told}", case.name);
    }
}

#[test]
fn a_request_to_stop_is_130_at_any_moment_and_nothing_half_written_stays_in_the_way() {
    let world = World::new();
    for case in cases() {
        let Some(writes) = case.writes else { continue };
        let stopped = if case.may_pass == 75 { 75 } else { 130 };
        for (n, signal) in ["TERM", "INT", "HUP", "TERM"].into_iter().enumerate() {
            let out = world.at(&format!("stop-{n}-{}", case.name.replace(' ', "-")));
            let arguments = writes(&world, &out);
            let mut wait = Duration::from_millis(15 + 40 * n as u64);
            let (found, early) = loop {
                let mut child = case.start(&arguments);
                std::thread::sleep(wait);
                send(signal, &child);
                let found = child.wait().unwrap();
                // A signal before the program listens ends it by itself: on a busy machine that may take a while.
                let early = std::os::unix::process::ExitStatusExt::signal(&found).is_some();
                if !early || n == 0 {
                    break (found, early);
                }
                wait *= 2;
                assert!(wait < Duration::from_secs(20), "{} never listens to {signal}", case.name);
            };
            let done = found.success();
            assert!(early || done || found.code() == Some(stopped), "{} {signal}: {found:?}", case.name);
            let (found, told) = code(&mut case.call(&arguments));
            // A request may come when the result is whole and the process has yet to end.
            let whole = done || told.contains("already") || told.contains("holds an earlier result");
            assert!(found == 0 || (whole && found == 2), "{} after {signal}: {told}", case.name);
            assert_eq!(hidden(&out), Vec::<PathBuf>::new(), "{}", case.name);
        }
    }
    assert_eq!(hidden(&world.at("")), Vec::<PathBuf>::new());
}

/// A stop can come between the last file of the features and the removal of what was kept until then.
#[test]
fn what_stays_of_features_that_are_whole_is_removed_by_the_next_call() {
    let world = World::new();
    for case in cases().into_iter().filter(|case| case.name.starts_with("features ")) {
        let out = world.at(&case.name.replace(' ', "-"));
        let arguments = case.writes.expect("features are written")(&world, &out);
        ok(&mut case.call(&arguments));
        let kind = case.name.split(' ').nth(1).expect("two words");
        let report = fs::read_to_string(out.join(format!("{kind}_encoder.json"))).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let key = report["fingerprint"].as_str().expect("a hash");
        let unit = equipoise_jobs::Unit::new(out.join(format!(".equipoise-{kind}.part")), key);
        unit.claim().unwrap().begin(&kind).unwrap();
        fs::write(unit.dir().join("publishing"), "").unwrap();
        ok(&mut case.call(&arguments));
        assert_eq!(hidden(&out), Vec::<PathBuf>::new(), "{}", case.name);
    }
}

fn send(signal: &str, child: &Child) {
    let status =
        std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(status.unwrap().success() || signal == "TERM");
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_interrupted_training_is_130_with_and_without_teachers() {
    let demo = Demo::new();
    for balance in ["none", "ckd"] {
        let out = demo.dir(balance);
        let mut command = std::process::Command::new(common::path());
        command.args([
            "train",
            "--quiet",
            "--threads",
            "1",
            "--epochs",
            "1000000",
            "--set",
            "train.patience=1000000",
        ]);
        command
            .args(["--balance", balance])
            .args(QUICK)
            .arg("--data")
            .arg(demo.data())
            .arg("--out")
            .arg(&out);
        let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let logs = || match balance {
            "none" => vec![out.join("events.jsonl")],
            _ => {
                let teachers = fs::read_dir(out.join("teachers")).into_iter().flatten().flatten();
                teachers.map(|teacher| teacher.path().join("events.jsonl")).collect()
            }
        };
        let trains =
            |log: &PathBuf| fs::read_to_string(log).is_ok_and(|text| text.matches("validation").count() > 3);
        wait_for("an epoch", || logs().iter().any(trains));
        send("INT", &child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{balance}");
    }
}

#[test]
fn a_loss_that_becomes_infinite_is_1() {
    let demo = Demo::new();
    for balance in ["none", "ckd"] {
        let mut command = demo.train(&demo.dir(balance));
        let told = failure(command.args(["--balance", balance, "--set", "train.lr=1e30"]), 1);
        assert!(told.contains("loss became") || told.contains("diverged"), "{told}");
    }
    let file = demo.dir("search.toml");
    fs::write(&file, "[train]\nepochs = 2\n[sweep.space]\n\"train.lr\" = [1e30]\n").unwrap();
    let mut command = program();
    command
        .args(["sweep", "--quiet"])
        .arg(&file)
        .arg("--data")
        .arg(demo.data())
        .arg("--out")
        .arg(demo.dir("s"));
    failure(&mut command, 1);
    let mut command = program();
    command.args(["run", "--quiet", "--budget", "none", "--set", "train.lr=1e30", "--data"]).arg(demo.data());
    failure(command.arg("--out").arg(demo.dir("p")), 1);
}

#[test]
fn a_mapped_file_that_is_cut_short_is_1_and_one_line() {
    let demo = Demo::new();
    let set = demo.dir("set");
    ok(program().args(["data", "convert", "--to", "equipoise", "--out"]).arg(&set).arg(demo.data()));
    let out = demo.dir("run");
    let mut command = std::process::Command::new(common::path());
    command.args(["train", "--quiet", "--epochs", "1000000", "--set", "train.patience=1000000"]);
    command
        .args(QUICK)
        .arg("--data")
        .arg(&set)
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for("an epoch", || {
        fs::read_to_string(out.join("events.jsonl")).is_ok_and(|text| text.contains("epoch"))
    });
    for features in fs::read_dir(set.join("features")).unwrap() {
        fs::File::options().write(true).open(features.unwrap().path()).unwrap().set_len(0).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("became shorter") && told.lines().count() == 1, "{told}");
}
