//! Run directories: what they hold, when they are refused, and what is read back.

use crate::common;

use common::{Raiser, Recorder, World, entries};
use equipoise_balance::Ckd;
use equipoise_data::Seed;
use equipoise_models::Ablation;
use equipoise_train::Metrics;
use equipoise_train::events::{Ending, Silent};
use equipoise_train::{Event, Job, Role, Run, RunConfig, StopFlag, TrainError};

#[test]
fn a_finished_run_holds_every_file_and_each_teacher_is_one() {
    let world = World::new();
    let outcome = world.run(&world.distilled(), "run").unwrap();
    let own = [
        "ablations.parquet",
        "config.toml",
        "events.jsonl",
        "metrics.json",
        "model.safetensors",
        "per_user.parquet",
        "run.json",
        "vocabulary.json",
    ];
    let mut all: Vec<&str> = own.to_vec();
    all.extend(["items.jsonl", "tables.safetensors", "teachers"]);
    all.sort_unstable();
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
fn every_user_is_kept_under_every_ablation() {
    let world = World::new();
    let outcome = world.run(&world.distilled(), "run").unwrap();
    let names = world.modalities();
    let teacher = Run::open(&world.path("run/teachers").join(names[0])).unwrap();
    for run in [&Run::open(outcome.run.dir()).unwrap(), &teacher] {
        let report = run.report().unwrap();
        let found = run.ablations(&world.config().train.metric).unwrap().expect("written");
        assert_eq!(found.users, run.per_user().unwrap().users);
        let (means, metric) = (found.means(), &world.config().train.metric);
        let test = report.test.as_ref().unwrap();
        for (ablation, metrics) in &test.ablations {
            let mean = means[&ablation.label(&report.modality_names())];
            assert!((mean - metrics[metric]).abs() < 1e-12, "{ablation:?}");
        }
        let whole = if report.role == Role::Model { "full".into() } else { format!("only {}", names[0]) };
        assert!((means[&whole] - test.metrics[metric]).abs() < 1e-12, "{whole}");
        assert_eq!(run.ablations("ndcg@1").unwrap(), None, "another metric");
    }
    std::fs::remove_file(outcome.run.ablations_path()).unwrap();
    let earlier = Run::open(outcome.run.dir()).unwrap();
    assert_eq!(earlier.ablations(&world.config().train.metric).unwrap(), None, "a run of an earlier version");
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

/// Every file of a run with its contents.
fn contents(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let files = entries(dir).into_iter().filter(|name| dir.join(name).is_file());
    files.map(|name| (name.clone(), std::fs::read(dir.join(name)).unwrap())).collect()
}

#[test]
fn a_run_that_is_to_be_replaced_stays_until_the_new_one_is_whole() {
    let world = World::new();
    let out = world.path("run");
    world.run(&world.config(), "run").unwrap();
    let before = contents(&out);
    let replace = |config: &RunConfig, stop: &StopFlag, at: (usize, usize)| {
        let config = config.clone().checked().unwrap();
        let job =
            Job { config: &config, loaded: &world.loaded, out: &out, overwrite: true, from_scratch: false };
        job.execute(&mut Raiser { flag: stop.clone(), at }, stop)
    };
    let mut diverging = world.config();
    diverging.train.lr = 1e30;
    let error = replace(&diverging, &StopFlag::default(), (9, 9)).err().expect("it diverges");
    assert!(matches!(error, TrainError::NotFinite { .. }) && !error.is_input(), "{error}");
    assert_eq!(contents(&out), before);
    let mut other = world.config();
    other.seed += 1;
    let stopped = replace(&other, &StopFlag::default(), (2, 1)).unwrap();
    assert_eq!(stopped.report.ending, Ending::Interrupted);
    assert_ne!(stopped.run.dir(), out);
    assert_eq!(contents(&out), before, "an interrupted run replaces nothing");
    let done = replace(&other, &StopFlag::default(), (9, 9)).unwrap();
    assert_eq!((done.run.dir(), done.report.ending), (out.as_path(), Ending::LastEpoch));
    assert_ne!(contents(&out), before);
    assert!(Run::open(&out).unwrap().is_of(&other));
    let names = entries(&world.path("."));
    assert_eq!(names, ["data", "run"], "nothing stays beside it");
}

#[test]
fn teachers_of_a_replaced_run_are_kept_where_they_fit() {
    let world = World::new();
    let out = world.path("run");
    world.run(&world.distilled(), "run").unwrap();
    let replace = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = world.distilled();
        change(&mut config);
        let config = config.checked().unwrap();
        let mut heard = Recorder::default();
        let job =
            Job { config: &config, loaded: &world.loaded, out: &out, overwrite: true, from_scratch: false };
        job.execute(&mut heard, &StopFlag::default()).unwrap();
        heard.0.iter().filter(|event| matches!(event, Event::TeacherReused { .. })).count()
    };
    let all = world.modalities().len();
    assert_eq!(replace(&|config| config.balance.get_mut::<Ckd>().lambda_kd = 0.2), all);
    assert_eq!(replace(&|config| config.backbone.width = 4), 0, "teachers of another width are trained anew");
    for name in world.modalities() {
        assert_eq!(Run::open(&out.join("teachers").join(name)).unwrap().config().unwrap().backbone.width, 4);
    }
}

#[test]
fn a_run_that_somebody_writes_is_refused_by_name() {
    let world = World::new();
    let held = equipoise_jobs::Place::claim(&world.path("run")).unwrap();
    let error = world.run(&world.config(), "run").err().expect("held");
    let process = format!("process {}", std::process::id());
    assert!(error.to_string().contains(&process) && !error.is_input(), "{error}");
    drop(held);
    world.run(&world.config(), "run").unwrap();
}

#[test]
fn two_trainings_that_share_teachers_take_turns() {
    let world = World::new();
    let mut config = world.distilled();
    config.balance.teachers = Some(world.path("shared"));
    let trained: usize = std::thread::scope(|scope| {
        let train = |name: &'static str| {
            let (world, config) = (&world, &config);
            scope.spawn(move || {
                let mut heard = Recorder::default();
                world.run_heard(config, name, &mut heard, &StopFlag::default()).unwrap();
                let teachers =
                    |event: &&Event| matches!(event, Event::Started { role: Role::Teacher(_), .. });
                heard.0.iter().filter(teachers).count()
            })
        };
        ["one", "two", "three"].map(train).map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!(trained, world.modalities().len(), "each teacher is trained once");
    let model = |name: &str| std::fs::read(world.path(name).join("model.safetensors")).unwrap();
    assert!(model("one") == model("two") && model("two") == model("three"));
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
