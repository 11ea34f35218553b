//! The trial of a search that is killed goes on where it was, and measures what an undisturbed one measures.

use crate::common;

use common::{Recorder, World};
use equipoise_models::Inputs;
use equipoise_train::events::Silent;
use equipoise_train::{CheckpointEvery, Event, Listener, RunConfig, StopFlag, Tuned, Tuning, TuningPlace};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Panics at a step of the model, which leaves the files as `kill -9` does.
struct Killer {
    epoch: usize,
}

impl Listener<Event> for Killer {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { epoch, step: 3, .. } if *epoch == self.epoch) {
            std::panic::resume_unwind(Box::new("killed"));
        }
    }
}

/// Trains a trial; `None` if it was killed.
fn trial(world: &World, config: &RunConfig, dir: &Path, listener: &mut dyn Listener<Event>) -> Option<Tuned> {
    let config = config.clone().checked().unwrap();
    let (data, stop) = (&world.loaded.data, StopFlag::default());
    let (inputs, fingerprint) = (Inputs::new(data), data.fingerprint());
    let kept = Some(TuningPlace { dir, log: None, fingerprint: &fingerprint });
    let tuning = Tuning { config: &config, data, inputs: &inputs, metric: "ndcg@20", epochs: Some(8), kept };
    let prepared = tuning.prepare(&world.path("teachers"), &mut Silent, &stop).unwrap();
    catch_unwind(AssertUnwindSafe(|| tuning.execute(prepared, listener, &stop).unwrap())).ok()
}

#[test]
fn a_trial_that_is_killed_goes_on_and_measures_the_same() {
    let world = World::new();
    for mut config in [world.config(), world.distilled()] {
        (config.train.epochs, config.train.checkpoint_every) = (8, CheckpointEvery::Evaluations(1));
        let name = &config.balance.name.clone();
        let whole = trial(&world, &config, &world.path(&format!("{name} whole")), &mut Silent).unwrap();
        let dir = world.path(name);
        for epoch in [3, 6] {
            assert_eq!(trial(&world, &config, &dir, &mut Killer { epoch }), None);
        }
        let mut heard = Recorder::default();
        let found = trial(&world, &config, &dir, &mut heard).unwrap();
        let resumed = |event: &Event| matches!(event, Event::Resumed { epoch, .. } if *epoch > 3);
        assert_eq!(heard.0.iter().filter(|event| resumed(event)).count(), 1, "{name}: {:?}", heard.0);
        let but_time = |tuned: Tuned| Tuned { seconds: 0.0, ..tuned };
        assert_eq!(but_time(found), but_time(whole), "{name}");
        assert!(!dir.join("checkpoint.safetensors").exists(), "it is over");
    }
}
