//! Robust weights: what they train first, what they say of it, and that nothing is taught where nothing can be.

use crate::common;

use common::{Recorder, World, entries};
use equipoise_balance::Ckd;
use equipoise_balance::weights::WeightMode;
use equipoise_train::events::StackRecord;
use equipoise_train::{Event, Outcome, RunConfig, StopFlag, TrainError};

/// Settings with robust weights whose teachers learn at a rate of their own.
fn robust(world: &World, of_teachers: f64) -> RunConfig {
    let mut config = world.distilled();
    config.balance.get_mut::<Ckd>().weights = WeightMode::Robust;
    (config.train.lr, config.train.epochs) = (1e-6, 8);
    config.balance.teacher.lr = Some(of_teachers);
    config
}

fn run(world: &World, config: &RunConfig, name: &str) -> (Outcome, Vec<Event>) {
    let mut heard = Recorder::default();
    let outcome = world.run_heard(config, name, &mut heard, &StopFlag::default()).unwrap();
    (outcome, heard.0)
}

fn stack(heard: &[Event]) -> StackRecord {
    let record =
        |event: &Event| if let Event::Stack { record } = event { Some(record.clone()) } else { None };
    heard.iter().find_map(record).expect("the sum of teachers is told")
}

fn started(heard: &[Event]) -> usize {
    heard.iter().filter(|event| matches!(event, Event::Started { .. })).count()
}

#[test]
fn teachers_that_know_more_than_the_plain_model_teach_it() {
    let world = World::new();
    let config = robust(&world, 0.03);
    let (outcome, heard) = run(&world, &config, "run");
    // Three modalities, two of ids, the plain model and the model itself.
    assert_eq!(started(&heard), 7);
    assert_eq!(entries(&world.path("run/teachers")), ["audio", "ids", "ids-2", "image", "plain", "text"]);
    let stack = stack(&heard);
    assert!(stack.gate > 0.0 && stack.gate <= 1.0 && stack.teachers > stack.plain, "{stack:?}");
    let names: Vec<&str> = stack.modalities.iter().map(|m| m.modality.as_str()).collect();
    assert_eq!(names, world.modalities());
    let weights = stack.modalities.iter().flat_map(|m| [m.ids, m.content]).chain(stack.ids);
    assert!(weights.clone().all(|weight| weight >= 0.0) && weights.sum::<f64>() > 0.0, "{stack:?}");
    let mut epochs =
        heard.iter().filter_map(|e| if let Event::Epoch(record) = e { Some(record) } else { None });
    let last = epochs.next_back().unwrap();
    assert!(last.balance > 0.0);
    assert!((last.ids.as_ref().unwrap().weight - stack.gate).abs() < 1e-12, "{last:?}");
    for (seen, known) in last.modalities.iter().zip(&stack.modalities) {
        assert!((seen.numbers.weight - stack.gate * known.content).abs() < 1e-12, "{seen:?}, {known:?}");
    }
    // All of it is used again.
    let mut again = config;
    again.balance.teachers = Some(world.path("run/teachers"));
    let (other, heard) = run(&world, &again, "again");
    assert_eq!(started(&heard), 1);
    assert_eq!(other.report.validation, outcome.report.validation);
}

#[test]
fn teachers_that_know_nothing_leave_the_plain_model_as_it_is() {
    let world = World::new();
    let config = robust(&world, 1e-12);
    let (outcome, heard) = run(&world, &config, "run");
    assert_eq!(stack(&heard).gate, 0.0);
    let mut plain = config.clone();
    plain.balance.name = "none".into();
    let (plain, _) = run(&world, &plain, "plain");
    let parameters = |outcome: &Outcome| outcome.run.model(&world.loaded.data).unwrap().parameters.snapshot();
    assert_eq!(parameters(&outcome), parameters(&plain), "to the last bit");
    assert_eq!(outcome.report.test, plain.report.test);
    assert_eq!(outcome.report.validation, plain.report.validation, "selected on all users");
}

#[test]
fn a_modality_by_the_name_of_another_teacher_is_refused() {
    let mut world = World::new();
    world.loaded.data.modalities[1].name = "ids".into();
    let error = world.run(&robust(&world, 0.03), "run").err().expect("two models in one directory");
    assert!(matches!(error, TrainError::Setting(_)) && error.to_string().contains("`ids`"), "{error}");
}

#[test]
fn a_taught_model_that_is_worse_than_the_plain_one_is_not_kept() {
    let world = World::new();
    let mut config = robust(&world, 0.03);
    (config.train.lr, config.train.epochs) = (0.01, 12);
    config.balance.get_mut::<Ckd>().lambda_kd = 1e6;
    let (outcome, heard) = run(&world, &config, "run");
    assert!(stack(&heard).gate > 0.0, "it is taught");
    let best = |of: &str| {
        let mut role = String::new();
        let mut best = 0.0f64;
        for event in &heard {
            match event {
                Event::Started { role: begun, .. } => role = begun.to_string(),
                Event::Epoch(record) if role == of && record.epoch > 0 => {
                    best = best.max(record.validation.unwrap_or(0.0));
                }
                _ => {}
            }
        }
        best
    };
    let (taught, plain) = (best("model"), best("plain model"));
    assert!(
        taught < plain,
        "{taught} of the taught, {plain} of the plain one: so strong a teaching ruins it"
    );
    let said = format!("{plain:.4}, and {taught:.4} of the taught one");
    assert!(heard.iter().any(|e| matches!(e, Event::Note { text } if text.ends_with(&said))), "{said}");
    let plain = outcome.run.dir().join("teachers/plain");
    let plain = equipoise_train::Run::open(&plain).unwrap().model(&world.loaded.data).unwrap();
    let kept = outcome.run.model(&world.loaded.data).unwrap();
    assert_eq!(kept.parameters.snapshot(), plain.parameters.snapshot(), "to the last bit");
    assert_eq!(outcome.report.best_epoch, 0);
}
