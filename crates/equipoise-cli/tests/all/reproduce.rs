//! `reproduce` as a user meets it: it can be killed at any time, and what fails is said and passed over.

use crate::common;

use common::{Demo, failure, json, ok, program};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Table 1 for VBPR on small demo data, one search setting left to each method.
fn arguments(table: &str, demo: &Demo, out: &Path) -> Vec<String> {
    let mut list: Vec<String> =
        ["reproduce", table, "--backbones", "vbpr", "--dataset", "data", "--seeds", "2"]
            .map(String::from)
            .to_vec();
    list.extend(["--threads", "1", "--data"].map(String::from));
    list.push(demo.dir("").display().to_string());
    list.extend(["--out".to_owned(), out.display().to_string()]);
    for set in [
        "train.epochs=4",
        "backbone.width=8",
        "train.batch_size=64",
        "train.lr=0.01",
        "balance.ckd.generic_triples=50",
        "balance.ckd.lambda_g=1.0",
    ] {
        list.extend(["--set".to_owned(), set.to_owned()]);
    }
    list
}

fn read(out: &Path, file: &str) -> String {
    fs::read_to_string(out.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Everything but times and memory.
fn numbers(out: &Path) -> [String; 2] {
    [read(out, "table1.csv"), read(out, "table1-runs.csv")]
}

fn finished(dir: &Path) -> usize {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let count = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => finished(&path),
        path => usize::from(path.ends_with("finished.json")),
    };
    entries.flatten().map(count).sum()
}

fn start(arguments: &[String]) -> Child {
    let mut command = Command::new(common::path());
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until `n` tasks are finished, or the program has ended.
fn wait_for(child: &mut Child, out: &Path, n: usize) {
    while finished(&out.join("runs")) < n && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn killed_again_and_again_it_comes_to_the_same_numbers() {
    let demo = Demo::new();
    let (whole, broken) = (demo.dir("whole"), demo.dir("broken"));
    ok(program().args(arguments("table1", &demo, &whole)).args(["--methods", "ckd", "--quiet"]));
    let all = finished(&whole.join("runs"));
    assert!(all >= 10, "{all} tasks");

    let mut arguments = arguments("table1", &demo, &broken);
    arguments.extend(["--methods", "ckd", "--jobs", "2"].map(String::from));
    let mut kills = 0;
    for n in [1, all / 2, all - 2] {
        let mut child = start(&arguments);
        wait_for(&mut child, &broken, n);
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    assert!(kills > 0, "it was never killed before its end");
    let before = fs::metadata(first(&broken)).unwrap().modified().unwrap();
    ok(program().args(&arguments));
    assert_eq!(fs::metadata(first(&broken)).unwrap().modified().unwrap(), before, "a finished run ran again");
    assert_eq!(numbers(&whole), numbers(&broken));
    assert_eq!(finished(&broken.join("runs")), all, "no more tasks than without the kills");

    // Searches leave nothing behind that was measured on test.
    let searches = fs::read_dir(whole.join("runs/data/vbpr/search")).unwrap();
    for search in searches.flatten() {
        assert!(search.path().join("finished.json").exists());
        for file in ["metrics.json", "per_user.parquet"] {
            assert!(!search.path().join(file).exists(), "{file} in {:?}", search.path());
        }
    }
}

#[test]
fn a_command_that_starts_tasks_elsewhere_comes_to_the_same_numbers() {
    let demo = Demo::new();
    let (here, there) = (demo.dir("here"), demo.dir("there"));
    let (on, log) = common::queue(&demo);
    let run = |out: &Path, more: &[&str]| {
        ok(program().args(arguments("table1", &demo, out)).args(["--methods", "none", "--quiet"]).args(more))
    };
    run(&here, &[]);
    run(&there, &["--on", &on, "--jobs", "2"]);
    assert_eq!(numbers(&here), numbers(&there));
    let started = fs::read_to_string(log).unwrap();
    assert_eq!(started.lines().count(), finished(&there.join("runs")), "{started}");
    assert!(
        started.lines().all(|line| line.starts_with("task ") && line.ends_with("task.toml")),
        "{started}"
    );
}

#[test]
fn a_command_that_cannot_be_started_or_read_is_named() {
    let demo = Demo::new();
    let out = demo.dir("out");
    let said = |on: &str, code| {
        let mut command = program();
        command.args(arguments("table1", &demo, &out)).args(["--methods", "none", "--quiet", "--on", on]);
        failure(&mut command, code)
    };
    for on in ["", "srun 'equipoise"] {
        let message = said(on, 2);
        assert!(message.contains("expected ray, ray:ADDRESS, or a command"), "{message}");
    }
    said("no-such-queue equipoise", 1);
    assert!(read(&out, "table1.md").contains("its process (no-such-queue)"), "{}", read(&out, "table1.md"));
}

/// The mark of a search's first point, which every attempt needs.
fn first(out: &Path) -> std::path::PathBuf {
    let mut done: Vec<_> = fs::read_dir(out.join("runs/data/vbpr/search"))
        .unwrap()
        .flatten()
        .map(|e| e.path().join("finished.json"))
        .filter(|p| p.exists())
        .collect();
    done.sort_by_key(|p| fs::metadata(p).unwrap().modified().unwrap());
    done.remove(0)
}

#[test]
fn tables_share_their_runs_and_pages_are_made_from_what_is_there() {
    let demo = Demo::new();
    let out = demo.dir("out");
    let table = |name: &str, extra: &[&str]| {
        let mut command = program();
        command.args(arguments(name, &demo, &out)).args(extra);
        command
    };
    let text = ok(table("table1", &["--only-report", "--methods", "ckd"]).arg("--quiet"));
    assert!(text.contains("table1.html") && finished(&out) == 0, "{text}");
    assert!(read(&out, "table1.md").contains("not run"), "{}", read(&out, "table1.md"));

    ok(&mut table("table2", &["--methods", "teacher,ckd"]));
    let trained = finished(&out);
    let page = read(&out, "table2.html");
    assert!(page.contains("uni-modal teachers") && page.contains("audio recall@20"));
    assert!(
        !page.contains("src=") && !page.contains("http:") && !page.contains("https:"),
        "the page is self-contained"
    );
    // Table 1 reads the same models.
    ok(&mut table("table1", &["--methods", "ckd"]));
    assert_eq!(finished(&out), trained);
    let summary =
        json(table("table1", &["--methods", "ckd", "--only-report", "--format", "json"]).arg("--quiet"));
    assert!(summary["headline"][0].as_str().unwrap().starts_with("CKD is above plain in"), "{summary}");

    // The figure needs plain runs and teachers alone.
    ok(&mut table("fig1", &[]));
    assert_eq!(finished(&out), trained);
    let curves = read(&out, "fig1-curves.csv");
    for curve in ["multimodal", "text channel", "text teacher", "audio teacher"] {
        assert!(curves.contains(curve), "{curve}: {curves}");
    }
    assert!(read(&out, "fig1.html").contains("<polyline"));
    let svg = read(&out, "fig1.svg");
    assert!(
        svg.starts_with("<svg xmlns=") && svg.contains("VBPR: text") && svg.contains("<polyline"),
        "{svg}"
    );

    // Runs of another version are not found, and leave what was there.
    let pages = numbers(&out);
    let other = units(&out.join("runs"));
    other.iter().for_each(|unit| mark(unit, "\"key\": \"", "\"key\": \"0"));
    let error = failure(&mut table("table1", &["--methods", "ckd"]), 1);
    assert!(
        error.contains("another version lies here") && error.contains("table1.md and the files"),
        "{error}"
    );
    assert_eq!(numbers(&out), pages);
    other.iter().for_each(|unit| mark(unit, "\"key\": \"0", "\"key\": \""));

    // All tables of the folder as Markdown, and the curves of one of its runs.
    let digest = ok(program().args(["reproduce", "results"]).arg(&out));
    for title in ["### Plain and balanced", "### Channels and teachers", "### Costs", "### Settings found"] {
        assert!(digest.contains(title), "{title}: {digest}");
    }
    let plain = finals(&out.join("runs/data/vbpr"));
    ok(program().arg("audit").arg(plain).arg("--svg").arg(demo.dir("curves.svg")));
    assert!(fs::read_to_string(demo.dir("curves.svg")).unwrap().contains("<polyline"));
}

#[test]
fn a_table_shows_what_weights_chosen_after_training_make_of_each_model() {
    let demo = Demo::new();
    let out = demo.dir("out");
    let study = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/balance");
    let table = || {
        let mut command = program();
        command.args(arguments("balance", &demo, &out)).args(["--study", study, "--methods", "none"]);
        command.args([
            "--backbones",
            "vbpr,bprmf",
            "--set",
            "train.reg=0.001",
            "--set",
            "train.reg_content=1.0",
        ]);
        command
    };
    ok(&mut table());
    let parts = read(&out, "balance-parts.csv");
    let kept = |seed: &str, part: &str| -> f64 {
        let start = format!("data,vbpr,none,{seed},calibrated,{part},");
        let line = parts.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{start}: {parts}")).parse().unwrap()
    };
    assert!(!parts.lines().any(|line| line.contains("bprmf") && line.contains("calibrated")), "{parts}");
    // The same by hand: weights by validation, the metric on test with them.
    let run = finals(&out.join("runs/data/vbpr"));
    let found = json(program().args(["calibrate", "--quiet", "--format", "json"]).arg(&run));
    for (name, weight) in found["calibration"]["weights"].as_object().unwrap() {
        assert_eq!(Some(kept("1", &format!("weight of {name}"))), weight.as_f64());
    }
    let by_hand = json(program().args(["evaluate", "--calibrated", "--format", "json"]).arg(&run));
    assert_eq!(Some(kept("1", "with weights")), by_hand["metrics"]["recall@20"].as_f64());
    let trained = json(program().args(["evaluate", "--format", "json"]).arg(&run));
    assert_eq!(Some(kept("1", "as trained")), trained["metrics"]["recall@20"].as_f64());
    let page = read(&out, "balance.md");
    assert!(page.contains("weights of modalities that validation chose after training"), "{page}");
    // What is of other metrics is made again; what is there already stays.
    let file = run.join("calibrated.json");
    let first = fs::read_to_string(&file).unwrap();
    fs::write(&file, first.replace("\"of\": \"", "\"of\": \"0")).unwrap();
    ok(&mut table());
    assert_eq!((fs::read_to_string(&file).unwrap(), read(&out, "balance-parts.csv")), (first, parts));
}

/// The files that say what each unit was made from.
fn units(dir: &Path) -> Vec<std::path::PathBuf> {
    let inside = |path: std::path::PathBuf| if path.is_dir() { units(&path) } else { vec![path] };
    let files = fs::read_dir(dir).unwrap().flatten().flat_map(|entry| inside(entry.path()));
    files.filter(|path| path.ends_with("unit.json")).collect()
}

fn mark(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{}: {text}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

/// The run of seed 1 of the plain model among the runs of a backbone.
fn finals(runs: &Path) -> std::path::PathBuf {
    let mut found = fs::read_dir(runs).unwrap().flatten().map(|entry| entry.path());
    found.find(|path| path.to_string_lossy().contains("/none-")).expect("a plain model").join("seed1")
}

#[test]
fn what_fails_is_in_the_table_with_its_message_and_the_rest_goes_on() {
    let demo = Demo::new();
    let out = demo.dir("out");
    // Distillation so strong that the loss overflows.
    let broken = ["--methods", "ckd", "--set", "balance.ckd.lambda_kd=1e39"];
    let mut command = program();
    let error = failure(command.args(arguments("table1", &demo, &out)).args(broken), 1);
    assert!(error.contains("the loss became"), "{error}");
    let page = read(&out, "table1.md");
    assert!(page.contains("| VBPR | plain | 0.") && page.contains("| VBPR | CKD | failed"), "{page}");
    assert!(page.contains("table1/vbpr-ckd-data") && page.contains("the loss became"), "{page}");
    // It is not tried again unless asked for.
    let mut again = program();
    let error = failure(again.args(arguments("table1", &demo, &out)).args(broken), 1);
    assert!(error.contains("were there already") && !error.contains("] data/vbpr"), "{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_the_same_command_goes_on() {
    let demo = Demo::new();
    let out = demo.dir("out");
    let mut arguments = arguments("table1", &demo, &out);
    arguments.extend(["--methods", "ckd"].map(String::from));
    let mut child = start(&arguments);
    wait_for(&mut child, &out, 1);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert!(sent.success() && status.code() == Some(130), "{status}");
    assert!(read(&out, "table1.md").contains("not run"), "the pages show what is there and what is not");
    ok(program().args(&arguments));
    assert!(read(&out, "table1.md").contains("2/2"));
}

/// Users of 15 items, of whose three held-out ones two are in `larger`.
fn write_split(dir: &Path, larger: &str) {
    fs::create_dir_all(dir.join("5-core")).unwrap();
    let smaller = if larger == "val" { "test" } else { "val" };
    for (split, from, to) in [("train", 0, 12), (larger, 12, 14), (smaller, 14, 15)] {
        let user =
            |u: usize| format!("\"{u}\": {:?}", (from..to).map(|k| (u + 5 * k) % 80).collect::<Vec<_>>());
        let users: Vec<String> = (0..20).map(user).collect();
        fs::write(dir.join(format!("5-core/{split}.json")), format!("{{{}}}", users.join(", "))).unwrap();
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let demo = Demo::new();
    for (name, larger) in [("lattice", "val"), ("mmrec", "test")] {
        write_split(&demo.dir(name), larger);
        fs::copy(demo.data().join("text_feat.npy"), demo.dir(name).join("text_feat.npy")).unwrap();
    }
    let call = |extra: &[&str]| {
        let mut command = program();
        command.timeout(Duration::from_secs(60));
        command
            .args(["reproduce", "table1", "--data"])
            .arg(demo.dir(""))
            .arg("--out")
            .arg(demo.dir("out"))
            .args(extra);
        command
    };
    let error = failure(&mut call(&["--dataset", "lattice,mmrec"]), 2);
    assert!(error.contains("lattice (LATTICE split) and mmrec (MMRec split)"), "{error}");
    let error = failure(&mut call(&["--dataset", "mmrec"]), 2);
    assert!(error.contains("--without-published"), "{error}");
    let error = failure(&mut call(&["--dataset", "nothing-here"]), 2);
    assert!(error.starts_with("error: "), "{error}");
    let error = failure(&mut call(&["--dataset", "data", "--set", "seed=3"]), 2);
    assert!(error.contains("every cell has its own"), "{error}");
    let error = failure(&mut call(&["--dataset", "data", "--set", "train.pacience=3"]), 2);
    assert!(error.contains("did you mean `train.patience`?"), "{error}");
    let error = failure(&mut call(&["--dataset", "data", "--methods", "magic"]), 2);
    assert!(error.contains("--methods magic"), "{error}");
    assert!(!demo.dir("out").exists(), "nothing is made before the input is known to be sound");
}
