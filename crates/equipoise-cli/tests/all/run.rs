//! `equipoise run`: every stage once, whatever happens in between.

use crate::common;

use common::{Demo, failure, json, ok, program, raw_files};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A quick run.
const QUICK: [&str; 8] = [
    "--epochs",
    "3",
    "--set",
    "backbone.width=8",
    "--set",
    "train.batch_size=64",
    "--set",
    "train.eval_every=1",
];

fn arguments(demo: &Demo, out: &str, more: &[&str]) -> Vec<String> {
    let places =
        ["run", "--data", &demo.data().display().to_string(), "--out", &demo.dir(out).display().to_string()]
            .map(str::to_owned);
    places.into_iter().chain(QUICK.iter().chain(more).map(|text| (*text).to_owned())).collect()
}

/// The stages by name, each with its state, as `--dry-run` tells.
fn states(demo: &Demo, out: &str, more: &[&str]) -> BTreeMap<String, String> {
    let told = json(program().args(arguments(demo, out, more)).args(["--dry-run", "--format", "json"]));
    let stages = told["stages"].as_array().expect("a list").iter();
    let text = |stage: &Value, key: &str| stage[key].as_str().expect("text").to_owned();
    stages.map(|stage| (text(stage, "name"), text(stage, "state"))).collect()
}

/// Says of the first file that differs which it is.
fn same(found: &BTreeMap<PathBuf, String>, wanted: &BTreeMap<PathBuf, String>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, text) in found {
        assert_eq!(*text, wanted[name], "{}", name.display());
    }
}

fn not_up_to_date(states: &BTreeMap<String, String>) -> Vec<&str> {
    states.iter().filter(|(_, state)| *state != "up_to_date").map(|(name, _)| name.as_str()).collect()
}

/// Everything that a pipeline found, without times: texts as they are, of models a hash of the
/// parameters.
fn results(out: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listing").map(|entry| entry.expect("entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = fs::read(&entry).expect("readable");
            let kept = match name.as_str() {
                "metrics.json" => {
                    let mut report: Value = serde_json::from_slice(&bytes).expect("JSON");
                    report["seconds"] = 0.into();
                    report.to_string()
                }
                "report.html" | "report.md" | "summary.json" | "chosen.toml" => {
                    // A run's configuration names its teachers' place.
                    let text = String::from_utf8(bytes).expect("UTF-8");
                    text.replace(&out.display().to_string(), "OUT")
                }
                "model.safetensors" => {
                    // The order of the metadata in the header is by chance.
                    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
                    let mut hasher = DefaultHasher::new();
                    bytes[8 + header..].hash(&mut hasher);
                    format!("{:x}", hasher.finish())
                }
                _ => continue,
            };
            found.insert(entry.strip_prefix(out).expect("below").to_owned(), kept);
        }
    }
    found
}

#[test]
fn the_same_call_again_finds_everything_done_and_a_setting_redoes_what_depends_on_it() {
    let demo = Demo::new();
    let none = ["--budget", "none"];
    let all = states(&demo, "study", &none);
    assert_eq!(all.len(), 8, "{all:?}");
    assert!(all.values().all(|state| state == "new") && !demo.dir("study").exists(), "{all:?}");
    let text = ok(program().args(arguments(&demo, "study", &none)));
    assert!(
        text.contains("Plain model: ") && text.contains("Over the ") && text.contains("paired t test"),
        "{text}"
    );
    assert!(text.contains("report/report.html"), "{text}");
    assert!(text.contains("Served is ") && text.contains("on test, measured once"), "{text}");
    // The better with its weights is served, and what the other has with its own is told beside it.
    let summary = fs::read_to_string(demo.dir("study/report/summary.json")).expect("a summary");
    let kept = serde_json::from_str::<Value>(&summary).expect("JSON")["served"].clone();
    let on_validation = |of: &Value| of["calibration"]["calibrated"].as_f64().expect("a value");
    assert!(on_validation(&kept) >= on_validation(&kept["other"]), "{kept}");
    assert!(kept["other"]["test"].is_f64() && kept["name"] != kept["other"]["name"], "{kept}");
    assert!(text.contains("With weights chosen alike, "), "{text}");
    let served = json(program().arg("recommend").arg(demo.dir("study/served")).args([
        "--user",
        "user-0003",
        "--format",
        "json",
    ]));
    let title = served["lists"][0]["items"][0]["title"].as_str().expect("titles go along");
    assert!(
        !title.is_empty() && served["model"]["name"].as_str().expect("a name").ends_with("-seed42"),
        "{served}"
    );
    let first = results(&demo.dir("study"));
    // Two models, three teachers of modalities and two of ids, two files of settings, three of the report.
    assert_eq!(first.len(), 2 * 2 + 5 * 2 + 2 + 3, "{:?}", first.keys());

    let again = program().args(arguments(&demo, "study", &none)).output().expect("starts");
    let talk = String::from_utf8(again.stderr).expect("UTF-8");
    assert_eq!(talk.matches("up to date").count(), 8, "{talk}");
    assert_eq!(String::from_utf8(again.stdout).expect("UTF-8"), text);
    same(&results(&demo.dir("study")), &first);

    let after = |more: &[&str]| {
        let states = states(&demo, "study", &[&none, more].concat());
        not_up_to_date(&states).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert!(after(&[]).is_empty());
    assert_eq!(after(&["--set", "balance.ckd.tau=0.2"]), ["ckd/seed42", "report", "served", "tune/ckd"]);
    assert_eq!(after(&["--seeds", "2"]), ["ckd/seed43", "plain/seed43", "report", "teachers/seed43"]);
    assert_eq!(after(&["--set", "train.patience=4"]).len(), 7, "all but the data");
    // Work that was done for one setting is not mistaken for another's.
    ok(program().args(arguments(&demo, "study", &none)).args(["--set", "balance.ckd.tau=0.2"]));
    assert_eq!(after(&[]), ["ckd/seed42", "report", "served", "tune/ckd"]);
    ok(program().args(arguments(&demo, "study", &none)));
    same(&results(&demo.dir("study")), &first);
}

#[test]
fn a_loud_modality_is_told_unless_the_search_compares_scales() {
    let demo = Demo::new();
    demo.louder("audio", 100.0);
    let told = |out: &str, more: &[&str]| {
        let output = program().args(arguments(&demo, out, more)).output().expect("starts");
        assert!(output.status.success(), "{output:?}");
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8")).concat();
        said + &fs::read_to_string(demo.dir(out).join("data/check.txt")).expect("the findings")
    };
    let fixed = told("fixed", &["--budget", "none"]);
    assert!(fixed.contains("times as loud as") && fixed.contains("try data.scale = \"l2\""), "{fixed}");
    let compared = told("compared", &["--budget", "small"]);
    assert!(!compared.contains("times as loud as"), "{compared}");
    assert!(compared.contains("data.scale"), "the search tells what it compares: {compared}");
}

#[test]
fn what_is_damaged_or_comes_from_other_data_is_made_anew() {
    let demo = Demo::new();
    let none = ["--budget", "none"];
    ok(program().args(arguments(&demo, "study", &none)));
    let first = results(&demo.dir("study"));
    fs::write(demo.dir("study/plain/seed42/model.safetensors"), "half").expect("write");
    assert_eq!(not_up_to_date(&states(&demo, "study", &none)), ["plain/seed42"]);
    ok(program().args(arguments(&demo, "study", &none)));
    same(&results(&demo.dir("study")), &first);
    let test = demo.data().join("5-core/test.json");
    let text = fs::read_to_string(&test).expect("readable");
    fs::write(&test, format!("{text} ")).expect("write");
    assert_eq!(not_up_to_date(&states(&demo, "study", &none)).len(), 8, "even the test split counts");
}

#[test]
fn a_run_that_is_killed_goes_on_and_ends_the_same() {
    let demo = Demo::new();
    let small = ["--budget", "small"];
    ok(program().args(arguments(&demo, "whole", &small)));
    let whole = results(&demo.dir("whole"));
    let mut kills = 0;
    for milliseconds in [150, 400, 700, 1100, 1600, 2300] {
        let mut child = Command::new(common::path())
            .args(arguments(&demo, "broken", &small))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        kills += usize::from(child.try_wait().expect("a child").is_none());
        let _ = child.kill();
        child.wait().expect("a child");
    }
    assert!(kills > 0, "nothing was killed on the way");
    ok(program().args(arguments(&demo, "broken", &small)));
    same(&results(&demo.dir("broken")), &whole);
    // The search is among what was compared.
    let chosen = &whole[Path::new("tune/plain/chosen.toml")];
    assert!(
        chosen.contains("\"data.scale\" = ")
            && chosen.contains("\"train.lr\" = ")
            && chosen.contains("\"train.reg\" = "),
        "{chosen}"
    );
    let trials = fs::read_to_string(demo.dir("whole/tune/plain/trials.csv")).expect("readable");
    assert_eq!(trials.lines().count(), 1 + 6);
}

#[test]
fn raw_reviews_their_texts_and_images_become_a_report() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name);
    raw_files(&place("raw"), 40, 5);
    fs::write(
        place("run.toml"),
        format!(
            "reviews = {:?}\nmeta = {:?}\nimage_features = {:?}\ntext_dims = 8\nsplit = \"mmrec\"\nbudget = \"none\"\nepochs = 9\n[set]\n\"backbone.width\" = 4\n",
            place("raw/reviews_Made_Up_5.json.gz"),
            place("raw/meta_Made_Up.json.gz"),
            place("raw/image_features_Made_Up.b")
        ),
    )
    .expect("write");
    let mut run = program();
    run.args(["run", "--epochs", "1", "--format", "json", "--config"]).arg(place("run.toml"));
    let told = json(run.arg("--out").arg(place("out")));
    let modalities = told["summary"]["modalities"].as_array().expect("a list").iter();
    assert_eq!(
        modalities.map(|m| m["modality"].as_str().expect("a name")).collect::<Vec<_>>(),
        ["image", "text"]
    );
    let config = fs::read_to_string(place("out/ckd/seed42/config.toml")).expect("readable");
    assert!(config.contains("epochs = 1\n") && config.contains("width = 4\n"), "flags win: {config}");
    let import = fs::read_to_string(place("out/import/data/import.json")).expect("readable");
    assert!(import.contains("\"mmrec\""));
    // The data set is one that every command reads, with what is missing.
    let check = json(program().args(["data", "check", "--format", "json"]).arg(place("out/data/set")));
    assert_eq!((&check["users"], &check["modalities"][0]["marked_missing"]), (&60.into(), &5.into()));
}

#[test]
fn input_that_cannot_be_used_is_named() {
    let demo = Demo::new();
    let call = |more: &[&str]| {
        let mut command = program();
        command.arg("run").args(more);
        failure(&mut command, 2)
    };
    let (data, out) = (demo.data().display().to_string(), demo.dir("o").display().to_string());
    let says = |text: &str, wanted: &str| assert!(text.contains(wanted), "{wanted:?} not in: {text}");
    says(&call(&["--out", &out]), "none of reviews, csv and data given: expected exactly one");
    says(&call(&["--data", &data, "--csv", "x.csv", "--out", &out]), "csv and data of reviews");
    says(&call(&["--data", &data]), "out: expected the directory");
    says(
        &call(&["--data", &data, "--meta", "m", "--out", &out]),
        "expected nothing, as only reviews reads it",
    );
    says(
        &call(&["--csv", "x.csv", "--out", &out]),
        "no modality: expected items with text, image or audio, image_folder, audio_folder or features",
    );
    says(&call(&["--data", "nowhere", "--out", &out]), "nowhere");
    says(&call(&["--data", &data, "--out", &out, "--seeds", "0"]), "seeds = 0: expected 1 to 1000");
    says(&call(&["--data", &data, "--out", &out, "--backbone", "popularity"]), "nothing to balance");
    says(&call(&["--data", &data, "--out", &out, "--set", "seed=3"]), "decided by the key `seed`");
    says(
        &call(&["--data", &data, "--out", &out, "--set", "train.patince=3"]),
        "did you mean `train.patience`?",
    );
    says(&call(&["--data", &data, "--out", &format!("{data}/out")]), "expected a directory outside of");
    fs::write(demo.dir("run.toml"), "seed = 1\nbugdet = \"none\"\n").expect("write");
    let config = demo.dir("run.toml").display().to_string();
    let text = call(&["--config", &config, "--data", &data, "--out", &out]);
    says(&text, "run.toml:2");
    says(&text, "bugdet");
    assert!(!demo.dir("o").exists(), "nothing is begun before everything is understood");
    fs::create_dir_all(demo.dir("o/report")).expect("create");
    fs::write(demo.dir("o/report/thesis.tex"), "work").expect("write");
    says(&call(&["--data", &data, "--out", &out]), "holds something that `equipoise run` did not write");
}

#[test]
fn tables_without_lines_of_names_become_a_report() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name);
    let ratings = (0..40).flat_map(|user| (0..6).map(move |n| (user, (user * 5 + n * 7) % 25)));
    let ratings = ratings.map(|(user, item)| format!("{user}::{item}::4::97830{user:02}{item:02}\n"));
    fs::write(place("ratings.dat"), ratings.collect::<String>()).expect("written");
    let movies = (0..25).map(|item| format!("{item}::Film {item} ({})::Drama|Comedy\n", 1970 + item));
    fs::write(place("movies.dat"), movies.collect::<String>()).expect("written");
    let run = || {
        let mut run = program();
        run.args(["run", "--budget", "none", "--epochs", "1", "--set", "backbone.width=4", "--no-header"]);
        run.args(["--split", "leave-one-out", "--text", "title,genres"]);
        run.arg("--csv").arg(place("ratings.dat")).arg("--items").arg(place("movies.dat"));
        run.arg("--out").arg(place("study"));
        run
    };
    let message = failure(&mut run(), 2);
    assert!(message.contains("movies.dat: line 1") && message.contains("--item-names"), "{message}");
    ok(run().args(["--item-names", "item_id,title,genres"]));
    let known = fs::read_to_string(place("study/served/items.jsonl")).expect("titles go along");
    assert_eq!(known.lines().count(), 25);
    assert!(known.contains("Film 7 (1977)"), "{known}");
}
