//! Run directories: what they hold, when they are refused, and what is read back.

mod common;

use common::{World, entries};
use equipoise_data::Seed;
use equipoise_models::Ablation;
use equipoise_train::Metrics;
use equipoise_train::{Job, Role, Run, StopFlag, TrainError, events::Silent};

#[test]
fn a_finished_run_holds_every_file_and_each_teacher_is_one() {
    let world = World::new();
    let outcome = world.run(&world.distilled(), "run").unwrap();
    let own = [
        "config.toml",
        "events.jsonl",
        "metrics.json",
        "model.safetensors",
        "per_user.parquet",
        "vocabulary.json",
    ];
    let mut all: Vec<&str> = own.to_vec();
    all.splice(5..5, ["tables.safetensors", "teachers"]);
    assert_eq!(entries(outcome.run.dir()), all, "and no temporary file");
    for name in world.modalities() {
        let dir = world.path("run/teachers").join(name);
        assert_eq!(entries(&dir), own);
        assert_eq!(Run::open(&dir).unwrap().report().unwrap().role, Role::Teacher(name.into()));
    }
}

/// Equal but for the last digit, which reading a decimal number may lose.
fn same(what: &str, found: &Metrics, expected: &Metrics) {
    assert!(!expected.is_empty() && found.keys().eq(expected.keys()), "{what}: {found:?}");
    for (name, value) in expected {
        assert!((found[name] - value).abs() < 1e-14, "{what} {name}: {} {value}", found[name]);
    }
}

#[test]
fn metrics_and_configuration_are_read_back_as_written() {
    let world = World::new();
    let config = world.config();
    let outcome = world.run(&config, "run").unwrap();
    let run = Run::open(&world.path("run")).unwrap();
    assert_eq!(*run.config().unwrap(), config);
    let report = run.report().unwrap();
    let (test, expected) = (report.test.as_ref().unwrap(), outcome.report.test.as_ref().unwrap());
    assert_eq!(test.definitions, expected.definitions);
    assert_eq!((&report.role, &report.fingerprint), (&outcome.report.role, &outcome.report.fingerprint));
    same("test", &test.metrics, &expected.metrics);
    same("validation", &report.validation, &outcome.report.validation);
    same("popularity", &test.popularity, &expected.popularity);
    for (ablation, metrics) in &expected.ablations {
        same(&format!("{ablation:?}"), &test.ablations[ablation], metrics);
    }
    let recall = test.metrics["recall@20"];
    assert!(recall > 0.0 && recall <= 1.0 && report.validation["recall@20"] > 0.0);
    let n = world.modalities().len();
    for ablation in (0..n).map(|m| Ablation::only(m, n)).chain([Ablation::ids_only(n)]) {
        assert!(test.ablations.contains_key(&ablation), "{ablation:?}: {:?}", test.ablations.keys());
    }
    let text = std::fs::read_to_string(run.metrics_path()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["test"]["recall@20"].as_f64(), Some(recall));
    assert_eq!(test.evaluated_users + test.skipped_users, report.users);
}

#[test]
fn a_taken_directory_is_refused_and_overwritten_on_request() {
    let world = World::new();
    let (first, out) = (world.config(), world.path("run"));
    world.run(&first, "run").unwrap();
    let before = std::fs::read(out.join("metrics.json")).unwrap();
    let error = world.run(&first, "run").err().expect("taken");
    assert!(matches!(error, TrainError::Taken(_)) && error.to_string().contains("--overwrite"), "{error}");
    assert_eq!(std::fs::read(out.join("metrics.json")).unwrap(), before, "nothing was touched");
    let mut second = first;
    second.seed += 1;
    let second = second.checked().unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    let job = Job { config: &second, loaded: &world.loaded, out: &out, overwrite: true, from_scratch: false };
    job.execute(&mut Silent, &StopFlag::default()).unwrap();
    assert_eq!(Run::open(&out).unwrap().config().unwrap().seed, second.seed);
    assert_eq!(std::fs::read_to_string(out.join("notes.txt")).unwrap(), "mine", "foreign files stay");
}

#[test]
fn an_unfinished_run_is_taken_over_by_the_same_configuration_and_by_no_other() {
    let world = World::new();
    let config = world.config();
    let whole = world.run(&config, "whole").unwrap();
    let half = Run::begin(&world.path("run"), &config, &world.loaded.data, false).unwrap();
    std::fs::write(half.model_path(), "half a model").unwrap();
    let mut other = config.clone();
    other.train.lr *= 2.0;
    let error = world.run(&other, "run").err().expect("an unfinished run of another configuration");
    assert!(matches!(error, TrainError::Taken(_)), "{error}");
    let taken_over = world.run(&config, "run").unwrap();
    assert_eq!(taken_over.report.test, whole.report.test);
    let error = world.run(&config, "run").err().expect("a finished run");
    assert!(matches!(error, TrainError::Taken(_)), "{error}");
}

#[test]
fn overwriting_begins_by_removing_the_mark_of_a_finished_run() {
    let world = World::new();
    world.run(&world.config(), "run").unwrap();
    let run = Run::create(&world.path("run"), true).unwrap();
    assert!(entries(run.dir()).is_empty());
    let error = Run::open(&world.path("run")).unwrap_err().to_string();
    assert!(error.contains("no run here"), "{error}");
    run.write_start(&world.config(), &world.loaded.data).unwrap();
    let error = Run::open(&world.path("run")).unwrap_err().to_string();
    assert!(error.contains("did not finish"), "{error}");
}

#[test]
fn a_model_is_refused_on_other_data_and_from_a_damaged_file() {
    let (world, other) = (World::new(), World::seeded(8));
    let run = world.run(&world.config(), "run").unwrap().run;
    let fresh = equipoise_models::Model::new(
        &world.config().backbone,
        &world.loaded.data,
        Seed(world.config().seed),
        &equipoise_nn::device("cpu").unwrap(),
    );
    let trained = run.model(&world.loaded.data).unwrap().parameters.snapshot();
    assert_ne!(trained, fresh.unwrap().parameters.snapshot());
    let error = run.model(&other.loaded.data).err().expect("other data").to_string();
    assert!(error.contains("other data") && error.contains("fingerprint"), "{error}");
    let bytes = std::fs::read(run.model_path()).unwrap();
    std::fs::write(run.model_path(), &bytes[..bytes.len() / 2]).unwrap();
    let error = run.model(&world.loaded.data).err().expect("damaged").to_string();
    assert!(error.contains("model.safetensors"), "{error}");
}
