//! A training that is interrupted, however often and wherever, goes on and leaves the same bits as one that is not.

use crate::common;

use common::{Recorder, World, entries};
use equipoise_balance::weights::WeightMode;
use equipoise_balance::{Ckd, Gb, Ogm, Requirement, balancers, gb};
use equipoise_data::{Seed, Stream};
use equipoise_models::{Bm3, Freedom, Grcn, Mmgcn, Model, backbones};
use equipoise_train::events::{Ending, Silent};
use equipoise_train::{CheckpointEvery, Event, Job, Listener, Outcome, Run, RunConfig, StopFlag, TrainError};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What a listener does at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Raises the flag, as SIGTERM does.
    Stop,
    /// Panics, which leaves the files as `kill -9` does.
    Kill,
}

/// Ends the work after so many steps of whatever is in training.
struct After {
    steps: usize,
    end: End,
    flag: StopFlag,
}

impl Listener<Event> for After {
    fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Step { .. }) {
            return;
        }
        self.steps = self.steps.saturating_sub(1);
        match (self.steps, self.end) {
            (0, End::Stop) => self.flag.raise(),
            (0, End::Kill) => std::panic::resume_unwind(Box::new("killed")),
            _ => {}
        }
    }
}

/// Raises the flag when a training is announced.
struct AtOnce(StopFlag);

impl Listener<Event> for AtOnce {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Started { .. }) {
            self.0.raise();
        }
    }
}

/// One call of a job; `None` if it was killed.
fn call(
    world: &World,
    config: &RunConfig,
    name: &str,
    listener: &mut dyn Listener<Event>,
    stop: &StopFlag,
) -> Option<Result<Outcome, TrainError>> {
    let (out, config) = (world.path(name), config.clone().checked().unwrap());
    let job =
        Job { config: &config, loaded: &world.loaded, out: &out, overwrite: false, from_scratch: false };
    catch_unwind(AssertUnwindSafe(|| job.execute(listener, stop))).ok()
}

/// Calls the same job until it is done, each call but the last ended after some steps. How often it was ended.
fn interrupted(world: &World, config: &RunConfig, name: &str, end: End, stream: &mut Stream) -> usize {
    // A run of six epochs has 72 steps, and as many for each model that its balancer needs.
    let most = if config.balance.requirement() == Requirement::Nothing { 30 } else { 100 };
    for ended in 0..200 {
        let flag = StopFlag::default();
        let steps = 1 + stream.below(most) as usize;
        let mut after = After { steps, end, flag: flag.clone() };
        match call(world, config, name, &mut after, &flag) {
            None | Some(Err(TrainError::Interrupted(_))) => {}
            Some(Ok(outcome)) if outcome.report.ending == Ending::Interrupted => {
                assert!(outcome.run.is_interrupted() && outcome.run.checkpoint_path().exists(), "{name}");
            }
            Some(Ok(_)) => return ended,
            Some(Err(fault)) => panic!("{name}: {fault}"),
        }
    }
    panic!("{name}: it never ended")
}

/// Everything in a run directory that is not time, by file.
fn left(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in entries(dir) {
        let path = dir.join(&name);
        if path.is_dir() {
            files.extend(left(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let timeless = |text: &[u8]| {
            let mut value: serde_json::Value = serde_json::from_slice(text).unwrap();
            for key in ["seconds", "train_seconds", "eval_seconds"] {
                value.as_object_mut().unwrap().remove(key);
            }
            value
        };
        let bytes = match name.as_str() {
            "run.json" => hashes(&bytes).into_bytes(),
            "metrics.json" => timeless(&bytes).to_string().into_bytes(),
            "events.jsonl" => {
                let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(timeless);
                let lines = lines.filter(|line| line["event"] != "resumed").map(|line| line.to_string());
                lines.collect::<Vec<_>>().join("\n").into_bytes()
            }
            _ => bytes,
        };
        files.insert(name, bytes);
    }
    files
}

/// The hashes in `run.json`, without those of files that hold seconds and of the configuration, which is compared itself.
fn hashes(text: &[u8]) -> String {
    let mut value: serde_json::Value = serde_json::from_slice(text).unwrap();
    let files = value["files"].as_object_mut().unwrap();
    for name in ["metrics.json", "events.jsonl", "config.toml"] {
        files.remove(name);
    }
    value["files"].to_string()
}

fn same(what: &str, found: &Path, expected: &Path) {
    let (found, expected) = (left(found), left(expected));
    assert!(found.keys().eq(expected.keys()), "{what}: {:?} and {:?}", found.keys(), expected.keys());
    for (file, bytes) in &expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let differs = format!("{what}: {file} is another");
        if file.ends_with(".jsonl") || file.ends_with(".json") {
            assert_eq!(text(&found[file]), text(bytes), "{differs}");
        }
        assert!(found[file] == *bytes, "{differs}");
    }
}

/// Six epochs, evaluated in every second one, with whatever draws random numbers in a backbone switched on.
fn six_epochs(world: &World, backbone: &str, balance: &str) -> RunConfig {
    let mut config = world.distilled();
    (config.backbone.name, config.balance.name) = (backbone.into(), balance.into());
    (config.train.epochs, config.train.eval_every, config.train.patience) = (6, 2, 2);
    config.train.checkpoint_every = CheckpointEvery::Evaluations(1);
    config.backbone.get_mut::<Mmgcn>().dropout = 0.3;
    config.backbone.get_mut::<Grcn>().dropout = 0.3;
    config.backbone.get_mut::<Bm3>().dropout = 0.5;
    config.backbone.set(Freedom { drop: 0.5, resample: 7, ..Freedom::default() });
    config
}

/// Interrupts runs of a configuration in both ways and compares what they leave with a run that is left alone.
fn goes_on(world: &World, config: &RunConfig, name: &str) {
    world.run(config, &format!("{name} whole")).unwrap();
    let mut stream = Seed(3).stream(name);
    for end in [End::Stop, End::Kill] {
        let place = format!("{name} {end:?}");
        let ended = interrupted(world, config, &place, end, &mut stream);
        assert!(ended > 0, "{place}: never");
        same(&place, &world.path(&place), &world.path(&format!("{name} whole")));
    }
}

#[test]
fn every_backbone_goes_on_plain_and_distilled() {
    std::thread::scope(|scope| {
        for balance in ["none", "ckd"] {
            scope.spawn(move || {
                let world = World::new();
                for entry in backbones() {
                    let config = six_epochs(&world, entry.name, balance);
                    let device = equipoise_nn::device("cpu").unwrap();
                    let model = Model::new(&config.backbone, &world.loaded.data, Seed(1), &device).unwrap();
                    let learns = !model.parameters.is_empty();
                    if learns && (balance == "none" || entry.ablation_effect.shows()) {
                        goes_on(&world, &config, &format!("{} {balance}", entry.name));
                    }
                }
            });
        }
    });
}

#[test]
fn every_balancer_goes_on() {
    let world = World::new();
    for entry in balancers() {
        goes_on(&world, &six_epochs(&world, "vbpr", entry.name), entry.name);
    }
}

#[test]
fn balancers_with_more_to_keep_go_on() {
    let world = World::new();
    for estimate in [gb::Estimate::Alone, gb::Estimate::Running] {
        let mut config = six_epochs(&world, "vbpr", "gb");
        config.balance.set(Gb { schedule: gb::Schedule::Online, every: 2, estimate, ..Gb::default() });
        goes_on(&world, &config, &format!("gb {estimate:?}"));
    }
    let mut config = six_epochs(&world, "vbpr", "ogm");
    config.balance.set(Ogm { ge: true, start_epoch: 2, end_epoch: 4, ..Ogm::default() });
    goes_on(&world, &config, "ogm with noise");
    let mut config = six_epochs(&world, "vbpr", "ckd");
    config.balance.get_mut::<Ckd>().smooth = 0.9;
    goes_on(&world, &config, "ckd smoothed");
    let mut config = six_epochs(&world, "vbpr", "ckd");
    config.balance.get_mut::<Ckd>().weights = WeightMode::Robust;
    // Teachers that know much and a plain model that knows little: something is taught.
    (config.train.lr, config.balance.teacher.lr) = (1e-3, Some(0.03));
    goes_on(&world, &config, "ckd robust");
    let log = std::fs::read_to_string(world.path("ckd robust whole/events.jsonl")).unwrap();
    assert!(log.contains(r#""event":"stack""#) && !log.contains(r#""gate":0.0"#), "{log}");
}

#[test]
fn a_run_that_stops_early_and_one_with_automatic_checkpoints_go_on() {
    let world = World::new();
    let mut config = six_epochs(&world, "vbpr", "none");
    config.train.checkpoint_every = CheckpointEvery::Auto;
    world.run(&config, "auto whole").unwrap();
    // So short a run has no checkpoint before it is asked to stop.
    interrupted(&world, &config, "auto", End::Stop, &mut Seed(4).stream("auto"));
    same("auto", &world.path("auto"), &world.path("auto whole"));
    (config.train.lr, config.train.epochs, config.train.eval_every) = (1e-12, 50, 1);
    (config.train.patience, config.train.checkpoint_every) = (5, CheckpointEvery::Evaluations(1));
    goes_on(&world, &config, "early");
    let report = Run::open(&world.path("early whole")).unwrap().report().unwrap();
    assert_eq!(report.ending, Ending::EarlyStop);
}

/// The flag is raised by the last step of an epoch, so that the evaluation finds it raised.
#[test]
fn an_evaluation_that_is_stopped_is_made_when_training_goes_on() {
    let world = World::new();
    let config = six_epochs(&world, "vbpr", "none");
    world.run(&config, "whole").unwrap();
    let whole = Run::open(&world.path("whole")).unwrap();
    for epoch in 1..=6 {
        let name = format!("stopped in epoch {epoch}");
        let flag = StopFlag::default();
        let mut after = After { steps: 9 * epoch, end: End::Stop, flag: flag.clone() };
        let outcome = call(&world, &config, &name, &mut after, &flag).unwrap().unwrap();
        assert_eq!(outcome.report.ending, Ending::Interrupted);
        let events = |dir: &str| std::fs::read_to_string(world.path(dir).join("events.jsonl")).unwrap();
        let epochs = |text: &str| text.matches(r#""event":"epoch""#).count();
        // Epoch 0, and those before; an epoch without an evaluation has nothing to leave for later.
        let evaluated = epoch % config.train.eval_every == 0 || epoch == 6;
        assert_eq!(epochs(&events(&name)), epoch + usize::from(!evaluated), "{name}");
        call(&world, &config, &name, &mut Silent, &StopFlag::default()).unwrap().unwrap();
        same(&name, &world.path(&name), whole.dir());
    }
}

#[test]
fn a_training_that_is_stopped_before_its_first_step_goes_on() {
    let world = World::new();
    let config = six_epochs(&world, "vbpr", "none");
    world.run(&config, "whole").unwrap();
    let flag = StopFlag::default();
    let mut at_once = AtOnce(flag.clone());
    let outcome = call(&world, &config, "run", &mut at_once, &flag).unwrap().unwrap();
    assert_eq!((outcome.report.ending, outcome.report.epochs), (Ending::Interrupted, 0));
    again(&world, &config);
    same("run", &world.path("run"), &world.path("whole"));
}

/// A run that was stopped in its fourth epoch, and one that was not.
fn stopped(world: &World) -> RunConfig {
    let config = six_epochs(world, "vbpr", "none");
    world.run(&config, "whole").unwrap();
    stop_at(world, &config, 45);
    config
}

fn stop_at(world: &World, config: &RunConfig, steps: usize) {
    let flag = StopFlag::default();
    let mut after = After { steps, end: End::Stop, flag: flag.clone() };
    let outcome = call(world, config, "run", &mut after, &flag).unwrap().unwrap();
    assert_eq!(outcome.report.ending, Ending::Interrupted);
}

/// The job again, to its end; what was said on the way.
fn again(world: &World, config: &RunConfig) -> Vec<Event> {
    let mut heard = Recorder::default();
    let outcome = call(world, config, "run", &mut heard, &StopFlag::default()).unwrap().unwrap();
    assert_ne!(outcome.report.ending, Ending::Interrupted);
    assert!(!outcome.run.checkpoint_path().exists(), "it is over");
    heard.0
}

fn notes(heard: &[Event]) -> Vec<&str> {
    heard
        .iter()
        .filter_map(|e| if let Event::Note { text } = e { Some(text.as_str()) } else { None })
        .collect()
}

fn resumptions(heard: &[Event]) -> Vec<usize> {
    let epoch = |e: &Event| if let Event::Resumed { epoch, .. } = e { Some(*epoch) } else { None };
    heard.iter().filter_map(epoch).collect()
}

#[test]
fn going_on_is_said_once_and_marked_in_the_log() {
    let world = World::new();
    let config = stopped(&world);
    let heard = again(&world, &config);
    assert_eq!((resumptions(&heard).len(), notes(&heard)), (1, vec![]));
    assert!(resumptions(&heard)[0] > 1);
    let log = std::fs::read_to_string(world.path("run/events.jsonl")).unwrap();
    let count = |event: &str| log.lines().filter(|l| l.contains(&format!(r#""event":"{event}""#))).count();
    assert_eq!(["log", "started", "resumed", "finished"].map(count), [1; 4], "{log}");
    same("run", &world.path("run"), &world.path("whole"));
}

#[test]
fn an_interrupted_run_has_its_best_model_and_is_no_finished_run_of_another_configuration() {
    let world = World::new();
    let config = stopped(&world);
    let run = Run::open(&world.path("run")).unwrap();
    assert!(run.is_interrupted() && run.report().unwrap().test.is_some());
    assert!(run.model(&world.loaded.data).is_ok());
    let mut other = config.clone();
    other.seed += 1;
    let refused = call(&world, &other, "run", &mut Silent, &StopFlag::default()).unwrap();
    assert!(matches!(refused, Err(TrainError::Taken(_))));
    let mut rarely = config.clone();
    rarely.train.checkpoint_every = CheckpointEvery::Never;
    assert_eq!(resumptions(&again(&world, &rarely)).len(), 1, "no setting that decides anything");
    same_but_configuration(&world);
    let refused = call(&world, &config, "run", &mut Silent, &StopFlag::default()).unwrap();
    assert!(matches!(refused, Err(TrainError::Taken(_))), "it is finished now");
}

fn same_but_configuration(world: &World) {
    let (mut found, mut expected) = (left(&world.path("run")), left(&world.path("whole")));
    found.remove("config.toml");
    expected.remove("config.toml");
    assert!(found == expected);
}

#[test]
fn from_scratch_begins_anew() {
    let world = World::new();
    let config = stopped(&world).checked().unwrap();
    let (out, mut heard) = (world.path("run"), Recorder::default());
    let job = Job { config: &config, loaded: &world.loaded, out: &out, overwrite: false, from_scratch: true };
    job.execute(&mut heard, &StopFlag::default()).unwrap();
    assert_eq!(resumptions(&heard.0), [0; 0]);
    same("from scratch", &out, &world.path("whole"));
}

/// Changes the file of a checkpoint.
fn change(world: &World, change: impl Fn(&mut Vec<u8>)) {
    let path = world.path("run/checkpoint.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_said_and_training_begins_anew() {
    let world = World::new();
    let config = stopped(&world);
    let whole = std::fs::read(world.path("run/checkpoint.safetensors")).unwrap();
    let mut stream = Seed(5).stream("damage");
    let mut places: Vec<usize> = (0..5).map(|_| stream.below(whole.len() as u32) as usize).collect();
    places.extend([0, 9]);
    for place in places {
        change(&world, |bytes| bytes[place] ^= 1 << (place % 8));
        let heard = again(&world, &config);
        assert!(notes(&heard)[0].contains("is damaged: training starts from the beginning"), "{heard:?}");
        assert_eq!(resumptions(&heard), [0; 0]);
        stop_over(&world, &config);
    }
    for kept in [0.0, 0.01, 0.5, 0.999] {
        change(&world, |bytes| bytes.truncate((bytes.len() as f64 * kept) as usize));
        assert!(notes(&again(&world, &config))[0].contains("is damaged"));
        stop_over(&world, &config);
    }
}

/// Makes the finished run one that was stopped again.
fn stop_over(world: &World, config: &RunConfig) {
    std::fs::remove_dir_all(world.path("run")).unwrap();
    stop_at(world, config, 45);
}

#[test]
fn a_checkpoint_of_something_else_is_said_and_training_begins_anew() {
    let (world, other) = (World::new(), World::seeded(8));
    let config = stopped(&world);
    let mine = std::fs::read(world.path("run/checkpoint.safetensors")).unwrap();
    let mut longer = config.clone();
    longer.train.epochs += 1;
    // The same directory and log, but the checkpoint was of fewer epochs, of other data, or of another log.
    let renamed = |world: &World| {
        let path = world.path("run/config.toml");
        std::fs::write(&path, longer.to_toml().unwrap()).unwrap();
    };
    renamed(&world);
    assert!(notes(&again(&world, &longer))[0].contains("is of other settings"));
    stop_over(&world, &config);
    stop_at(&other, &six_epochs(&other, "vbpr", "none"), 45);
    let foreign = std::fs::read(other.path("run/checkpoint.safetensors")).unwrap();
    change(&world, |bytes| bytes.clone_from(&foreign));
    assert!(notes(&again(&world, &config))[0].contains("is of other data"));
    stop_over(&world, &config);
    change(&world, |bytes| bytes.clone_from(&mine));
    let log = world.path("run/events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, &text[..text.len() / 2]).unwrap();
    assert!(notes(&again(&world, &config))[0].contains("the log of events beside it"));
}

#[test]
fn teachers_that_were_trained_anew_with_other_results_are_other_teachers() {
    let world = World::new();
    let mut config = six_epochs(&world, "vbpr", "ckd");
    config.balance.teachers = Some(world.path("teachers"));
    let flag = StopFlag::default();
    world.run(&config, "first").unwrap();
    let mut after = After { steps: 20, end: End::Stop, flag: flag.clone() };
    call(&world, &config, "run", &mut after, &flag).unwrap().unwrap();
    let name = world.modalities()[0].to_owned();
    let teacher = Run::open(&world.path("teachers").join(&name)).unwrap();
    let mut model = teacher.model(&world.loaded.data).unwrap();
    let table = model.parameters.read("user.id").iter().map(|v| v * 2.0).collect();
    model.parameters.write("user.id", table);
    let role = equipoise_train::Role::Teacher(name);
    teacher.write_model(&model, &role, &world.loaded.data.fingerprint()).unwrap();
    // As runs of earlier versions are, which are not bound by hashes.
    std::fs::remove_file(teacher.dir().join("run.json")).unwrap();
    assert!(notes(&again(&world, &config))[0].contains("began with other teachers"));
}

#[test]
fn a_loss_that_is_no_number_leaves_no_checkpoint() {
    let world = World::new();
    let mut config = six_epochs(&world, "vbpr", "none");
    config.train.lr = 1e30;
    let ended = call(&world, &config, "run", &mut Silent, &StopFlag::default()).unwrap();
    assert!(matches!(ended, Err(TrainError::NotFinite { .. })));
    assert!(!world.path("run/checkpoint.safetensors").exists());
}
