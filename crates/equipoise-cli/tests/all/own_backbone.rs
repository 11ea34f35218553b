//! The walk-through for a backbone of one's own: it is the example, it behaves, and it trains under distillation.

#[allow(dead_code)] // its `main` is the whole program
#[path = "../../examples/program_with_backbone.rs"]
mod own;

use crate::common;

use common::Demo;
use equipoise_balance::Ckd;
use equipoise_data::{LoadOptions, load};
use equipoise_models::{BackboneSettings, register, suite};
use equipoise_train::events::Silent;
use equipoise_train::{Job, RunConfig, StopFlag};

const EXAMPLE: &str = include_str!("../../examples/program_with_backbone.rs");
const GUIDE: &str = include_str!("../../../../docs/add-a-backbone.md");

#[test]
fn the_guide_shows_the_example_and_it_is_short() {
    assert!(
        GUIDE.contains(EXAMPLE.trim_end()),
        "docs/add-a-backbone.md must show examples/program_with_backbone.rs"
    );
    assert!(EXAMPLE.lines().count() < 80, "{} lines", EXAMPLE.lines().count());
}

#[test]
fn it_behaves_and_trains_under_distillation_by_its_name() {
    suite::check(&own::Fused::ENTRY);
    assert!(register(own::Fused::ENTRY).is_err(), "the suite has registered it, and a name is taken once");
    let demo = Demo::new();
    let loaded = load(&demo.data(), &LoadOptions::default()).unwrap();
    let mut config = RunConfig::default();
    config.backbone.name = "fused".into();
    config.backbone.width = 8;
    (config.train.epochs, config.train.lr) = (2, 0.01);
    (config.balance.name, config.balance.get_mut::<Ckd>().generic_triples) = ("ckd".into(), 50);
    let config = config.checked().unwrap();
    let out = demo.dir("fused");
    let job = Job { config: &config, loaded: &loaded, out: &out, overwrite: false, from_scratch: false };
    let outcome = job.execute(&mut Silent, &StopFlag::default()).unwrap();
    assert!(outcome.report.metric("recall@20") > Some(0.0));
    let saved = outcome.run.model(&loaded.data).unwrap();
    assert_eq!(saved.parameters.len(), 2 + 3 * loaded.data.modalities.len());
}
