//! Every registered backbone is whole: it builds, says what it is, is documented and has reference values.

mod common;

use common::*;
use equipoise_data::{Dataset, Seed};
use equipoise_models::{Ablation, BackboneConfig, Model, ModelError, backbones, find};
use std::collections::{BTreeSet, HashMap};

fn data() -> Dataset {
    dataset(USERS, ITEMS, random_features(2, &mut Seed(1).stream("features")))
}

fn build(name: &str, width: usize, data: &Dataset) -> Result<Model, ModelError> {
    let config = BackboneConfig { name: name.into(), width };
    Model::new(&config, data, Seed(7), &equipoise_nn::device("cpu").unwrap())
}

#[test]
fn every_backbone_builds_and_encodes() {
    let data = data();
    for entry in backbones() {
        let model = build(entry.name, 6, &data).unwrap();
        for a in every_ablation(2) {
            let (users, items, width) = model.encode_all(&[a]).tables(a);
            assert_eq!((users.len(), items.len()), (USERS * width, ITEMS * width), "{}", entry.name);
            assert!(users.iter().chain(&items).all(|v| v.is_finite()), "{}", entry.name);
        }
    }
}

#[test]
fn every_backbone_says_what_it_is_once() {
    let names: BTreeSet<&str> = backbones().iter().map(|b| b.name).collect();
    assert_eq!(names.len(), backbones().len(), "names are distinct");
    for entry in backbones() {
        for words in [entry.name, entry.title, entry.source, entry.summary] {
            assert!(!words.trim().is_empty(), "{}: an empty description", entry.name);
        }
        assert_eq!(find(entry.name).map(|b| b.title), Some(entry.title));
    }
    assert!(find("no such backbone").is_none());
}

#[test]
fn every_backbone_documents_its_configuration_and_has_reference_values() {
    let root = env!("CARGO_MANIFEST_DIR");
    for entry in backbones() {
        let path = format!("{root}/src/backbones/{}.rs", entry.name);
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let docs: Vec<&str> = source.lines().take_while(|l| l.starts_with("//!")).collect();
        let at = docs.iter().position(|l| l.trim() == "//! # Configuration");
        let table = &docs[at.unwrap_or_else(|| panic!("{path}: no `# Configuration`"))..];
        assert!(table.iter().any(|l| l.contains("| `width` |")), "{path}: `width` is not in the table");
        assert!(!list(&golden(entry.name)["cases"]).is_empty(), "{}: no reference case", entry.name);
    }
}

#[test]
fn parameter_names_are_unique_and_modality_groups_name_modalities() {
    let data = data();
    for entry in backbones() {
        let model = build(entry.name, 6, &data).unwrap();
        let names: BTreeSet<&str> = model.parameters.iter().map(|(n, _, _)| n).collect();
        assert_eq!(names.len(), model.parameters.len());
        for (name, group, _) in model.parameters.iter() {
            if let equipoise_nn::Group::Modality(m) = group {
                assert!(model.inputs.names().contains(&m.as_str()), "{name}: unknown modality {m}");
            }
        }
    }
}

#[test]
fn a_width_out_of_range_and_an_unknown_name_are_refused_with_the_choices() {
    let data = data();
    for entry in backbones() {
        for width in [0, 4097] {
            let error = build(entry.name, width, &data).err().expect("out of range");
            assert_eq!(error, ModelError::Width(width));
            assert!(error.to_string().contains("1 to 4096"));
        }
        assert!(build(entry.name, 1, &data).is_ok());
        let error = build("nothing", 4, &data).err().expect("unknown").to_string();
        assert!(error.contains("`nothing`") && error.contains(entry.name), "{error}");
    }
    let empty = Dataset { modalities: Vec::new(), ..data };
    assert_eq!(build("vbpr", 4, &empty).err(), Some(ModelError::Modalities(0)));
}

#[test]
fn a_seed_decides_every_initial_value() {
    let data = data();
    for entry in backbones() {
        let config = BackboneConfig { name: entry.name.into(), width: 6 };
        let device = equipoise_nn::device("cpu").unwrap();
        let with = |seed| Model::new(&config, &data, Seed(seed), &device).unwrap().parameters.snapshot();
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }
}

#[test]
fn a_saved_model_scores_as_before() {
    let (data, dir) = (data(), tempfile::tempdir().unwrap());
    for entry in backbones() {
        let (trained, path) = (build(entry.name, 6, &data).unwrap(), dir.path().join(entry.name));
        std::fs::write(&path, trained.parameters.to_safetensors(HashMap::new()).unwrap()).unwrap();
        let config = BackboneConfig { name: entry.name.into(), width: 6 };
        let device = equipoise_nn::device("cpu").unwrap();
        let mut loaded = Model::new(&config, &data, Seed(99), &device).unwrap();
        let tables = |m: &Model| m.encode_all(&[Ablation::FULL]).tables(Ablation::FULL);
        assert_ne!(tables(&loaded), tables(&trained));
        loaded.parameters.load_safetensors(&path).unwrap();
        assert_eq!(tables(&loaded), tables(&trained));
    }
}
