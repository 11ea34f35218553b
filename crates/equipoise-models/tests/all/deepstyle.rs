//! DeepStyle's variants, and where its categories come from.

use equipoise_data::Dataset;
use equipoise_models::backbones::deepstyle::{CategorySource, Config, Variant};
use equipoise_models::{Ablation, BackboneConfig, Model, ModelError, find, suite};

const SOURCES: [CategorySource; 3] = [CategorySource::Data, CategorySource::PerItem, CategorySource::None];

fn config(deepstyle: Config) -> BackboneConfig {
    BackboneConfig { width: 5, ..BackboneConfig::of(deepstyle) }
}

fn sourced(categories: CategorySource, min_count: usize) -> BackboneConfig {
    config(Config { categories, min_count, ..Config::default() })
}

fn shape(model: &Model, name: &str) -> Option<[usize; 2]> {
    model.parameters.iter().find(|(n, _, _)| *n == name).map(|(_, _, shape)| shape)
}

#[test]
fn every_variant_behaves() {
    let entry = find("deepstyle").expect("registered");
    for variant in [Variant::Split, Variant::Tied] {
        for categories in SOURCES {
            for ablate_category in [true, false] {
                let config = config(Config { variant, categories, ablate_category, min_count: 1 });
                suite::check_with(entry, &config);
            }
        }
    }
}

/// The same draws, the same tables: the category term is all that there is between the two.
#[test]
fn split_without_categories_is_vbpr() {
    let (data, n) = (suite::dataset(3, 4), 3);
    let found = suite::model(&sourced(CategorySource::None, 10), &data, 4);
    let vbpr = suite::model(&BackboneConfig { width: 5, ..BackboneConfig::named("vbpr") }, &data, 4);
    for ablation in [Ablation::FULL, Ablation::only(1, n), Ablation::without(0), Ablation::ids_only(n)] {
        let tables = |model: &Model| model.encode_all(&[ablation]).tables(ablation);
        assert_eq!(tables(&found), tables(&vbpr), "{ablation:?}");
    }
}

#[test]
fn a_kept_category_speaks_for_a_silenced_modality() {
    let (data, asked) = (suite::dataset(2, 5), [Ablation::ids_only(2)]);
    for variant in [Variant::Split, Variant::Tied] {
        let margins = |ablate_category, categories| {
            let config = config(Config { variant, categories, ablate_category, min_count: 1 });
            let model = suite::model(&config, &data, 5);
            let triples = suite::triples(9, 5);
            let probe = suite::Probe {
                triples: &triples,
                ablations: &asked,
                all_rows: true,
                penalty: 0.0,
                naive: false,
                step: 0,
            };
            suite::observe(&model, &probe).margins.remove(0)
        };
        let apart =
            |a: Vec<f32>, b: Vec<f32>| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let silent = margins(true, CategorySource::Data);
        assert!(apart(margins(false, CategorySource::Data), silent.clone()) > 1e-3, "{variant:?}");
        assert!(apart(margins(false, CategorySource::None), silent) < 1e-6, "{variant:?}");
    }
}

#[test]
fn auto_takes_the_categories_that_are_there() {
    let data = suite::dataset(1, 1);
    let categories = |data: &Dataset, source, min_count| {
        shape(&suite::model(&sourced(source, min_count), data, 1), "category.text").map(|shape| shape[0])
    };
    let labels = |min_count| data.categories.as_ref().map(|c| c.resolve(min_count).0.len());
    assert_eq!((labels(1), labels(2)), (Some(5), Some(3)));
    for min_count in [1, 2] {
        assert_eq!(categories(&data, CategorySource::Auto, min_count), labels(min_count));
        assert_eq!(categories(&data, CategorySource::Data, min_count), labels(min_count));
        assert_eq!(categories(&data, CategorySource::PerItem, min_count), Some(suite::ITEMS));
    }
    assert_eq!(categories(&data, CategorySource::None, 1), None);
    let without = Dataset { categories: None, ..data.clone() };
    assert_eq!(categories(&without, CategorySource::Auto, 1), Some(suite::ITEMS));
}

#[test]
fn what_cannot_be_served_is_refused() {
    let device = equipoise_nn::device("cpu").expect("there is a cpu");
    let refusal = |config: &BackboneConfig, data: &Dataset| match Model::new(
        config,
        data,
        equipoise_data::Seed(1),
        &device,
    ) {
        Err(ModelError::Setting(fault)) => fault.to_string(),
        other => panic!("expected a refusal, found {:?}", other.map(|_| "a model")),
    };
    let data = Dataset { categories: None, ..suite::dataset(1, 1) };
    let found = refusal(&sourced(CategorySource::Data, 10), &data);
    assert_eq!(
        found,
        "backbone.deepstyle.categories = \"data\": expected a data set with categories.json beside its splits, or \
         auto, per_item or none"
    );
    let found = refusal(&sourced(CategorySource::Auto, 0), &data);
    assert_eq!(found, "backbone.deepstyle.min_count = 0: expected 1 or more");
}
