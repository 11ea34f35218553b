//! Teachers are trained once, used again where they fit, and refused where they do not.

use crate::common;

use common::{Recorder, World};
use equipoise_balance::{Ckd, TeacherConfig};
use equipoise_train::{Event, RunConfig, StopFlag, TrainError};

/// A world with teachers of its modalities in `shared`, and settings that look for them there.
fn taught() -> (World, RunConfig) {
    let world = World::new();
    let mut config = world.distilled();
    (config.train.epochs, config.balance.teachers) = (1, Some(world.path("shared")));
    world.run(&config, "first").unwrap();
    (world, config)
}

fn reused(heard: &Recorder) -> Vec<&str> {
    let mut names = Vec::new();
    for event in &heard.0 {
        if let Event::TeacherReused { modality, .. } = event {
            names.push(modality.as_str());
        }
    }
    names
}

/// What the run with this change says.
fn refusal(world: &World, config: &RunConfig, change: impl Fn(&mut RunConfig)) -> String {
    let mut config = config.clone();
    change(&mut config);
    let name = format!("refused {}", config.seed);
    let error = world.run(&config, &name).err().expect("teachers of another configuration");
    std::fs::remove_dir_all(world.path(&name)).unwrap();
    assert!(matches!(error, TrainError::TeacherMismatch { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_second_run_uses_saved_teachers_and_ends_as_with_its_own() {
    let (world, config) = taught();
    let mut heard = Recorder::default();
    let again = world.run_heard(&config, "again", &mut heard, &StopFlag::default()).unwrap();
    assert_eq!(reused(&heard), world.modalities());
    let started = heard.0.iter().filter(|e| matches!(e, Event::Started { .. })).count();
    assert_eq!(started, 1, "only the model itself is trained");
    let own = RunConfig { balance: world.distilled().balance, ..config };
    let own = world.run(&own, "own").unwrap();
    let tables = |run: &equipoise_train::Run| run.model(&world.loaded.data).unwrap().parameters.snapshot();
    assert_eq!(tables(&again.run), tables(&own.run));
}

#[test]
fn teachers_may_have_a_learning_rate_and_a_penalty_of_their_own() {
    let (world, mut config) = taught();
    let (lr, reg) = (config.train.lr, config.train.reg);
    (config.train.lr, config.train.reg) = (lr / 2.0, reg + 0.01);
    config.balance.teacher = TeacherConfig { lr: Some(lr), reg: Some(reg) };
    let mut heard = Recorder::default();
    world.run_heard(&config, "again", &mut heard, &StopFlag::default()).unwrap();
    assert_eq!(reused(&heard), world.modalities());
    let text = refusal(&world, &config, |c| c.balance.teacher.reg = None);
    assert!(text.contains("train.reg: saved"), "{text}");
}

#[test]
fn settings_that_do_not_concern_teachers_do_not_refuse_them() {
    let (world, mut config) = taught();
    config.balance.get_mut::<Ckd>().lambda_kd = 0.5;
    config.train.channels = false;
    let mut heard = Recorder::default();
    world.run_heard(&config, "again", &mut heard, &StopFlag::default()).unwrap();
    assert_eq!(reused(&heard).len(), 3);
}

#[test]
fn teachers_of_another_configuration_are_refused_with_key_and_both_values() {
    let (world, config) = taught();
    let text = refusal(&world, &config, |c| c.train.lr = 0.25);
    assert!(text.contains("train.lr: saved 0.005, this run 0.25"), "{text}");
    let text = refusal(&world, &config, |c| c.seed = 77);
    assert!(text.contains("seed: saved 42, this run 77"), "{text}");
    let text = refusal(&world, &config, |c| c.backbone.width = 6);
    assert!(text.contains("backbone.width: saved 8, this run 6"), "{text}");
    assert!(!text.contains("train.lr"), "only what differs is named: {text}");
    assert!(text.contains("use another --teachers directory"), "{text}");
}

#[test]
fn teachers_of_other_data_are_refused() {
    let ((_first, config), other) = (taught(), World::seeded(8));
    let text = refusal(&other, &config, |_| ());
    assert!(text.contains("data fingerprint: saved "), "{text}");
}

#[test]
fn an_unfinished_teacher_is_trained_anew() {
    let (world, config) = taught();
    let first = world.modalities()[0].to_owned();
    std::fs::remove_file(world.path("shared").join(&first).join("metrics.json")).unwrap();
    let mut heard = Recorder::default();
    world.run_heard(&config, "again", &mut heard, &StopFlag::default()).unwrap();
    assert_eq!(reused(&heard), world.modalities()[1..]);
    assert!(world.path("shared").join(&first).join("metrics.json").exists());
}
