//! EgoGCN: its variants, who hears whom, and rows of length one.

use crate::common;

use common::{close, near, numbers_of, relabelled, spread};
use equipoise_models::backbones::egogcn::{Config, IdLayers, Modulation, PrefNorm};
use equipoise_models::suite::{
    self, ITEMS, Observed, Probe, USERS, dataset, every_ablation, model, observe, triples,
};
use equipoise_models::{Ablation, BackboneConfig, Model, Request, encode_naively, find};

const WIDTH: usize = 6;
const PREFERENCES: [&str; 2] = ["user.text", "user.image"];

fn config(change: impl FnOnce(&mut Config)) -> BackboneConfig {
    let mut config = BackboneConfig { width: WIDTH, ..BackboneConfig::named("egogcn") };
    change(config.get_mut::<Config>());
    config
}

fn check(change: impl FnOnce(&mut Config)) {
    suite::check_with(find("egogcn").unwrap(), &config(change));
}

#[test]
fn a_high_threshold_without_reattention_behaves() {
    check(|c| (c.theta, c.reattention, c.layers, c.id_layers) = (0.4, false, 2, IdLayers::Released));
}

#[test]
fn every_edge_mixed_behaves() {
    check(|c| (c.theta, c.layers, c.reg_inputs) = (0.0, 0, 0.3));
}

#[test]
fn no_edge_mixed_behaves() {
    check(|c| c.theta = 1.0);
}

#[test]
fn soft_modulation_behaves() {
    check(|c| (c.modulation, c.layers) = (Modulation::Soft, 2));
}

#[test]
fn soft_modulation_without_reattention_behaves() {
    check(|c| (c.modulation, c.reattention, c.layers) = (Modulation::Soft, false, 0));
}

/// Everything but the difference quotients: this gradient is not that of the pass, by definition.
#[test]
fn projected_preferences_behave() {
    for modulation in [Modulation::Hard, Modulation::Soft] {
        let config = config(|c| (c.modulation, c.pref_norm) = (modulation, PrefNorm::Project));
        suite::follows_its_seed(&config);
        suite::learns(&config);
        suite::shares_without_change(&config);
        suite::ignores_what_is_constant(&config);
        suite::survives_saving(&config);
        suite::ignores_threads(&config);
        suite::accepts_the_unknown(&config);
        suite::rows_are_rows_of_the_tables(&config);
    }
}

fn random_model(n: usize, seed: u64, change: impl FnOnce(&mut Config)) -> Model {
    let mut model = model(&config(change), &dataset(n, seed), seed);
    spread(&mut model, 0.5);
    model
}

/// Rows of all nodes in block `k` of one plain pass: 0 is that of the ids.
fn block(model: &Model, ablation: Ablation, k: usize) -> Vec<f32> {
    let (values, asked) = (model.parameters.values(false), [ablation]);
    let request = Request::inference(&values, &model.inputs, &asked);
    let (users, items, width) = encode_naively(model.backbone.as_ref(), &request).tables(ablation);
    let rows = users.chunks(width).chain(items.chunks(width));
    rows.flat_map(|row| row[k * WIDTH..][..WIDTH].to_vec()).collect()
}

fn look(model: &Model, ablations: &[Ablation]) -> Observed {
    let triples = triples(9, 2);
    let probe = Probe { triples: &triples, ablations, all_rows: true, penalty: 0.1, naive: false, step: 1 };
    observe(model, &probe)
}

#[test]
fn at_threshold_one_no_channel_hears_another() {
    for (theta, independent) in [(1.0, true), (0.0, false)] {
        let model = random_model(3, 4, |c| c.theta = theta);
        for m in 0..3 {
            let alone = block(&model, Ablation::only(m, 3), m + 1);
            assert_eq!(alone == block(&model, Ablation::FULL, m + 1), independent, "modality {m} at {theta}");
        }
    }
}

#[test]
fn one_modality_has_nothing_to_mix_and_nothing_to_attend_to_anew() {
    let rows = |modulation, theta, reattention| {
        let change = |c: &mut Config| {
            (c.modulation, c.theta, c.reattention) = (modulation, theta, reattention);
        };
        block(&random_model(1, 6, change), Ablation::FULL, 1)
    };
    let expected = numbers_of(&rows(Modulation::Hard, 1.0, false));
    for reattention in [true, false] {
        close("never", &rows(Modulation::Hard, 1.0, reattention), &expected);
        close("always", &rows(Modulation::Hard, 0.0, reattention), &expected);
        close("soft", &rows(Modulation::Soft, 0.5, reattention), &expected);
    }
}

#[test]
fn channel_rows_have_length_one_and_isolated_ones_zero() {
    for modulation in [Modulation::Hard, Modulation::Soft] {
        let model = random_model(2, 8, |c| (c.modulation, c.layers) = (modulation, 2));
        for ablation in every_ablation(2) {
            for k in 1..=2 {
                for (n, row) in block(&model, ablation, k).chunks(WIDTH).enumerate() {
                    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
                    let alone = model.inputs.graphs.bipartite().degree(n) == 0;
                    let expected = if alone { 0.0 } else { 1.0 };
                    assert!((length - expected).abs() < 1e-5, "node {n} under {ablation:?}: {length}");
                }
            }
        }
    }
}

/// With all modalities silenced, whether a node hears the mix depends on its degree alone, and strictly.
#[test]
fn a_silenced_channel_differs_by_degree_under_hard_modulation() {
    let model = random_model(2, 2, |c| (c.theta, c.layers) = (0.5, 0));
    let graph = model.inputs.graphs.bipartite();
    let rows = block(&model, Ablation::ids_only(2), 1);
    let row = |n: usize| &rows[n * WIDTH..][..WIDTH];
    let mut seen = [0, 0];
    for a in USERS..USERS + ITEMS {
        for b in a + 1..USERS + ITEMS {
            let (of_a, of_b) = (graph.degree(a), graph.degree(b));
            if of_a == 0 || of_b == 0 {
                continue;
            }
            // An attention of 1/2 does not exceed 0.5: only a single neighbour does.
            let same = (of_a < 2) == (of_b < 2);
            let gap = row(a).iter().zip(row(b)).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert_eq!(gap < 1e-6, same, "items of degrees {of_a} and {of_b}: {gap}");
            seen[usize::from(same)] += 1;
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "both kinds of pairs: {seen:?}");
    let twos = (USERS..USERS + ITEMS).filter(|&n| graph.degree(n) == 2).count();
    assert!(twos > 0, "an attention of exactly the threshold");
}

#[test]
fn projected_rows_keep_their_direction_and_their_gradient() {
    let mut model = random_model(2, 3, |c| c.pref_norm = PrefNorm::Project);
    for name in PREFERENCES {
        let unit = |row: &[f32]| {
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            row.iter().map(|v| v / length).collect::<Vec<_>>()
        };
        let rows = model.parameters.read(name).chunks(WIDTH).flat_map(unit).collect();
        model.parameters.write(name, rows);
    }
    let unit = look(&model, &every_ablation(2));
    for name in PREFERENCES {
        let longer = model.parameters.read(name).iter().map(|v| 3.0 * v).collect();
        model.parameters.write(name, longer);
    }
    let long = look(&model, &every_ablation(2));
    for (found, expected) in long.margins.iter().zip(&unit.margins) {
        close("margins", found, &numbers_of(expected));
    }
    for ((name, found), (_, expected)) in long.gradients.iter().zip(&unit.gradients) {
        near(name, found, &numbers_of(expected), 1e-5);
    }
}

#[test]
fn a_projected_table_has_a_gradient_along_its_rows() {
    for (pref_norm, along_rows) in [(PrefNorm::Project, true), (PrefNorm::Differentiable, false)] {
        let model = random_model(2, 3, |c| c.pref_norm = pref_norm);
        // A mean of raw rows has a gradient along them: nothing silenced.
        let gradients = look(&model, &[Ablation::FULL]).gradients;
        for name in PREFERENCES {
            let (_, gradient) = gradients.iter().find(|(n, _)| n == name).expect("a parameter");
            let rows = model.parameters.read(name);
            let dot = |(g, p): (&[f32], &[f32])| g.iter().zip(p).map(|(g, p)| g * p).sum::<f32>();
            let along = gradient.chunks(WIDTH).zip(rows.chunks(WIDTH)).map(dot);
            let size = along.fold(0.0, |a: f32, v| a.max(v.abs()));
            assert_eq!(size > 1e-3, along_rows, "{name}, {pref_norm:?}: {size}");
        }
    }
}

#[test]
fn projected_preferences_start_at_length_one() {
    let model = model(&config(|c| c.pref_norm = PrefNorm::Project), &dataset(2, 1), 1);
    for name in PREFERENCES {
        for row in model.parameters.read(name).chunks(WIDTH) {
            let square = row.iter().map(|v| v * v).sum::<f32>();
            assert!((square - 1.0).abs() < 1e-5, "{name}: {square}");
        }
    }
}

#[test]
fn gates_learn_under_soft_modulation_alone() {
    for (modulation, learn) in [(Modulation::Soft, true), (Modulation::Hard, false)] {
        let model = random_model(2, 3, |c| c.modulation = modulation);
        let gates: Vec<_> = look(&model, &every_ablation(2))
            .gradients
            .into_iter()
            .filter(|(n, _)| n.starts_with("gate."))
            .collect();
        assert_eq!(gates.len(), 4);
        for (name, gradient) in gates {
            assert_eq!(gradient.iter().any(|g| *g != 0.0), learn, "{name} under {modulation:?}");
        }
    }
}

#[test]
fn ids_are_propagated_once_for_all_ablations() {
    let model = random_model(2, 1, |_| ());
    let (values, asked) = (model.parameters.values(false), every_ablation(2));
    let encoded = model.backbone.encode(&Request::inference(&values, &model.inputs, &asked));
    assert_eq!(encoded.blocks.len(), 1 + 4 * 2);
    assert!(encoded.views.iter().all(|view| view.blocks[0] == 0));
}

#[test]
fn the_order_of_modalities_only_relabels() {
    for modulation in [Modulation::Hard, Modulation::Soft] {
        relabelled(&config(|c| c.modulation = modulation));
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |change: fn(&mut Config)| config(change).check().err().expect("out of range").to_string();
    assert_eq!(refused(|c| c.theta = 1.5), "backbone.egogcn.theta = 1.5: expected 0 to 1");
    assert_eq!(refused(|c| c.theta = -0.5), "backbone.egogcn.theta = -0.5: expected 0 to 1");
    assert_eq!(refused(|c| c.layers = 17), "backbone.egogcn.layers = 17: expected 0 to 8");
    assert_eq!(refused(|c| c.reg_inputs = -1.0), "backbone.egogcn.reg_inputs = -1: expected 0 or more");
    assert!(config(|c| c.theta = f64::NAN).check().is_err());
    assert!(config(|c| (c.theta, c.layers) = (1.0, 0)).check().is_ok());
}

#[test]
fn no_threshold_is_the_default_one() {
    let read = |text| serde_json::from_str::<Config>(text).map(|c| c.theta);
    assert_eq!(read("{\"theta\": null}").unwrap(), Config::default().theta);
    assert_eq!(read("{}").unwrap(), Config::default().theta);
    assert_eq!(read("{\"theta\": 0.25}").unwrap(), 0.25);
    assert!(read("{\"theta\": \"low\"}").is_err());
}
