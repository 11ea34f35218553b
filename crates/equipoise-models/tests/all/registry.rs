//! Every registered backbone is whole: it behaves, says what it is, is documented and has reference values.

use crate::common;

use common::*;
use equipoise_data::{Dataset, Seed};
use equipoise_models::{BackboneConfig, Model, ModelError, built_in, find, suite};
use std::collections::BTreeSet;

fn data() -> Dataset {
    dataset(USERS, ITEMS, random_features(2, &mut Seed(1).stream("features")))
}

fn build(name: &str, width: usize, data: &Dataset) -> Result<Model, ModelError> {
    let config = BackboneConfig { width, ..BackboneConfig::named(name) };
    Model::new(&config, data, Seed(7), &equipoise_nn::device("cpu").unwrap())
}

#[test]
fn every_backbone_behaves() {
    std::thread::scope(|scope| {
        for entry in built_in() {
            scope.spawn(move || suite::check(entry));
        }
    });
}

#[test]
fn names_are_distinct_and_found() {
    let names: BTreeSet<&str> = built_in().iter().map(|b| b.name).collect();
    assert_eq!(names.len(), built_in().len());
    for entry in built_in() {
        assert_eq!(find(entry.name).map(|b| b.title), Some(entry.title));
    }
    assert!(find("no such backbone").is_none());
}

/// Names of a backbone's settings, from its defaults.
fn settings(name: &str) -> Vec<String> {
    let config = serde_json::to_value(BackboneConfig::default()).unwrap();
    config[name].as_object().expect("a section").keys().cloned().collect()
}

#[test]
fn every_backbone_documents_each_setting_and_has_reference_values() {
    let root = env!("CARGO_MANIFEST_DIR");
    for entry in built_in() {
        let file = format!("{root}/src/backbones/{}.rs", entry.name);
        let folder = format!("{root}/src/backbones/{}/mod.rs", entry.name);
        let path = if std::path::Path::new(&file).exists() { file } else { folder };
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let docs: Vec<&str> = source.lines().take_while(|l| l.starts_with("//!")).collect();
        let at = docs.iter().position(|l| l.trim() == "//! # Configuration");
        let table = &docs[at.unwrap_or_else(|| panic!("{path}: no `# Configuration`"))..];
        for setting in settings(entry.name).iter().map(String::as_str).chain(["width"]) {
            let row = format!("| `{setting}` |");
            assert!(table.iter().any(|l| l.contains(&row)), "{path}: `{setting}` is not in the table");
        }
        assert!(!list(&golden(entry.name)["cases"]).is_empty(), "{}: no reference case", entry.name);
    }
}

#[test]
fn a_width_out_of_range_and_an_unknown_name_are_refused_with_the_choices() {
    let data = data();
    for entry in built_in() {
        for width in [0, 4097] {
            let error = build(entry.name, width, &data).err().expect("out of range").to_string();
            assert_eq!(error, format!("backbone.width = {width}: expected 1 to 4096"));
        }
        assert!(build(entry.name, 1, &data).is_ok());
        let error = build("nothing", 4, &data).err().expect("unknown").to_string();
        assert!(error.contains("\"nothing\"") && error.contains(entry.name), "{error}");
    }
    let empty = Dataset { modalities: Vec::new(), ..data };
    assert_eq!(build("vbpr", 4, &empty).err(), Some(ModelError::Modalities(0)));
}
