//! What a training that can be interrupted asks of a backbone, and of the graphs that it is built from.

mod common;

use burn::tensor::Tensor;
use common::*;
use equipoise_data::{Dataset, Seed, StopFlag};
use equipoise_models::{
    AblationEffect, Backbone, BackboneConfig, BackboneSettings, Build, Inputs, Mode, Model, ModelError, Pass,
    Tables, suite,
};
use equipoise_nn::init;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

fn data() -> Dataset {
    dataset(USERS, ITEMS, random_features(2, &mut Seed(1).stream("features")))
}

fn build(name: &str, inputs: Inputs) -> Result<Model, ModelError> {
    Model::on(&BackboneConfig::named(name), inputs, Seed(7), &equipoise_nn::device("cpu").unwrap())
}

#[test]
fn a_model_whose_graph_was_cut_short_is_not_built_and_others_are() {
    let (inputs, stop) = (Inputs::new(&data()), StopFlag::default());
    stop.raise();
    for name in ["freedom", "mgcn"] {
        assert_eq!(build(name, inputs.until(&stop)).err(), Some(ModelError::Stopped), "{name}");
    }
    assert!(build("vbpr", inputs.until(&stop)).is_ok());
    // Nothing of a search that was cut short is kept, and what was found before is used.
    for name in ["freedom", "mgcn"] {
        let model = build(name, inputs.clone()).unwrap();
        assert_eq!(model.inputs.neighbours(0, 10).k(), 10.min(ITEMS), "{name}");
        assert!(build(name, inputs.until(&stop)).is_ok(), "{name}");
    }
}

/// Ids alone; with `counts`, user rows are scaled by the number of passes so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Counting {
    counts: bool,
}

impl BackboneSettings for Counting {
    const NAME: &'static str = "counting";
    const TITLE: &'static str = "Counting";
    const SOURCE: &'static str = "this test";
    const SUMMARY: &'static str = "ids, and perhaps a count of passes";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids(init::xavier_uniform);
        Box::new(Counter { counts: self.counts, passes: AtomicU32::new(0) })
    }
}

struct Counter {
    counts: bool,
    passes: AtomicU32,
}

impl Backbone for Counter {
    fn forward(&self, pass: &Pass) -> Tables {
        let passes = if self.counts && pass.mode() == Mode::Training {
            self.passes.fetch_add(1, Ordering::SeqCst)
        } else {
            0
        };
        let users: Tensor<2> = pass.users("user.id") * (1.0 + f64::from(passes));
        Tables::new(users, pass.items("item.id"))
    }
}

#[test]
fn a_backbone_that_keeps_something_beside_its_parameters_is_found() {
    equipoise_models::register(Counting::ENTRY).unwrap();
    let with = |counts| BackboneConfig { width: 6, ..BackboneConfig::of(Counting { counts }) };
    suite::goes_on_from_its_parameters(&with(false));
    let panic = std::panic::catch_unwind(|| suite::goes_on_from_its_parameters(&with(true)));
    let panic = panic.expect_err("it counts");
    let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.contains("keeps something beside its parameters"), "{text}");
}
