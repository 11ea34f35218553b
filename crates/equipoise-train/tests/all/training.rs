//! Training learns, stops when told to, and refuses to go on with a loss that is no number.

use crate::common;

use common::{Raiser, Recorder, World};
use equipoise_balance::Owner;
use equipoise_balance::none::NoBalance;
use equipoise_data::{Dataset, Seed};
use equipoise_models::{Ablation, Inputs, Model};
use equipoise_train::events::{Ending, Silent, read_epochs};
use equipoise_train::{Event, Role, StopFlag, TrainError, Trainer};

/// Share of train pairs that score above a random item which is not one of the user's.
fn share_above(model: &Model, data: &Dataset) -> f64 {
    let (users, items, width) = model.encode_all(&[Ablation::FULL]).tables(Ablation::FULL);
    let score = |u: u32, i: u32| -> f32 {
        let row = |t: &[f32], r: u32| t[r as usize * width..][..width].to_vec();
        row(&users, u).iter().zip(row(&items, i)).map(|(a, b)| a * b).sum()
    };
    let mut stream = Seed(3).stream("negatives");
    let mut negative = |u: u32| loop {
        let item = stream.below(data.n_items() as u32);
        if !data.train.contains(u, item) {
            return item;
        }
    };
    let above = data.train.pairs().filter(|&(u, i)| score(u, i) > score(u, negative(u))).count();
    above as f64 / data.train.len() as f64
}

#[test]
fn ten_epochs_lower_the_loss_and_raise_positives_above_negatives() {
    let world = World::new();
    let (data, mut config, mut heard) = (&world.loaded.data, world.config(), Recorder::default());
    config.train.epochs = 10;
    let config = config.checked().unwrap();
    let inputs = Inputs::new(data);
    let trainer = || Trainer::new(data, &inputs, &config, Role::Model, Box::new(NoBalance)).unwrap();
    let trained = trainer().run(&mut heard, &StopFlag::default()).unwrap();
    let losses: Vec<f64> = heard
        .0
        .iter()
        .filter_map(|e| if let Event::Epoch(r) = e { Some(r.loss) } else { None })
        .skip(1)
        .collect();
    assert!(losses[losses.len() - 1] < 0.9 * losses[0], "{losses:?}");
    let device = equipoise_nn::device("cpu").unwrap();
    let fresh = Model::new(&config.backbone, data, Seed(config.seed), &device).unwrap();
    let (before, after) = (share_above(&fresh, data), share_above(&trained.model, data));
    assert!(after > 0.7 && after > before + 0.1, "before {before}, after {after}");
    assert!(trained.best > 0.0 && trained.best_epoch >= 1);
}

/// The sum of squares of the parameters of ids and of those of modalities, after training under a penalty that leaves nothing standing.
fn left_under_a_heavy_penalty(world: &World, reg_content: f64) -> [f64; 2] {
    let mut config = world.config();
    (config.train.epochs, config.train.reg, config.train.lr) = (40, 100.0, 0.05);
    (config.train.patience, config.train.reg_content) = (100, reg_content);
    let config = config.checked().unwrap();
    let data = &world.loaded.data;
    let inputs = Inputs::new(data);
    let trainer = Trainer::new(data, &inputs, &config, Role::Model, Box::new(NoBalance)).unwrap();
    let model = trainer.run(&mut Silent, &StopFlag::default()).unwrap().model;
    let mut sums = [0.0; 2];
    for ((name, _, _), owner) in model.parameters.iter().zip(Owner::of(&model.parameters, &model.inputs)) {
        let squares: f64 = model.parameters.read(name).iter().map(|v| f64::from(*v).powi(2)).sum();
        sums[usize::from(owner.modality().is_some())] += squares;
    }
    sums
}

#[test]
fn a_penalty_on_content_is_a_share_of_that_on_ids() {
    let world = World::new();
    let [_, content] = left_under_a_heavy_penalty(&world, 1.0);
    let [ids_with, free] = left_under_a_heavy_penalty(&world, 0.0);
    let [_, heavier] = left_under_a_heavy_penalty(&world, 10.0);
    assert!(free > 10.0 * content && content > heavier, "{free} {content} {heavier}");
    assert!(ids_with < 0.1 * free, "ids feel the whole of it: {ids_with}");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_with_advice() {
    let world = World::new();
    let mut config = world.config();
    config.train.lr = 1e30;
    let error = world.run(&config, "run").err().expect("the loss overflows");
    assert!(matches!(error, TrainError::NotFinite { epoch: 1, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("a smaller train.lr") && text.contains("train.reg (now 0.00001)"), "{text}");
    assert!(!world.path("run/metrics.json").exists() && !world.path("run/model.safetensors").exists());
}

#[test]
fn a_raised_flag_ends_cleanly_with_the_best_model_so_far() {
    let world = World::new();
    let flag = StopFlag::default();
    let mut raiser = Raiser { flag: flag.clone(), at: (2, 3) };
    let stopped = world.run_heard(&world.config(), "stopped", &mut raiser, &flag).unwrap();
    assert_eq!((stopped.report.ending, stopped.report.epochs), (Ending::Interrupted, 1));
    assert!(stopped.run.metrics_path().exists());
    let mut short = world.config();
    short.train.epochs = 1;
    let short = world.run(&short, "short").unwrap();
    assert_eq!(short.report.ending, Ending::LastEpoch);
    let tables = |run: &equipoise_train::Run| run.model(&world.loaded.data).unwrap().parameters.snapshot();
    assert_eq!(tables(&stopped.run), tables(&short.run), "one whole epoch was kept");
    assert_eq!(stopped.report.test, short.report.test);
}

#[test]
fn a_raised_flag_during_a_teacher_leaves_it_unfinished() {
    let world = World::new();
    let flag = StopFlag::default();
    let mut raiser = Raiser { flag: flag.clone(), at: (2, 1) };
    let error = world.run_heard(&world.distilled(), "run", &mut raiser, &flag).err().expect("stopped");
    let first = world.modalities()[0];
    assert!(matches!(&error, TrainError::Interrupted(Role::Teacher(name)) if name == first), "{error}");
    let teacher = world.path("run/teachers").join(first);
    assert!(teacher.join("config.toml").exists() && !teacher.join("metrics.json").exists());
    assert!(!world.path("run/metrics.json").exists());
}

#[test]
fn patience_ends_a_run_that_does_not_improve() {
    let world = World::new();
    let mut config = world.config();
    // So small a rate that no ranking changes: after the first evaluation nothing improves.
    (config.train.lr, config.train.epochs, config.train.patience) = (1e-12, 50, 2);
    let outcome = world.run_heard(&config, "run", &mut Silent, &StopFlag::default()).unwrap();
    assert_eq!((outcome.report.ending, outcome.report.epochs), (Ending::EarlyStop, 3));
    assert_eq!(outcome.report.best_epoch, 1);
    let epochs = read_epochs(&outcome.run.events_path()).unwrap();
    assert_eq!(epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_backbone_without_parameters_is_evaluated_as_it_is() {
    let world = World::new();
    for (backbone, balance) in [("popularity", "none"), ("itemknn", "none"), ("itemknn", "ckd")] {
        let mut config = world.distilled();
        (config.backbone.name, config.balance.name) = (backbone.into(), balance.into());
        let name = format!("{backbone} {balance}");
        let outcome = world.run(&config, &name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let report = &outcome.report;
        assert_eq!((report.epochs, report.best_epoch, report.ending), (0, 0, Ending::LastEpoch), "{name}");
        let epochs = read_epochs(&outcome.run.events_path()).unwrap();
        assert_eq!(epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [0], "{name}");
        let test = report.test.as_ref().unwrap();
        assert_eq!(test.metrics == test.popularity, backbone == "popularity", "{name}");
        let saved = outcome.run.model(&world.loaded.data).unwrap();
        assert!(saved.parameters.is_empty() && report.validation["recall@20"] > 0.0, "{name}");
    }
}
