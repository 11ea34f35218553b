//! Whole runs under the rival balancers: what they train first, what they record, what they refuse.

use crate::common;

use common::{Raiser, Recorder, World, entries};
use equipoise_balance::gb::{Estimate, Schedule, Updates, blend};
use equipoise_balance::ogm::Contribution;
use equipoise_balance::{Agm, G2d, Gb, HeadLosses, Losses, Ogm};
use equipoise_data::Seed;
use equipoise_models::{Ablation, Inputs};
use equipoise_train::events::{Ending, ModalityRecord, read_epochs};
use equipoise_train::heads::HeadProbe;
use equipoise_train::{Event, Outcome, Role, RunConfig, StopFlag, TrainError};

fn under(world: &World, balancer: &str) -> RunConfig {
    let mut config = world.config();
    config.balance.name = balancer.into();
    config
}

fn recorded(outcome: &Outcome) -> Vec<ModalityRecord> {
    let epochs = read_epochs(&outcome.run.events_path()).unwrap();
    epochs.into_iter().flat_map(|e| e.modalities).collect()
}

/// The heads that the run's own log begins with.
fn heads(outcome: &Outcome) -> Vec<(Option<String>, HeadLosses)> {
    let text = std::fs::read_to_string(outcome.run.events_path()).unwrap();
    let events = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
    let head =
        |event| if let Event::Head { modality, losses } = event { Some((modality, losses)) } else { None };
    events.filter_map(head).collect()
}

#[test]
fn offline_blending_trains_teachers_and_the_plain_model_and_weighs_by_their_losses() {
    let world = World::new();
    let outcome = world.run(&under(&world, "gb"), "run").unwrap();
    let mut wanted: Vec<&str> = world.modalities();
    wanted.push("plain");
    wanted.sort_unstable();
    assert_eq!(entries(&world.path("run/teachers")), wanted);
    let heads = heads(&outcome);
    let names: Vec<Option<&str>> = heads.iter().map(|(name, _)| name.as_deref()).collect();
    assert_eq!(names[..3], world.modalities().iter().map(|m| Some(*m)).collect::<Vec<_>>());
    assert_eq!((names.len(), names[3]), (4, None));
    let losses: Vec<HeadLosses> = heads.iter().map(|(_, losses)| *losses).collect();
    assert!(losses.iter().all(|h| h.after.train < h.before.train), "heads learned: {losses:?}");
    let weights = blend(&losses);
    for (k, record) in recorded(&outcome).iter().enumerate() {
        assert!(
            (record.numbers.weight - weights[k % 3]).abs() < 1e-12 && record.numbers.specific.unwrap() > 0.0
        );
    }
}

/// The plain model that `gb` makes is the run of `--balance none`, and either serves.
#[test]
fn a_plain_run_is_used_again_and_is_the_one_that_blending_would_train() {
    let world = World::new();
    let plain = world.run(&world.config(), "plain").unwrap();
    let first = world.run(&under(&world, "gb"), "first").unwrap();
    let tables = |run: &equipoise_train::Run| run.model(&world.loaded.data).unwrap().parameters.snapshot();
    let made = equipoise_train::Run::open(&world.path("first/teachers/plain")).unwrap();
    assert_eq!(tables(&made), tables(&plain.run));
    let mut config = under(&world, "gb");
    config.balance.teachers = Some(world.path("first/teachers"));
    config.balance.plain = Some(world.path("plain"));
    let mut heard = Recorder::default();
    let again = world.run_heard(&config, "again", &mut heard, &StopFlag::default()).unwrap();
    let started = heard.0.iter().filter(|e| matches!(e, Event::Started { .. })).count();
    let reused = heard.0.iter().filter(|e| matches!(e, Event::PlainReused { .. })).count();
    assert_eq!((started, reused), (1, 1), "only the model itself is trained");
    assert_eq!(tables(&again.run), tables(&first.run));
    assert_eq!(heads(&again), heads(&first));
}

#[test]
fn a_plain_run_that_does_not_fit_is_refused() {
    let world = World::new();
    let mut other = world.config();
    other.train.lr = 0.25;
    world.run(&other, "other").unwrap();
    world.run(&under(&world, "ogm"), "modulated").unwrap();
    let mut config = under(&world, "gb");
    config.balance.teachers = Some(world.path("shared"));
    for (name, says) in
        [("other", "train.lr: saved 0.25, this run 0.005"), ("modulated", "balance.name: saved ogm")]
    {
        config.balance.plain = Some(world.path(name));
        let error = world.run(&config, &format!("refused {name}")).err().expect("another model");
        assert!(matches!(error, TrainError::PlainMismatch { .. }) && error.is_input(), "{error}");
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("balance.plain"), "{text}");
    }
}

#[test]
fn a_raised_flag_during_the_plain_model_leaves_it_unfinished() {
    let world = World::new();
    let mut config = under(&world, "gb");
    config.balance.teachers = Some(world.path("shared"));
    let ckd = RunConfig {
        balance: equipoise_balance::BalanceConfig { name: "ckd".into(), ..config.balance.clone() },
        ..config.clone()
    };
    world.run(&ckd, "teachers").unwrap();
    let flag = StopFlag::default();
    let mut raiser = Raiser { flag: flag.clone(), at: (2, 1) };
    let error = world.run_heard(&config, "run", &mut raiser, &flag).err().expect("stopped");
    assert!(matches!(error, TrainError::Interrupted(Role::Plain)) && !error.is_input(), "{error}");
    assert!(!world.path("shared/plain/metrics.json").exists() && !world.path("run/metrics.json").exists());
}

#[test]
fn losses_of_heads_are_plain_bpr_losses_of_their_tables() {
    let world = World::new();
    let plain = world.run(&world.config(), "plain").unwrap();
    let data = &world.loaded.data;
    let model = plain.run.model_on(data, Inputs::new(data)).unwrap();
    let both = [Ablation::FULL, Ablation::only(0, 3)];
    let found = HeadProbe::new(data, Seed(42)).losses(&model, &both);
    // At initial scale every margin is near 0, where the loss is ln 2; after training train pairs cost less.
    for Losses { train, validation } in &found {
        assert!(*train > 0.1 && *train < std::f64::consts::LN_2 + 0.1, "{found:?}");
        assert!(train < validation, "{found:?}");
    }
    assert_ne!(found[0], found[1]);
    assert_eq!(found[..1], HeadProbe::new(data, Seed(42)).losses(&model, &both[..1]));
    assert_ne!(found, HeadProbe::new(data, Seed(43)).losses(&model, &both), "another seed, other triples");
}

#[test]
fn online_blending_trains_nothing_beforehand_and_changes_its_weights() {
    let world = World::new();
    for estimate in [Estimate::Alone, Estimate::Running] {
        let mut config = under(&world, "gb");
        (config.balance.get_mut::<Gb>().schedule, config.balance.get_mut::<Gb>().every) =
            (Schedule::Online, 1);
        config.balance.get_mut::<Gb>().estimate = estimate;
        let outcome = world.run(&config, &format!("{estimate:?}")).unwrap();
        assert!(!outcome.run.dir().join("teachers").exists() && heads(&outcome).is_empty());
        let weights: Vec<f64> = recorded(&outcome).iter().map(|m| m.numbers.weight).collect();
        assert_eq!(weights.len(), 9);
        let equal = weights[..3].iter().all(|w| (w - 0.25).abs() < 1e-12);
        assert_eq!(equal, estimate == Estimate::Running, "{estimate:?}: {weights:?}");
        assert_ne!(weights[..3], weights[3..6], "{estimate:?}");
        for epoch in weights.chunks(3) {
            assert!(epoch.iter().all(|w| *w > 0.0) && epoch.iter().sum::<f64>() < 1.0, "{weights:?}");
        }
    }
}

#[test]
fn a_flag_raised_in_a_copy_ends_the_run_cleanly() {
    let world = World::new();
    let mut config = under(&world, "gb");
    (config.balance.get_mut::<Gb>().schedule, config.balance.get_mut::<Gb>().every) = (Schedule::Online, 2);
    let flag = StopFlag::default();
    let mut raiser = Raiser { flag: flag.clone(), at: (2, 7) };
    let stopped = world.run_heard(&config, "run", &mut raiser, &flag).unwrap();
    assert_eq!((stopped.report.ending, stopped.report.epochs), (Ending::Interrupted, 1));
}

#[test]
fn every_rival_runs_on_backbones_whose_modalities_meet_early_and_records_every_modality() {
    let world = World::new();
    for backbone in ["mmgcn", "egogcn"] {
        for balancer in ["gb", "ogm", "cohesion", "agm", "cml", "g2d", "mmpareto", "arl"] {
            let mut config = under(&world, balancer);
            config.backbone.name = backbone.into();
            (config.backbone.width, config.train.epochs) = (4, 1);
            config.balance.get_mut::<Gb>().schedule = Schedule::Online;
            config.balance.get_mut::<G2d>().hold = 0;
            let name = format!("{backbone} {balancer}");
            let outcome = world.run(&config, &name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let seen = recorded(&outcome);
            assert_eq!(
                seen.iter().map(|m| m.modality.as_str()).collect::<Vec<_>>(),
                world.modalities(),
                "{name}"
            );
            assert!(seen.iter().all(|m| m.numbers.weight > 0.0 && m.numbers.weight.is_finite()), "{name}");
            let epoch = read_epochs(&outcome.run.events_path()).unwrap().remove(1);
            let replaces = equipoise_balance::find(balancer).expect("built in").replaces_ranking;
            let ranking = if replaces { 0.0 } else { epoch.bpr };
            let sum = ranking + epoch.balance + epoch.penalty + epoch.extra;
            assert!((epoch.loss - sum).abs() < 1e-5, "{name}: {} is not {sum}", epoch.loss);
        }
    }
}

#[test]
fn heads_that_keep_to_their_groups_train_another_model_where_modalities_meet_early() {
    let world = World::new();
    let train = |updates, name: &str| {
        let mut config = under(&world, "gb");
        config.backbone.name = "mmgcn".into();
        (config.backbone.width, config.train.epochs) = (4, 1);
        (config.balance.get_mut::<Gb>().schedule, config.balance.get_mut::<Gb>().updates) =
            (Schedule::Online, updates);
        config.balance.get_mut::<Gb>().estimate = Estimate::Running;
        world.run(&config, name).unwrap().run.model(&world.loaded.data).unwrap().parameters.snapshot()
    };
    assert_ne!(train(Updates::Own, "own"), train(Updates::All, "all"));
}

#[test]
fn settings_out_of_range_or_out_of_place_are_refused_with_their_field() {
    let world = World::new();
    let fault = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = world.config();
        change(&mut config);
        config.check().err().map(|fault| fault.to_string()).unwrap_or_default()
    };
    assert_eq!(fault(&|c| c.balance.get_mut::<Gb>().every = 0), "balance.gb.every = 0: expected 1 or more");
    assert_eq!(
        fault(&|c| c.balance.get_mut::<Ogm>().alpha = -1.0),
        "balance.ogm.alpha = -1: expected 0 or more"
    );
    assert_eq!(
        fault(&|c| c.balance.get_mut::<Ogm>().start_epoch = 0),
        "balance.ogm.start_epoch = 0: expected 1 or more"
    );
    let text =
        fault(&|c| (c.balance.get_mut::<Ogm>().start_epoch, c.balance.get_mut::<Ogm>().end_epoch) = (9, 8));
    assert_eq!(text, "balance.ogm.end_epoch = 8: expected balance.ogm.start_epoch (9) or more");
    assert_eq!(
        fault(&|c| c.balance.get_mut::<Agm>().alpha = f64::NAN),
        "balance.agm.alpha = NaN: expected 0 or more"
    );
    let split = |name: &str, backbone: &str| {
        let (name, backbone) = (name.to_owned(), backbone.to_owned());
        fault(&move |c| {
            (c.balance.name, c.backbone.name) = (name.clone(), backbone.clone());
            c.balance.get_mut::<Ogm>().contribution = Some(Contribution::Split);
        })
    };
    assert!(split("ogm", "grcn").starts_with("balance.ogm.contribution = \"split\": "));
    assert_eq!((split("ogm", "deepstyle"), split("ckd", "grcn")), (String::new(), String::new()));
    for balancer in equipoise_balance::balancers() {
        let text = fault(&|c| (c.balance.name, c.backbone.name) = (balancer.name.into(), "lightgcn".into()));
        assert_eq!(text.contains("nothing to balance"), balancer.name != "none", "{}: {text}", balancer.name);
    }
}

/// A balancer that weighs the ranking loss has nothing to weigh where there is none.
#[test]
fn a_backbone_with_an_objective_of_its_own_is_refused_by_what_weighs_the_ranking_loss() {
    let world = World::new();
    let data = &world.loaded.data;
    let inputs = Inputs::new(data);
    for entry in equipoise_balance::balancers() {
        let mut config = under(&world, entry.name);
        (config.backbone.name, config.balance.get_mut::<Gb>().schedule) = ("bm3".into(), Schedule::Online);
        let setup = equipoise_balance::Setup::new(3, equipoise_models::AblationEffect::Inputs, Seed(1));
        let teacher = |m: &&str| equipoise_balance::Teacher::new(m, vec![0.0; 120], vec![0.0; 80], 1);
        let setup =
            equipoise_balance::Setup { teachers: world.modalities().iter().map(teacher).collect(), ..setup };
        let balancer = entry.build(&config.balance.sections, setup);
        let weighs = balancer.needs().replaces_ranking;
        // A backbone with a loss of its own has nothing to balance: the check would refuse it before the trainer does.
        let config = RunConfig { balance: Default::default(), ..config }.checked().unwrap();
        let trainer = equipoise_train::Trainer::new(data, &inputs, &config, Role::Model, balancer);
        let fault = trainer.err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(fault.contains("a loss of its own"), weighs, "{}: {fault}", entry.name);
        assert_eq!(weighs, ["gb", "cohesion", "agm"].contains(&entry.name), "{}", entry.name);
    }
}
