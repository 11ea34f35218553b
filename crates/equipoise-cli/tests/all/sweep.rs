//! `equipoise sweep` as a user meets it: what it writes, that it survives being killed, and what it refuses.

use crate::common;

use common::{Demo, failure, json, ok, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BASE: &str = "
seed = 3
[backbone]
width = 8
[train]
epochs = 4
batch_size = 64
lr = 5e-3
[balance.ckd]
generic_triples = 50
";

/// Every method in one: estimates after few random trials, teachers that depend on a searched setting, and a
/// trial in three that fails.
const TPE: &str = "
[balance]
name = \"ckd\"
[sweep]
method = \"tpe\"
trials = 10
startup = 4
round = 2
[sweep.space]
\"train.lr\" = [5e-3, 1e-2]
\"balance.ckd.lambda_kd\" = { low = 1e-3, high = 1, log = true }
\"backbone.width\" = { low = 4, high = 8, integer = true }
";

fn config(demo: &Demo, name: &str, sweep: &str) -> PathBuf {
    let file = demo.dir(name);
    fs::write(&file, format!("{BASE}{sweep}")).unwrap();
    file
}

fn sweep(demo: &Demo, file: &Path, out: &Path) -> assert_cmd::Command {
    let mut command = program();
    command.args(["sweep", "--quiet"]).arg(file).arg("--data").arg(demo.data()).arg("--out").arg(out);
    command
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A table without its last column, the seconds.
fn timeless(csv: &str) -> Vec<String> {
    csv.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

/// Every file below a directory, by its path from there.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path())
            } else {
                found.push(entry.path().strip_prefix(dir).unwrap().display().to_string())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_search_whose_trials_run_elsewhere_finds_the_same() {
    let demo = Demo::new();
    let (file, here, there) = (config(&demo, "tpe.toml", TPE), demo.dir("here"), demo.dir("there"));
    let (on, log) = common::queue(&demo);
    ok(&mut sweep(&demo, &file, &here));
    ok(sweep(&demo, &file, &there).args(["--on", &on, "--jobs", "2", "--threads", "1"]));
    assert_eq!(read(&here.join("best.toml")), read(&there.join("best.toml")));
    let [a, b] = [&here, &there].map(|out| timeless(&read(&out.join("trials.csv"))));
    assert_eq!(a, b);
    let started = read(&log);
    assert_eq!(started.lines().count(), read(&there.join("trials.csv")).lines().count() - 1, "{started}");
    assert!(!there.join("trials").exists(), "the tasks of a search that is over are removed");
}

#[test]
fn a_search_leaves_a_table_a_report_and_a_configuration_that_trains() {
    let demo = Demo::new();
    let (file, out) = (config(&demo, "tpe.toml", TPE), demo.dir("found"));
    let result = json(sweep(&demo, &file, &out).args(["--format", "json", "--jobs", "2", "--threads", "2"]));
    assert_eq!((result["evaluations"].as_u64(), result["over"].as_bool()), (Some(10), Some(true)));
    let (csv, lines) = (read(&out.join("trials.csv")), read(&out.join("trials.jsonl")));
    assert_eq!((csv.lines().count(), lines.lines().count()), (11, 11));
    let values: Vec<f64> = lines.lines().skip(1).map(|l| value(l)["value"].as_f64().unwrap()).collect();
    let best = values.iter().copied().fold(0.0, f64::max);
    assert!(best > 0.0 && result["best"]["value"].as_f64() == Some(best));
    assert_eq!(result["best"]["trial"].as_u64(), values.iter().position(|v| *v == best).map(|k| k as u64));
    let page = read(&out.join("sweep.html"));
    assert!(
        page.contains("<polyline")
            && page.contains("<circle")
            && !page.contains("http:")
            && !page.contains("https:")
    );
    assert!(read(&out.join("sweep.md")).contains("recall@20"));

    // The best configuration gives, in a run of its own, the value that the search saw.
    let run = demo.dir("best");
    let config = out.join("best.toml");
    let report = json(
        program()
            .args(["train", "--quiet", "--format", "json", "--config"])
            .arg(config)
            .arg("--out")
            .arg(&run),
    );
    let found = report["validation"]["recall@20"].as_f64().unwrap();
    assert!((found - best).abs() < 1e-12, "{found} {best}");
}

fn value(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn a_search_measures_nothing_on_test_and_trains_each_teacher_once() {
    let demo = Demo::new();
    let (file, out) = (config(&demo, "tpe.toml", TPE), demo.dir("found"));
    ok(sweep(&demo, &file, &out).args(["--jobs", "2", "--threads", "2"]));
    let points: Vec<serde_json::Value> =
        read(&out.join("trials.jsonl")).lines().skip(1).map(|l| value(l)["point"].clone()).collect();
    let mut needed: Vec<String> =
        points.iter().map(|p| format!("{} {}", p["train.lr"], p["backbone.width"])).collect();
    needed.sort();
    needed.dedup();
    let metrics: Vec<String> = files(&out).into_iter().filter(|f| f.ends_with("metrics.json")).collect();
    // Text, image and audio; lambda_kd changes no teacher.
    assert_eq!(metrics.len(), 3 * needed.len(), "{metrics:?}");
    for path in &metrics {
        assert!(path.starts_with("teachers"), "{path}");
        let report = value(&read(&out.join(path)));
        for part in ["test", "ablations", "popularity"] {
            assert_eq!(report[part], serde_json::json!({}), "{path}: {part}");
        }
        assert!(report["validation"]["recall@20"].is_number());
    }
    assert!(!files(&out).iter().any(|f| f.ends_with("per_user.parquet")), "nor for single users");

    // A run that uses such a teacher measures it, for its audit.
    let teachers = out.join(Path::new(&metrics[0]).parent().unwrap().parent().unwrap());
    let run = demo.dir("run");
    let mut train = program();
    train.args(["train", "--quiet", "--balance", "ckd", "--config"]).arg(teachers.join("text/config.toml"));
    train.arg("--teachers").arg(&teachers).arg("--out").arg(&run);
    ok(&mut train);
    let report = value(&read(&teachers.join("text/metrics.json")));
    assert!(report["test"]["recall@20"].is_number(), "{report}");
    let audit = json(program().args(["audit", "--format", "json"]).arg(&run));
    assert!(audit["audit"]["modalities"][0]["teacher"].is_number());
}

#[test]
fn results_do_not_depend_on_jobs_or_threads() {
    let demo = Demo::new();
    let file = config(&demo, "tpe.toml", TPE);
    let (one, two) = (demo.dir("one"), demo.dir("two"));
    ok(sweep(&demo, &file, &one).args(["--threads", "1"]));
    ok(sweep(&demo, &file, &two).args(["--jobs", "3", "--threads", "4"]));
    let table = |out: &Path| timeless(&read(&out.join("trials.csv")));
    assert_eq!(table(&one), table(&two));
    assert_eq!(read(&one.join("best.toml")), read(&two.join("best.toml")));
}

/// A search in a process of its own.
fn start(demo: &Demo, file: &Path, out: &Path) -> Child {
    let mut command = Command::new(common::path());
    command
        .args(["sweep", "--quiet", "--jobs", "2", "--threads", "2"])
        .arg(file)
        .arg("--data")
        .arg(demo.data());
    command.arg("--out").arg(out).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until `there` holds; false if the process ended before.
fn wait(child: &mut Child, there: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if there() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn recorded(out: &Path) -> usize {
    fs::read_to_string(out.join("trials.jsonl")).map_or(0, |text| text.lines().count().saturating_sub(1))
}

#[test]
fn a_search_that_is_killed_again_and_again_ends_as_if_it_never_was() {
    let demo = Demo::new();
    let file = config(&demo, "tpe.toml", TPE);
    let (whole, killed) = (demo.dir("whole"), demo.dir("killed"));
    ok(&mut sweep(&demo, &file, &whole));
    let mut kills = 0;
    // While the first teachers are trained, in the random trials, and among the estimates.
    for stage in [0, 2, 5, 8] {
        let mut child = start(&demo, &file, &killed);
        let reached = wait(&mut child, || recorded(&killed) >= stage && killed.join("teachers").exists());
        let before = recorded(&killed);
        // SIGKILL: the process cannot tidy up.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(recorded(&killed) >= before);
        kills += usize::from(reached);
    }
    assert!(kills >= 3, "the search must be killed on its way, not after it: {kills}");
    let known = recorded(&killed);
    let text = failure_free(&demo, &file, &killed);
    assert!(text.contains("known from before") && known >= 5, "{known}: {text}");
    let table = |out: &Path| timeless(&read(&out.join("trials.csv")));
    assert_eq!(table(&killed), table(&whole));
    assert_eq!(read(&killed.join("best.toml")), read(&whole.join("best.toml")));
    let page = |out: &Path| read(&out.join("sweep.md")).replace("killed", "whole");
    assert_eq!(page(&killed), page(&whole));
    let left = files(&killed).into_iter().filter(|f| f.contains("tmp")).count();
    assert_eq!(table(&killed).len(), 11);
    assert!(left <= 4, "a killed process leaves at most the file that it was writing");
}

/// Runs a search to its end with progress; what it says.
fn failure_free(demo: &Demo, file: &Path, out: &Path) -> String {
    let mut command = program();
    command.arg("sweep").arg(file).arg("--data").arg(demo.data()).arg("--out").arg(out);
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done_and_the_same_command_goes_on() {
    let demo = Demo::new();
    let (file, out) = (config(&demo, "tpe.toml", TPE), demo.dir("found"));
    let mut child = start(&demo, &file, &out);
    assert!(wait(&mut child, || recorded(&out) >= 2), "the search ended by itself");
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(130), "a search that is not over is no success");
    let report = read(&out.join("sweep.md"));
    assert!(report.contains("so far, of "), "{report}");
    ok(&mut sweep(&demo, &file, &out));
    assert_eq!(recorded(&out), 10);
    assert!(!read(&out.join("sweep.md")).contains("so far"));
}

#[test]
fn a_trial_that_fails_is_recorded_and_the_rest_goes_on() {
    let demo = Demo::new();
    let grid = "[sweep.space]\n\"train.lr\" = [5e-3, 1e30]\n\"backbone.name\" = [\"vbpr\", \"bprmf\"]\n";
    let (file, out) = (config(&demo, "grid.toml", grid), demo.dir("found"));
    let text = ok(&mut sweep(&demo, &file, &out));
    assert!(text.contains("of 4 evaluations failed"), "{text}");
    let report = read(&out.join("sweep.md"));
    assert!(report.contains("## Failed") && report.contains("train.lr 1e30"), "{report}");
    assert!(report.contains("the loss became") || report.contains("not finite"), "{report}");
    assert!(read(&out.join("best.toml")).contains("lr = 0.005"));
    // Nothing is tried again.
    let before = read(&out.join("trials.csv"));
    ok(&mut sweep(&demo, &file, &out));
    assert_eq!(read(&out.join("trials.csv")), before);
}

#[test]
fn halving_gives_survivors_more_epochs() {
    let demo = Demo::new();
    let halving = "
        [sweep]
        method = \"halving\"
        trials = 6
        min_epochs = 1
        eta = 2
        [sweep.space]
        \"train.lr\" = { low = 1e-4, high = 1e-1, log = true }
    ";
    let (file, out) = (config(&demo, "halving.toml", halving), demo.dir("found"));
    ok(&mut sweep(&demo, &file, &out));
    let rows: Vec<(u64, u64)> = read(&out.join("trials.jsonl"))
        .lines()
        .skip(1)
        .map(|l| (value(l)["budget"].as_u64().unwrap(), value(l)["epochs"].as_u64().unwrap()))
        .collect();
    let with = |budget: u64| rows.iter().filter(|(b, _)| *b == budget).count();
    assert_eq!((with(1), with(2), with(4)), (6, 3, 1));
    assert!(rows.iter().all(|(budget, epochs)| epochs <= budget));
    assert!(read(&out.join("best.toml")).contains("epochs = 4"), "the whole budget");
}

#[test]
fn more_trials_continue_a_search_and_another_one_is_refused() {
    let demo = Demo::new();
    let random = |trials: usize| {
        format!(
            "[sweep]\nmethod = \"random\"\ntrials = {trials}\n[sweep.space]\n\"train.reg\" = {{ low = 1e-5, high = 1, log = true }}\n"
        )
    };
    let out = demo.dir("found");
    ok(&mut sweep(&demo, &config(&demo, "a.toml", &random(2)), &out));
    let first = read(&out.join("trials.csv"));
    ok(&mut sweep(&demo, &config(&demo, "a.toml", &random(4)), &out));
    let second = read(&out.join("trials.csv"));
    assert!(second.starts_with(&first) && second.lines().count() == 5, "{second}");
    let error = failure(&mut sweep(&demo, &config(&demo, "a.toml", &random(3)), &out), 2);
    assert!(error.contains("4 trials were begun here"), "{error}");
    let error =
        failure(sweep(&demo, &config(&demo, "a.toml", &random(4)), &out).args(["--set", "train.lr=0.1"]), 2);
    assert!(error.contains("train.lr: there 0.005, now 0.1"), "{error}");
}

#[test]
fn faults_of_the_configuration_are_told_before_anything_is_made() {
    let demo = Demo::new();
    let out = demo.dir("never");
    for (text, expected) in [
        ("[sweep.space]\n\"train.lrr\" = [1]\n", "did you mean `train.lr`?"),
        ("[sweep]\ntrails = 1\n[sweep.space]\n\"train.reg\" = [1]\n", "did you mean `sweep.trials`?"),
        ("[sweep.space]\n\"train.reg\" = [-1]\n", "train.reg = -1: expected 0 or more"),
        ("[sweep.space]\n\"train.reg\" = { low = 1, high = 2 }\n", "a grid needs a list"),
        ("", "expected a section [sweep]"),
    ] {
        let error = failure(&mut sweep(&demo, &config(&demo, "bad.toml", text), &out), 2);
        assert!(error.contains("bad.toml") && error.contains(expected), "{error}");
    }
    let good = config(&demo, "good.toml", "[sweep.space]\n\"train.reg\" = [1]\n");
    let error = failure(program().arg("sweep").arg(&good).arg("--out").arg(&out), 2);
    assert!(error.contains("--data"), "{error}");
    let error = failure(program().arg("sweep").arg("none.toml").arg("--out").arg(&out), 2);
    assert!(error.contains("none.toml"), "{error}");
    assert!(!out.exists());
}
