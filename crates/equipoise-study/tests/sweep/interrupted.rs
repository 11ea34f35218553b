//! A search that is stopped while what a balancer needs first is in training: nothing of it is recorded as failed.

use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_study::search::{Journal, Measured, Record, Search, Silent, StopFlag};
use equipoise_study::sweep::{SweepPlan, SweepTraining};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two trials of `gb`, which share two teachers and the plain model. The epochs are many enough for a flag to be raised
/// while one of these models trains.
fn plan(data: &Path) -> SweepPlan {
    let text = format!(
        "[data]\npath = {data:?}\nmodalities = [\"text\", \"image\"]\n\
         [backbone]\nwidth = 4\n\
         [train]\nbatch_size = 32\nepochs = 40\npatience = 40\n\
         [balance]\nname = \"gb\"\n\
         [sweep.space]\n\"balance.gb.updates\" = [\"own\", \"all\"]\n"
    );
    SweepPlan::text(&text, "sweep.toml", &[]).unwrap()
}

/// The records of a search in `dir`, their seconds left out, and whether it is over.
fn search(plan: &SweepPlan, dir: &Path, stop: &StopFlag) -> (Vec<Record>, bool) {
    let training = SweepTraining::new(plan, &dir.join("teachers")).unwrap();
    let fingerprint = training.with_data(|data| data.fingerprint()).unwrap();
    let journal = Journal::open(&dir.join("sweep.sqlite"), &plan.identity(&fingerprint)).unwrap();
    let strategy = plan.strategy().unwrap();
    let search = Search { strategy: &*strategy, trial: &training, jobs: 1, threads: 1 };
    let found = search.run(&journal, &mut Silent, stop).unwrap();
    let untimed = |record: Record| Record {
        outcome: record.outcome.map(|measured| Measured { seconds: 0.0, ..measured }),
        ..record
    };
    (found.records.into_iter().map(untimed).collect(), found.over)
}

/// The plain model's directory, once it is there.
fn plain_model(teachers: &Path) -> Option<PathBuf> {
    let keys = std::fs::read_dir(teachers).ok()?;
    let places = keys.filter_map(|entry| Some(entry.ok()?.path().join("plain")));
    places.into_iter().find(|place| place.join("config.toml").exists())
}

#[test]
fn a_flag_raised_while_the_plain_model_trains_leaves_the_trial_to_be_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    write_demo(&data, &DemoConfig { users: 60, items: 40, seed: 3 }).unwrap();
    let plan = plan(&data);
    let (undisturbed, stopped) = (dir.path().join("undisturbed"), dir.path().join("stopped"));
    std::fs::create_dir_all(&undisturbed).unwrap();
    std::fs::create_dir_all(&stopped).unwrap();
    let (expected, over) = search(&plan, &undisturbed, &StopFlag::default());
    assert!(over && expected.len() == 2 && expected.iter().all(|r| r.outcome.is_ok()), "{expected:?}");

    let stop = StopFlag::default();
    let (records, over) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while plain_model(&stopped.join("teachers")).is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            stop.raise();
        });
        search(&plan, &stopped, &stop)
    });
    assert!(!over && records.is_empty(), "{records:?}");
    let plain = plain_model(&stopped.join("teachers")).unwrap();
    assert!(!plain.join("metrics.json").exists(), "it was the plain model that was in training");

    assert_eq!(search(&plan, &stopped, &StopFlag::default()), (expected, true));
}
