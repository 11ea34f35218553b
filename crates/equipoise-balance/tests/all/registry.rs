//! Every registered balancer is whole: it takes a step, says what it is, is documented and has reference values.

use crate::common;

use common::*;
use equipoise_balance::{BalanceConfig, balancers, find};
use equipoise_models::{Ablation, AblationEffect};
use std::collections::BTreeSet;

const REG: f64 = 0.01;

#[test]
fn names_are_distinct_and_found() {
    let names: BTreeSet<&str> = balancers().iter().map(|b| b.name).collect();
    assert_eq!(names.len(), balancers().len());
    for entry in balancers() {
        assert!(![entry.summary, entry.source].iter().any(|s| s.trim().is_empty()), "{}", entry.name);
        assert_eq!(find(entry.name).map(|b| b.summary), Some(entry.summary));
    }
    assert!(find("no such balancer").is_none());
}

#[test]
fn every_balancer_takes_a_step_with_any_number_of_modalities() {
    let golden = golden("ckd");
    for entry in balancers() {
        for name in ["m1_open", "m2_open", "m3_open", "m1_guarded", "m2_guarded", "m3_guarded"] {
            let f = Fixture::named(&golden, name);
            let mut balancer = entry.build(&BalanceConfig::default().sections, f.setup());
            for _ in 0..2 {
                let seen = step(&f, Ablation::FULL, balancer.as_mut(), REG);
                let finite = seen.gradients.iter().flat_map(|g| &g.1).all(|g| g.is_finite());
                assert!(seen.total.is_finite() && finite, "{} {name}", entry.name);
                assert!(seen.modalities.is_empty() || seen.modalities.len() == f.n(), "{}", entry.name);
            }
        }
    }
}

#[test]
fn default_settings_are_in_range_whatever_the_backbone() {
    for entry in balancers() {
        for ablation_effect in [AblationEffect::Additive, AblationEffect::Inputs, AblationEffect::Nothing] {
            let config = BalanceConfig { name: entry.name.into(), ..BalanceConfig::default() };
            assert_eq!(config.check(ablation_effect).map(|b| b.name), Ok(entry.name));
        }
    }
}

/// Names of a balancer's settings that have a default value, from its section.
fn settings(name: &str) -> Vec<String> {
    let config = serde_json::to_value(BalanceConfig::default()).unwrap();
    config[name].as_object().expect("a section").keys().cloned().collect()
}

/// The documentation of a balancer's module, and of its configuration where that is a file of its own.
fn documentation(name: &str) -> String {
    let root = format!("{}/src/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = [format!("{root}.rs"), format!("{root}/mod.rs"), format!("{root}/config.rs")];
    let text: String = files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    assert!(!text.is_empty(), "{root}: no module of that name");
    text.lines().filter(|l| l.starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_balancer_documents_each_setting_and_has_reference_values() {
    for entry in balancers().iter().filter(|b| b.name != "none") {
        let docs = documentation(entry.name);
        for setting in settings(entry.name) {
            assert!(docs.contains(&format!("| `{setting}` |")), "{}: no row for `{setting}`", entry.name);
        }
        assert!(docs.contains("```text"), "{}: no equation", entry.name);
        assert!(!list(&golden(entry.name)["cases"]).is_empty(), "{}: no reference case", entry.name);
    }
}
