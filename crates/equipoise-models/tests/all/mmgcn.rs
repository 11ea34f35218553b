//! MMGCN: what silencing means for its channels, and its variants.

use equipoise_data::graph::Normalisation;
use equipoise_data::{Dataset, Features};
use equipoise_models::backbones::mmgcn::{Combination, Config};
use equipoise_models::suite::{
    self, ITEMS, Observed, Probe, USERS, dataset, every_ablation, observe, triples,
};
use equipoise_models::{Ablation, BackboneConfig, BackboneSettings, Model, Request, RowSet, encode_naively};

fn settings(mmgcn: Config) -> BackboneConfig {
    BackboneConfig { width: 5, ..BackboneConfig::of(mmgcn) }
}

fn all_variants(layers: usize) -> Vec<Config> {
    let kinds = [Combination::Elementwise, Combination::Concat];
    let variant =
        |normalisation, combination| Config { layers, normalisation, combination, ..Config::default() };
    Normalisation::ALL.into_iter().flat_map(|n| kinds.map(|c| variant(n, c))).collect()
}

/// A model with parameters of a size at which every term matters.
fn model(config: &Config, data: &Dataset) -> Model {
    let mut model = suite::model(&settings(config.clone()), data, 21);
    for name in names(&model) {
        let values = model.parameters.read(&name).into_iter().enumerate();
        model.parameters.write(&name, values.map(|(k, v)| v + 0.1 * (k as f32).sin()).collect());
    }
    model
}

fn names(model: &Model) -> Vec<String> {
    model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect()
}

/// Rows of users and items, the plain path's and the shared one's.
fn rows(model: &Model, ablation: Ablation) -> [Vec<Vec<f32>>; 2] {
    let (values, asked) = (model.parameters.values(false), [ablation]);
    let request = Request::inference(&values, &model.inputs, &asked);
    let backbone = model.backbone.as_ref();
    [encode_naively(backbone, &request), backbone.encode(&request)].map(|encoded| {
        let (users, items, width) = encoded.tables(ablation);
        users.chunks(width).chain(items.chunks(width)).map(<[f32]>::to_vec).collect()
    })
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |d, (a, b)| d.max((a - b).abs()))
}

fn close(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    let apart = distance(&found.concat(), &expected.concat());
    assert!(apart <= 1e-5, "{what}: {apart} apart");
}

fn train(model: &Model, ablations: &[Ablation], step: u64) -> Observed {
    let triples = triples(9, 3);
    observe(model, &Probe { triples: &triples, ablations, all_rows: false, penalty: 0.1, naive: false, step })
}

/// Modality `m` of the data with its mean in every row.
fn flattened(data: &Dataset, m: usize) -> Dataset {
    let (mut data, features) = (data.clone(), &data.modalities[m].features);
    let rows = features.mean().repeat(ITEMS);
    data.modalities[m].features = Features::new(ITEMS, features.width(), rows).unwrap();
    data
}

#[test]
fn a_silenced_modality_is_one_whose_inputs_are_replaced_by_their_means() {
    let data = dataset(2, 31);
    for (config, m) in all_variants(2).iter().zip([0, 1, 1, 0, 0, 1]) {
        let original = model(config, &data);
        let mut replaced = model(config, &flattened(&data, m));
        let user = format!("user.{}", data.modalities[m].name);
        let values = original.parameters.read(&user);
        let width = values.len() / USERS;
        let mean = |k| values.iter().skip(k).step_by(width).sum::<f32>() / USERS as f32;
        replaced.parameters.write(&user, (0..width).map(mean).collect::<Vec<f32>>().repeat(USERS));
        let [expected, _] = rows(&replaced, Ablation::FULL);
        let [unchanged, _] = rows(&original, Ablation::FULL);
        for found in rows(&original, Ablation::without(m)) {
            close(&format!("{config:?}"), &found, &expected);
        }
        assert!(distance(&unchanged.concat(), &expected.concat()) > 1e-3, "{config:?}: silencing must show");
    }
}

/// Nodes of one side and one degree, in pairs.
fn of_one_kind(model: &Model) -> Vec<(usize, usize)> {
    let graph = model.inputs.graphs.bipartite();
    let kind = |n| (n >= USERS, graph.degree(n));
    let nodes = 0..USERS + ITEMS;
    let pairs = nodes.clone().flat_map(|a| nodes.clone().map(move |b| (a, b)));
    pairs.filter(|&(a, b)| a < b && kind(a) == kind(b)).collect()
}

#[test]
fn without_ids_a_silenced_channels_first_layer_knows_side_and_degree_alone() {
    for config in all_variants(1) {
        let mut model = model(&config, &dataset(1, 5));
        model.parameters.write("user.id", vec![0.0; 5 * USERS]);
        model.parameters.write("item.id", vec![0.0; 5 * ITEMS]);
        let pairs = of_one_kind(&model);
        assert!(pairs.len() >= 4, "the data has nodes of one kind");
        for rows in rows(&model, Ablation::without(0)) {
            let apart = pairs.iter().map(|&(a, b)| distance(&rows[a], &rows[b])).fold(0.0, f32::max);
            // Under sym the neighbours' degrees count as well.
            let alike = config.normalisation != Normalisation::Sym;
            assert_eq!(alike, apart < 1e-6, "{config:?}: {apart}");
            // The hub, item 0, and an item that nobody met are of different kinds.
            assert!(distance(&rows[USERS], &rows[USERS + ITEMS - 1]) > 1e-4, "{config:?}");
        }
    }
}

#[test]
fn a_node_without_neighbours_hears_nothing_or_itself() {
    for (config, hears) in all_variants(1).iter().zip([true, true, false, false, false, false]) {
        let mut model = model(config, &dataset(1, 5));
        let [before, _] = rows(&model, Ablation::FULL);
        for name in ["conv.text.1.weight", "conv.text.1.bias"] {
            let values = model.parameters.read(name).iter().map(|v| 0.3 - 2.0 * v).collect();
            model.parameters.write(name, values);
        }
        let [after, _] = rows(&model, Ablation::FULL);
        for lonely in [USERS - 1, USERS + ITEMS - 1] {
            assert_eq!(before[lonely] != after[lonely], hears, "{config:?}");
        }
        assert_ne!(before[0], after[0], "{config:?}: everyone else hears");
    }
}

#[test]
fn the_order_of_modalities_only_relabels_and_twins_are_alike() {
    let mut data = dataset(3, 8);
    data.modalities[2].features = data.modalities[0].features.clone();
    let mut original = model(&Config::default(), &data);
    for name in names(&original).iter().filter(|name| name.contains(&data.modalities[2].name)) {
        let twin = name.replace(&data.modalities[2].name, &data.modalities[0].name);
        original.parameters.write(name, original.parameters.read(&twin));
    }
    let [first, third] = [0, 2].map(|m| rows(&original, Ablation::without(m)));
    close("twins", &first[1], &third[1]);
    let order = [2, 0, 1];
    let reordered = Dataset { modalities: order.map(|k| data.modalities[k].clone()).to_vec(), ..data };
    let mut permuted = model(&Config::default(), &reordered);
    names(&original).iter().for_each(|n| permuted.parameters.write(n, original.parameters.read(n)));
    for silenced in every_ablation(3) {
        let there = Ablation::silencing((0..3).filter(|&k| silenced.silences(order[k])));
        close("relabelled", &rows(&permuted, there)[1], &rows(&original, silenced)[1]);
    }
}

#[test]
fn preferences_that_do_not_learn_change_nothing_else() {
    let (data, ablations) = (dataset(2, 4), every_ablation(2));
    let with = |train_preferences| model(&Config { train_preferences, ..Config::default() }, &data);
    let [learned, kept] = [true, false].map(with);
    let [expected, found] = [&learned, &kept].map(|m| train(m, &ablations, 0));
    assert_eq!(expected.margins, found.margins);
    for ((name, expected), (_, found)) in expected.gradients.iter().zip(&found.gradients) {
        let preference = name.starts_with("user.") && name != "user.id";
        assert_eq!(kept.parameters.is_frozen(name), preference, "{name}");
        assert!(expected.iter().any(|g| *g != 0.0), "{name}: learns by default");
        let zeros = vec![0.0; expected.len()];
        assert_eq!(found, if preference { &zeros } else { expected }, "{name}");
    }
}

#[test]
fn dropout_is_for_training_and_draws_anew_each_step() {
    let (data, ablations) = (dataset(2, 4), [Ablation::FULL]);
    let with = |dropout| model(&Config { dropout, ..Config::default() }, &data);
    let [none, half] = [0.0, 0.5].map(with);
    assert_eq!(rows(&none, Ablation::FULL), rows(&half, Ablation::FULL));
    let margins = |model, step| train(model, &ablations, step).margins;
    assert_eq!(margins(&none, 1), margins(&none, 2));
    assert_eq!(margins(&half, 1), margins(&half, 1));
    assert_ne!(margins(&half, 1), margins(&half, 2));
    assert_ne!(margins(&half, 1), margins(&none, 1));
}

#[test]
fn users_or_items_may_be_asked_for_alone() {
    let (model, none) = (model(&Config::default(), &dataset(2, 4)), RowSet::distinct(vec![]));
    let (values, asked) = (model.parameters.values(false), [Ablation::FULL, Ablation::without(1)]);
    let everyone = Request::inference(&values, &model.inputs, &asked);
    let users = model.backbone.encode(&Request { items: &none, ..everyone });
    let items = model
        .backbone
        .encode(&Request { users: &none, ..Request::inference(&values, &model.inputs, &asked) });
    for ablation in asked {
        let (all_users, all_items, _) = model.encode_all(&asked).tables(ablation);
        assert_eq!((users.tables(ablation).0, users.tables(ablation).1), (all_users, vec![]));
        assert_eq!((items.tables(ablation).0, items.tables(ablation).1), (vec![], all_items));
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let fault = |mmgcn| settings(mmgcn).check().err().map(|fault| fault.to_string());
    for layers in [0, 9] {
        let expected = format!("backbone.mmgcn.layers = {layers}: expected 1 to 8");
        assert_eq!(fault(Config { layers, ..Config::default() }), Some(expected));
    }
    for dropout in [-0.1, 1.0, f64::NAN] {
        let expected = format!("backbone.mmgcn.dropout = {dropout}: expected 0 to below 1");
        assert_eq!(fault(Config { dropout, ..Config::default() }), Some(expected));
    }
    for (layers, dropout) in [(1, 0.0), (8, 0.99)] {
        assert_eq!(fault(Config { layers, dropout, ..Config::default() }), None);
    }
}

#[test]
fn every_variant_behaves() {
    let changes: [fn(&mut Config); 6] = [
        |c| (c.layers, c.dropout) = (1, 0.3),
        |c| c.layers = 2,
        |c| c.layers = 1,
        |c| (c.layers, c.dropout) = (2, 0.2),
        |c| (c.layers, c.train_preferences) = (2, false),
        |c| c.layers = 1,
    ];
    for (mut config, change) in all_variants(1).into_iter().zip(changes) {
        change(&mut config);
        suite::check_with(&Config::ENTRY, &settings(config));
    }
}
