//! The walk-through for a balancer of one's own: it is the example, it behaves, and it trains with settings of its own.

#[allow(dead_code)] // its `main` is the whole program
#[path = "../../examples/program_with_balancer.rs"]
mod own;

use crate::common;

use common::Demo;
use equipoise::Audit;
use equipoise_balance::{BalanceConfig, BalancerSettings, find, register, suite};
use equipoise_data::{LoadOptions, load};
use equipoise_report::text_report;
use equipoise_train::config::Layers;
use equipoise_train::events::Silent;
use equipoise_train::{Job, RunConfig, StopFlag};
use own::Weakest;

const EXAMPLE: &str = include_str!("../../examples/program_with_balancer.rs");
const GUIDE: &str = include_str!("../../../../docs/add-a-balancer.md");

#[test]
fn the_guide_shows_the_example_and_it_is_short() {
    assert!(
        GUIDE.contains(EXAMPLE.trim_end()),
        "docs/add-a-balancer.md must show examples/program_with_balancer.rs"
    );
    assert!(EXAMPLE.lines().count() < 110, "{} lines", EXAMPLE.lines().count());
}

#[test]
fn it_behaves() {
    suite::check(&Weakest::ENTRY);
    suite::check_with(&Weakest::ENTRY, &BalanceConfig::of(Weakest { strength: 2.0 }));
}

#[test]
fn once_registered_it_has_a_section_and_trains_by_its_name() {
    // Before: its section is an unknown key.
    let file = "[balance]\nname = \"weakest\"\n[balance.weakest]\nstrength = 0.5\n";
    assert!(Layers::new().text(file, "x.toml").is_err());
    register(Weakest::ENTRY).unwrap();
    assert!(register(Weakest::ENTRY).is_err(), "a name is taken once");
    let mistyped =
        Layers::new().text(&file.replace("strength", "strenght"), "x.toml").unwrap_err().to_string();
    assert_eq!(
        mistyped,
        "x.toml:4: unknown key `balance.weakest.strenght` (did you mean `balance.weakest.strength`?)"
    );
    let layers = Layers::new().text(file, "x.toml").unwrap();
    let out_of_range = layers.clone().set("balance.weakest.strength", (-1.0).into(), "--set".into()).unwrap();
    let fault = out_of_range.resolve().unwrap_err().to_string();
    assert_eq!(fault, "--set: balance.weakest.strength = -1: expected 0 or more");

    let demo = Demo::new();
    let loaded = load(&demo.data(), &LoadOptions::default()).unwrap();
    let mut config = layers.resolve().unwrap().into_inner();
    config.backbone.width = 8;
    (config.train.epochs, config.train.lr) = (2, 0.01);
    let text = config.to_toml().unwrap();
    assert!(text.contains("[balance.weakest]\nstrength = 0.5\n"), "{text}");
    assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config);
    let config = config.checked().unwrap();
    let out = demo.dir("weakest");
    let job = Job { config: &config, loaded: &loaded, out: &out, overwrite: false, from_scratch: false };
    let outcome = job.execute(&mut Silent, &StopFlag::default()).unwrap();
    assert!(outcome.report.metric("recall@20") > Some(0.0));
    assert_eq!(outcome.run.config().unwrap().balance.get::<Weakest>().strength, 0.5);
    let quantities = find("weakest").expect("registered").quantities;
    let report = text_report(&Audit::from_run(&outcome.run, None).unwrap());
    assert!(report.contains(quantities.weight.word), "its weights are in the report:\n{report}");
}
