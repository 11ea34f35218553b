//! Reference files, and models made from them or at random.
#![allow(dead_code)] // each test file uses its part

use burn::tensor::Tensor;
use equipoise_data::{
    Categories, Dataset, Features, Interactions, Modality, Seed, Stream, Triples, Vocabulary,
};
use equipoise_models::{Ablation, BackboneConfig, Model, RowSet, suite};
use serde_json::{Value, json};
use std::sync::Arc;

/// A file of `reference/golden`.
pub fn golden(name: &str) -> Value {
    let path = format!("{}/../../reference/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The members of a JSON list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("expected a list, found {value}"))
}

/// All numbers of nested lists, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(inner) => inner.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap_or_else(|| panic!("expected a number, found {other}"))],
    }
}

/// The same as float32.
pub fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

/// A string of a JSON object.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("expected a string at `{key}` of {value}"))
}

/// A count of a JSON object.
pub fn count(value: &Value, key: &str) -> usize {
    value[key].as_u64().unwrap_or_else(|| panic!("expected a count at `{key}`")) as usize
}

/// Fails unless `|found - expected| <= 1e-5 (1 + |expected|)` everywhere.
pub fn close(what: &str, found: &[f32], expected: &[f64]) {
    near(what, found, expected, 1e-5);
}

/// The same with another tolerance.
pub fn near(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    for (k, (&f, e)) in found.iter().zip(expected).enumerate() {
        let within = (f64::from(f) - e).abs() <= tolerance * (1.0 + e.abs());
        assert!(within, "{what}[{k}]: found {f}, expected {e}");
    }
}

/// A tensor's values.
pub fn vector<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_into_vec().expect("float32")
}

/// A data set with these features and one train interaction.
pub fn dataset(users: usize, items: usize, modalities: Vec<(String, Features)>) -> Dataset {
    connected(users, items, &[(0, 0)], modalities)
}

/// A data set with these train interactions and features.
pub fn connected(
    users: usize,
    items: usize,
    pairs: &[(u32, u32)],
    modalities: Vec<(String, Features)>,
) -> Dataset {
    let ids = |kind: &str, n| (0..n).map(|k| format!("{kind}{k}")).collect();
    let interactions = || Interactions::from_pairs(users, items, pairs).0;
    Dataset {
        name: "test".into(),
        format: "none".into(),
        vocabulary: Vocabulary::new(ids("u", users), ids("i", items)).expect("distinct ids"),
        train: interactions(),
        validation: interactions(),
        modalities: modalities.into_iter().map(|(name, features)| Modality::new(name, features)).collect(),
        categories: None,
        notes: Vec::new(),
    }
}

/// A VBPR on this data.
pub fn vbpr(data: &Dataset, width: usize, seed: u64) -> Model {
    let config = BackboneConfig { width, ..BackboneConfig::named("vbpr") };
    let device = equipoise_nn::device("cpu").expect("there is a cpu");
    Model::new(&config, data, Seed(seed), &device).expect("a valid model")
}

/// A backbone with some of its settings, width 6.
pub fn configured(backbone: &str, settings: Value) -> BackboneConfig {
    let config = json!({"name": backbone, "width": 6, backbone: settings});
    serde_json::from_value(config).unwrap_or_else(|fault| panic!("{backbone}: {fault}"))
}

/// Puts a variant through every check of the suite.
pub fn behaves(backbone: &str, settings: Value) {
    let entry = equipoise_models::find(backbone).expect("a built-in backbone");
    suite::check_with(entry, &configured(backbone, settings));
}

/// The same for a variant in which silencing takes a graph away. A modality that is the same everywhere has a
/// graph too, so silencing it may show.
pub fn behaves_without_graphs(backbone: &str, settings: Value) {
    let entry = equipoise_models::find(backbone).expect("a built-in backbone");
    let config = configured(backbone, settings);
    suite::describes_itself(entry, &config);
    suite::follows_its_seed(&config);
    suite::gradients_are_difference_quotients(&config);
    suite::learns(&config);
    suite::shares_without_change(&config);
    suite::adds_up_if_it_says_so(entry, &config);
    suite::survives_saving(&config);
    suite::ignores_threads(&config);
    suite::accepts_the_unknown(&config);
    suite::rows_are_rows_of_the_tables(&config);
}

/// A model on the suite's data.
pub fn suite_model(backbone: &str, settings: Value, data: &Dataset, seed: u64) -> Model {
    suite::model(&configured(backbone, settings), data, seed)
}

/// What a training step with these triples sees under these ablations.
pub fn step(model: &Model, triples: &Triples, ablations: &[Ablation], step: u64) -> suite::Observed {
    let (all_rows, penalty, naive) = (false, 0.0, false);
    suite::observe(model, &suite::Probe { triples, ablations, all_rows, penalty, naive, step })
}

/// The model of a reference case, with its settings and parameters.
pub fn reference_model(backbone: &str, case: &Value) -> Model {
    let (users, items) = (count(case, "users"), count(case, "items"));
    let features = |m: &Value| {
        let features = Features::new(items, count(m, "width"), floats(&m["features"]));
        (text(m, "name").to_owned(), features.expect("finite features"))
    };
    let modalities = list(&case["modalities"]).iter().map(features).collect();
    let pair = |p: &Value| (numbers(p)[0] as u32, numbers(p)[1] as u32);
    let pairs: Vec<(u32, u32)> =
        case["interactions"].as_array().map_or(vec![(0, 0)], |l| l.iter().map(pair).collect());
    let mut config = json!({"name": backbone, "width": count(case, "width")});
    if let Some(settings) = case.get("config") {
        config[backbone] = settings.clone();
    }
    let config: BackboneConfig =
        serde_json::from_value(config).unwrap_or_else(|fault| panic!("{}: {fault}", text(case, "name")));
    let device = equipoise_nn::device("cpu").expect("there is a cpu");
    let mut data = connected(users, items, &pairs, modalities);
    // One label per index, so that labels in their order are the indices again.
    let path = |index: &f64| vec![format!("{index:05}")];
    let categories = case.get("categories").map(|indices| numbers(indices).iter().map(path).collect());
    data.categories = categories.map(Categories::new);
    let mut model = Model::new(&config, &data, Seed(0), &device).expect("a valid model");
    let parameters = case["parameters"].as_object().expect("an object of tables");
    assert_eq!(parameters.len(), model.parameters.len(), "{}: parameters", text(case, "name"));
    parameters.iter().for_each(|(name, values)| model.parameters.write(name, floats(values)));
    model
}

/// Users and items of every random model.
pub const USERS: usize = 6;
/// Items.
pub const ITEMS: usize = 8;

/// Random features of that many modalities, of different widths.
pub fn random_features(n: usize, stream: &mut Stream) -> Vec<(String, Features)> {
    let names = ["text", "image", "audio", "video"];
    (0..n)
        .map(|m| {
            let width = 3 + 2 * m;
            let values = (0..ITEMS * width).map(|_| (2.0 * stream.unit() - 1.0) as f32).collect();
            (names[m].to_owned(), Features::new(ITEMS, width, values).expect("finite"))
        })
        .collect()
}

/// A random VBPR of `n` modalities.
pub fn random_model(n: usize, width: usize, seed: u64) -> Model {
    let mut stream = Seed(seed).stream("features");
    vbpr(&dataset(USERS, ITEMS, random_features(n, &mut stream)), width, seed)
}

/// Triples of a JSON list `[[user, first, second], ...]`.
pub fn triples(value: &Value) -> Triples {
    let column = |k: usize| list(value).iter().map(|t| numbers(t)[k] as u32).collect();
    Triples { users: column(0), positives: column(1), negatives: column(2) }
}

/// Random triples, one of them with equal items.
pub fn random_triples(n: usize, stream: &mut Stream) -> Triples {
    let mut t = Triples::default();
    for _ in 0..n {
        t.users.push(stream.below(USERS as u32));
        t.positives.push(stream.below(ITEMS as u32));
        t.negatives.push(stream.below(ITEMS as u32));
    }
    t.negatives[0] = t.positives[0];
    t
}

/// Triples as positions in row sets.
pub fn positions(t: &Triples, users: &RowSet, items: &RowSet) -> Arc<Triples> {
    let at = |set: &RowSet, row: u32| set.position(row).expect("row is there");
    Arc::new(t.map(|user| at(users, user), |item| at(items, item)))
}

/// Every ablation of `n` modalities.
pub fn every_ablation(n: usize) -> Vec<Ablation> {
    (0..1usize << n).map(|set| Ablation::silencing((0..n).filter(|m| set >> m & 1 == 1))).collect()
}

/// The same numbers in float64.
pub fn numbers_of(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

/// Moves every parameter by `U(-size, size)`: published initial values are so small that products vanish.
pub fn spread(model: &mut Model, size: f64) {
    let mut stream = Seed(23).stream("spread");
    let names: Vec<String> = model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
    for name in names {
        let values = model.parameters.read(&name);
        let moved = values.iter().map(|v| v + (size * (2.0 * stream.unit() - 1.0)) as f32).collect();
        model.parameters.write(&name, moved);
    }
}

/// Fails unless listing three modalities in another order gives the same margins under every ablation.
pub fn relabelled(config: &BackboneConfig) {
    let (data, order) = (suite::dataset(3, 9), [2, 0, 1]);
    let modalities = order.map(|k| data.modalities[k].clone()).to_vec();
    let reordered = Dataset { modalities, ..data.clone() };
    let (mut first, mut second) = (suite::model(config, &data, 1), suite::model(config, &reordered, 2));
    spread(&mut first, 0.5);
    let names: Vec<String> = first.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
    names.iter().for_each(|name| second.parameters.write(name, first.parameters.read(name)));
    let index = positions(&suite::triples(9, 9), first.inputs.all_users(), first.inputs.all_items());
    for silenced in every_ablation(3) {
        let there = Ablation::silencing((0..3).filter(|&k| silenced.silences(order[k])));
        let margins = |model: &Model, a| model.encode_all(&[a]).margins(index.clone()).values(a);
        close("relabelled", &margins(&second, there), &numbers_of(&margins(&first, silenced)));
    }
}
