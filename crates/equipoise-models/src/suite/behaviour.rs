//! Checks of what a backbone does, one function each.

use super::data::{ITEMS, USERS, dataset, every_ablation, model, triples};
use super::observe::{Observed, Probe, observe};
use crate::{Ablation, BackboneConfig, BackboneEntry, Model, Objective, Request, RowSet};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::Features;
use equipoise_nn::{Adam, AdamConfig, Group};
use std::collections::{BTreeMap, BTreeSet};

const FULL: [Ablation; 1] = [Ablation::FULL];

fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * (1.0 + e.abs()), "{what}[{k}]: found {f}, expected {e}");
    }
}

fn tables(model: &Model) -> (Vec<f32>, Vec<f32>, usize) {
    model.encode_all(&FULL).tables(Ablation::FULL)
}

/// Name, title, source and summary are there, and parameter groups name modalities.
pub fn describes_itself(entry: &BackboneEntry, config: &BackboneConfig) {
    for words in [entry.name, entry.title, entry.source, entry.summary] {
        assert!(!words.trim().is_empty(), "{}: an empty description", entry.name);
    }
    let model = model(config, &dataset(2, 1), 1);
    for (name, group, _) in model.parameters.iter() {
        if let Group::Modality(m) = group {
            assert!(model.inputs.names().contains(&m.as_str()), "{name}: its group names no modality: {m}");
        }
    }
    let names: BTreeSet<&str> = model.parameters.iter().map(|(name, _, _)| name).collect();
    assert_eq!(names.len(), model.parameters.len(), "{}: names of parameters are distinct", entry.name);
}

/// A seed decides every initial value.
pub fn follows_its_seed(config: &BackboneConfig) {
    let data = dataset(2, 1);
    let with = |seed| model(config, &data, seed).parameters.snapshot();
    assert_eq!(with(1), with(1), "{}: the same seed", config.name);
    if !model(config, &data, 1).parameters.is_empty() {
        assert_ne!(with(1), with(2), "{}: another seed", config.name);
    }
}

/// On a fixed batch the loss goes down, and preferred items rise if it ranks by BPR.
pub fn learns(config: &BackboneConfig) {
    let data = dataset(2, 2);
    let mut model = model(config, &data, 2);
    if model.parameters.is_empty() {
        return;
    }
    let (mut batch, mut optimiser) =
        (triples(4, 8), Adam::new(AdamConfig { lr: 0.02, ..AdamConfig::default() }));
    // Only what can be learned: the same pair never the other way round.
    for k in 0..batch.len() {
        (batch.positives[k], batch.negatives[k]) = (batch.users[k] % 4, 4 + batch.users[k] % 3);
    }
    let look = |model: &Model| {
        let probe =
            Probe { triples: &batch, ablations: &FULL, all_rows: false, penalty: 0.0, naive: false, step: 0 };
        observe(model, &probe)
    };
    let before = look(&model);
    for _ in 0..60 {
        let gradients = gradient_tensors(&model, look(&model));
        optimiser.step(&mut model.parameters, gradients);
    }
    let (after, mean) = (look(&model), |m: &[f32]| m.iter().sum::<f32>() / m.len() as f32);
    assert!(after.loss < before.loss, "{}: loss went from {} to {}", config.name, before.loss, after.loss);
    if model.backbone.objective() == Objective::Bpr {
        let (a, b) = (mean(&after.margins[0]), mean(&before.margins[0]));
        assert!(a > b, "{}: the mean margin went from {b} to {a}", config.name);
    }
}

fn gradient_tensors(model: &Model, seen: Observed) -> Vec<Option<Tensor<2>>> {
    let device = model.parameters.device();
    let mut tensors = Vec::new();
    for ((name, gradient), (_, _, shape)) in seen.gradients.into_iter().zip(model.parameters.iter()) {
        let tensor = || Tensor::from_data(TensorData::new(gradient, shape), device);
        tensors.push((!model.parameters.is_frozen(&name)).then(tensor));
    }
    tensors
}

/// `encode` equals one plain pass per ablation: margins, penalties, own loss and gradients.
pub fn shares_without_change(config: &BackboneConfig) {
    for n in 1..=3 {
        for (seed, all_rows) in [(1, true), (2, false), (3, false)] {
            let model = model(config, &dataset(n, seed), seed);
            let (triples, mut ablations) = (triples(8, seed), every_ablation(n));
            // A teacher's step asks for its own ablation first.
            if seed == 3 {
                ablations.rotate_left(1);
            }
            let look = |naive| {
                let probe = Probe {
                    triples: &triples,
                    ablations: &ablations,
                    all_rows,
                    penalty: 0.01,
                    naive,
                    step: seed,
                };
                observe(&model, &probe)
            };
            let (shared, plain) = (look(false), look(true));
            let what = |part: &str| format!("{}, {n} modalities, shared against plain: {part}", config.name);
            for (s, p) in shared.margins.iter().zip(&plain.margins) {
                close(&what("margins"), s, p, 1e-5);
            }
            close(&what("penalties"), &shared.norms, &plain.norms, 3e-5);
            let extras = |seen: &Observed| seen.extra.into_iter().collect::<Vec<f32>>();
            close(&what("own loss"), &extras(&shared), &extras(&plain), 1e-5);
            for ((name, s), (_, p)) in shared.gradients.iter().zip(&plain.gradients) {
                close(&what(name), s, p, 3e-5);
            }
        }
    }
}

/// Silencing a modality whose features, preferences (`user.<m>`) and categories (`category.<m>`) are the same
/// everywhere changes no margin.
pub fn ignores_what_is_constant(config: &BackboneConfig) {
    let mut data = dataset(2, 6);
    let width = data.modalities[1].features.width();
    let row: Vec<f32> = (0..width).map(|k| 0.3 * k as f32 - 0.4).collect();
    let features = Features::new(ITEMS, width, row.repeat(ITEMS));
    data.modalities[1].features = features.expect("finite values that fill the table");
    let mut model = model(config, &data, 6);
    let constant = Group::Modality(data.modalities[1].name.clone());
    let varies =
        |name: &str, rows| (name.starts_with("user.") && rows == USERS) || name.starts_with("category.");
    let tables: Vec<(String, [usize; 2])> = model
        .parameters
        .iter()
        .filter(|(name, group, shape)| **group == constant && varies(name, shape[0]))
        .map(|(name, _, shape)| (name.to_owned(), shape))
        .collect();
    for (name, [rows, width]) in tables {
        model.parameters.write(&name, vec![0.25; rows * width]);
    }
    let (triples, ablations) = (triples(9, 6), [Ablation::FULL, Ablation::without(1)]);
    let probe = Probe {
        triples: &triples,
        ablations: &ablations,
        all_rows: false,
        penalty: 0.0,
        naive: false,
        step: 0,
    };
    let seen = observe(&model, &probe);
    close(&format!("{}: margins", config.name), &seen.margins[1], &seen.margins[0], 2e-5);
}

/// Saved and loaded, it scores the same.
pub fn survives_saving(config: &BackboneConfig) {
    let data = dataset(2, 4);
    let saved = model(config, &data, 4);
    let file = saved.parameters.to_safetensors(&BTreeMap::new()).expect("tables of float32 can be written");
    let path = std::env::temp_dir().join(format!("equipoise-suite-{}-{}", std::process::id(), config.name));
    std::fs::write(&path, file).expect("the temporary folder can be written");
    let mut loaded = model(config, &data, 99);
    let outcome = loaded.parameters.load_safetensors(&path);
    std::fs::remove_file(&path).expect("the file was just written");
    outcome.unwrap_or_else(|fault| panic!("{}: {fault}", config.name));
    assert_eq!(tables(&loaded), tables(&saved), "{}: tables after loading", config.name);
}

/// Built anew and given the parameters of another in the middle of its training, it trains on as that one does, to the last
/// bit: what it draws and keeps follows from the seed and the number of the step. A training that was interrupted relies on it.
pub fn goes_on_from_its_parameters(config: &BackboneConfig) {
    let data = dataset(2, 3);
    let mut first = model(config, &data, 3);
    let ablations = every_ablation(2);
    let step = |model: &Model, step: u64| {
        let triples = triples(9, step);
        let probe = Probe {
            triples: &triples,
            ablations: &ablations,
            all_rows: false,
            penalty: 0.1,
            naive: false,
            step,
        };
        observe(model, &probe)
    };
    let mut optimiser = Adam::new(AdamConfig { lr: 0.02, ..AdamConfig::default() });
    for number in [0, 1, 99, 100, 101] {
        let expected = step(&first, number);
        let mut other = model(config, &data, 3);
        other.parameters.restore(&first.parameters.snapshot());
        let what = format!("{}: taken over at step {number}, it is another model", config.name);
        assert!(step(&other, number) == expected, "{what}; it keeps something beside its parameters");
        let gradients = gradient_tensors(&first, expected);
        optimiser.step(&mut first.parameters, gradients);
    }
}

/// The number of threads changes no bit of outputs and gradients.
pub fn ignores_threads(config: &BackboneConfig) {
    let (model, triples, ablations) = (model(config, &dataset(2, 5), 5), triples(9, 5), every_ablation(2));
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let probe = Probe {
            triples: &triples,
            ablations: &ablations,
            all_rows: false,
            penalty: 0.1,
            naive: false,
            step: 1,
        };
        pool.expect("threads can be started").install(|| (tables(&model), observe(&model, &probe)))
    };
    assert!(with(1) == with(3), "{}: one thread and three threads differ", config.name);
}

/// Users and items without interactions get finite scores and gradients, under every ablation.
pub fn accepts_the_unknown(config: &BackboneConfig) {
    for n in 1..=3 {
        let mut data = dataset(n, 7);
        // An item of zeros has no direction: nothing may be divided by its norm.
        let features = &data.modalities[0].features;
        let mut values = features.values().into_owned();
        values[..features.width()].fill(0.0);
        let zeroed = Features::new(ITEMS, features.width(), values);
        data.modalities[0].features = zeroed.expect("finite values that fill the table");
        let model = model(config, &data, 7);
        for ablation in every_ablation(n) {
            let (users, items, width) = model.encode_all(&[ablation]).tables(ablation);
            assert_eq!((users.len(), items.len()), (USERS * width, ITEMS * width), "{}", config.name);
            let finite = users.iter().chain(&items).all(|v| v.is_finite());
            assert!(finite, "{}: a table under {ablation:?} is not finite", config.name);
        }
        let (triples, ablations) = (triples(9, 7), every_ablation(n));
        let probe = Probe {
            triples: &triples,
            ablations: &ablations,
            all_rows: false,
            penalty: 0.1,
            naive: false,
            step: 2,
        };
        let seen = observe(&model, &probe);
        let finite = seen.gradients.iter().all(|(_, g)| g.iter().all(|v| v.is_finite()));
        assert!(finite && seen.loss.is_finite(), "{}: loss or gradient is not finite", config.name);
    }
}

/// Rows requested alone equal those of the full tables.
pub fn rows_are_rows_of_the_tables(config: &BackboneConfig) {
    let model = model(config, &dataset(2, 8), 8);
    let (users, items) = (RowSet::distinct(vec![1, 4, 6]), RowSet::distinct(vec![0, 3, 7, 8]));
    let values = model.parameters.values(false);
    for ablation in every_ablation(2) {
        let asked = [ablation];
        let request =
            Request { users: &users, items: &items, ..Request::inference(&values, &model.inputs, &asked) };
        let (found_users, found_items, width) = model.backbone.encode(&request).tables(ablation);
        let (all_users, all_items, _) = model.encode_all(&asked).tables(ablation);
        let rows = |table: &[f32], rows: &RowSet| -> Vec<f32> {
            rows.rows().iter().flat_map(|&r| table[r as usize * width..][..width].to_vec()).collect()
        };
        let what = format!("{}: rows under {ablation:?}", config.name);
        close(&what, &found_users, &rows(&all_users, &users), 1e-6);
        close(&what, &found_items, &rows(&all_items, &items), 1e-6);
    }
}
