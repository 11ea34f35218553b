//! `kill -9` at random moments of commands that replace what is there: the old one or the new one stands in the place, never a
//! mixture, and after the next call nothing lies beside it.
#![cfg(unix)]

use crate::common;

use common::{Demo, ok, program};
use equipoise_data::{Seed, Stream};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command in two versions, the second of which replaces what the first made.
struct Case {
    name: &'static str,
    out: PathBuf,
    calls: [Vec<OsString>; 2],
    /// What each leaves.
    left: [BTreeMap<PathBuf, Vec<u8>>; 2],
    time: Duration,
}

/// What a directory holds that does not change from call to call.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    // Times, and hashes of files with times.
    const TIMES: [&str; 7] = [
        "metrics.json",
        "events.jsonl",
        "run.json",
        "finished.json",
        "summary.json",
        "text_encoder.json",
        "unit.json",
    ];
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            found.extend(contents(&path));
        } else if !name.starts_with('.') && name != "report.html" {
            let timeless = TIMES.iter().all(|time| *time != name);
            let bytes = if timeless { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
            found.insert(path, bytes);
        }
    }
    found
}

/// Hidden names in a directory that are no locks of a directory's own.
fn litter(dir: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(dir).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.') && name != ".lock").collect()
}

impl Case {
    fn new(name: &'static str, out: PathBuf, calls: [Vec<OsString>; 2]) -> Case {
        let mut case =
            Case { name, out, calls, left: [BTreeMap::new(), BTreeMap::new()], time: Duration::ZERO };
        for n in 0..2 {
            let start = Instant::now();
            ok(program().args(&case.calls[n]));
            case.time = start.elapsed();
            case.left[n] = contents(&case.out);
        }
        assert_ne!(case.left[0], case.left[1], "{name}: nothing would tell the old one from the new one");
        case
    }

    /// Kills the call that replaces what the other made; whether it went down before it was over.
    fn kill(&self, n: usize, stream: &mut Stream) -> bool {
        let mut command = Command::new(common::path());
        command.args(&self.calls[n]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(self.time.mul_f64(1.1 * stream.unit()));
        let down = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        let found = contents(&self.out);
        let whole = self.left.contains(&found);
        assert!(whole, "{}: neither the old one nor the new one: {:?}", self.name, found.keys());
        down
    }

    /// Kills each version in turn, then lets it come to its end.
    fn kills(&self, number: usize, stream: &mut Stream) -> usize {
        let mut down = 0;
        for n in 0..number {
            let version = n % 2;
            down += usize::from(self.kill(version, stream));
            ok(program().args(&self.calls[version]));
            assert_eq!(contents(&self.out), self.left[version], "{}", self.name);
            assert_eq!(litter(self.out.parent().unwrap()), Vec::<String>::new(), "{}", self.name);
            assert_eq!(litter(&self.out), Vec::<String>::new(), "{}", self.name);
        }
        down
    }
}

fn args(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

/// Calls that differ in the last two arguments.
fn calls(common: &[OsString], versions: [[&str; 2]; 2]) -> [Vec<OsString>; 2] {
    versions.map(|version| [common.to_vec(), args(&version)].concat())
}

fn cases(demo: &Demo) -> Vec<Case> {
    let place = |name: &str| demo.dir(name).join("out");
    let path = |path: PathBuf| OsString::from(path);
    let train = |name: &'static str, balance: &str| {
        let mut list =
            args(&["train", "--quiet", "--overwrite", "--epochs", "2", "--balance", balance, "--data"]);
        list.extend([path(demo.data()), "--out".into(), path(place(name))]);
        list.extend(args(&["--set", "backbone.width=8", "--set", "balance.ckd.generic_triples=50"]));
        Case::new(name, place(name), calls(&list, [["--seed", "1"], ["--seed", "2"]]))
    };
    let mut convert = args(&["data", "convert", "--overwrite", "--to", "equipoise", "--out"]);
    convert.extend([path(place("convert")), path(demo.data())]);
    let mut generate = args(&["data", "generate", "demo", "--items", "60", "--out"]);
    generate.push(path(place("generate")));
    common::raw_files(&demo.dir("raw"), 0, 0);
    let mut import = args(&["data", "import", "amazon", "--quiet", "--overwrite", "--reviews"]);
    import.extend([path(demo.dir("raw/reviews_Made_Up_5.json.gz")), "--meta".into()]);
    import.extend([path(demo.dir("raw/meta_Made_Up.json.gz")), "--out".into(), path(place("import"))]);
    vec![
        train("train", "none"),
        train("train-ckd", "ckd"),
        Case::new("convert", place("convert"), calls(&convert, [["--scale", "l2"], ["--scale", "none"]])),
        Case::new("generate", place("generate"), calls(&generate, [["--users", "70"], ["--users", "90"]])),
        Case::new(
            "import",
            place("import"),
            calls(&import, [["--split", "ratio"], ["--split", "leave-one-out"]]),
        ),
    ]
}

#[test]
fn the_old_one_or_the_new_one_stands_in_the_place() {
    let demo = Demo::new();
    let mut stream = Seed(5).stream("kills");
    for case in cases(&demo) {
        case.kills(3, &mut stream);
    }
}

/// The same many times.
#[test]
#[ignore = "takes minutes"]
fn the_old_one_or_the_new_one_stands_in_the_place_after_many_kills() {
    let demo = Demo::new();
    let mut stream = Seed(6).stream("kills");
    for case in cases(&demo) {
        let down = case.kills(30, &mut stream);
        println!("{}: {down} of 30 calls were killed on the way", case.name);
    }
}
