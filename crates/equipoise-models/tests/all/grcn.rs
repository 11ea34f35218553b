//! GRCN: its variants, its silenced channels, its edges.

use crate::common;

use common::{close, near, numbers_of, relabelled, spread};
use equipoise_data::Interactions;
use equipoise_data::graph::Normalisation;
use equipoise_models::backbones::grcn::{Confidence, Config, Fusion, ModalityWeight, Routing};
use equipoise_models::suite::{
    self, ITEMS, Observed, Probe, USERS, dataset, every_ablation, model, observe, triples,
};
use equipoise_models::{Ablation, BackboneConfig, Model, Request, encode_naively};

fn config(change: impl FnOnce(&mut Config)) -> BackboneConfig {
    let mut config = BackboneConfig { width: 6, ..BackboneConfig::named("grcn") };
    change(config.get_mut::<Config>());
    config
}

fn check(change: impl FnOnce(&mut Config)) {
    suite::check_with(equipoise_models::find("grcn").unwrap(), &config(change));
}

#[test]
fn released_routing_behaves() {
    check(|c| (c.routing, c.layers) = (Routing::Released, 1));
}

#[test]
fn highest_attention_behaves() {
    check(|c| (c.weight_mode, c.fusion) = (ModalityWeight::Max, Fusion::Id));
}

#[test]
fn mean_attention_behaves() {
    check(|c| (c.weight_mode, c.fusion, c.n_route) = (ModalityWeight::Mean, Fusion::Mean, 1));
}

#[test]
fn pruning_and_the_mean_of_blocks_behave() {
    check(|c| (c.prune, c.fusion) = (true, Fusion::Mean));
}

#[test]
fn dropout_and_the_published_penalty_behave() {
    check(|c| (c.dropout, c.reg_inputs, c.layers) = (0.4, 0.3, 3));
}

/// Final rows of all nodes under one plain pass, users first, and their width.
fn plain_rows(model: &Model, ablation: Ablation) -> (Vec<f32>, usize) {
    let (values, asked) = (model.parameters.values(false), [ablation]);
    let request = Request::inference(&values, &model.inputs, &asked);
    let (users, items, width) = encode_naively(model.backbone.as_ref(), &request).tables(ablation);
    ([users, items].concat(), width)
}

#[test]
fn released_routing_is_paper_routing_without_iterations() {
    let data = dataset(2, 3);
    let rows = |config| plain_rows(&model(&config, &data, 3), Ablation::FULL).0;
    let released = rows(config(|c| (c.routing, c.n_route) = (Routing::Released, 3)));
    assert_eq!(released, rows(config(|c| c.n_route = 0)));
    assert_ne!(released, rows(config(|c| c.n_route = 1)));
}

/// `nrm([X_U ; X_I])`, row-major.
fn unit_ids(model: &Model) -> Vec<f64> {
    let ids = [model.parameters.read("user.id"), model.parameters.read("item.id")].concat();
    let unit = |row: &[f32]| {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        row.iter().map(|v| f64::from(*v) / length).collect::<Vec<_>>()
    };
    ids.chunks(6).flat_map(unit).collect()
}

/// The ids' block of final rows.
fn ids_block((rows, width): (Vec<f32>, usize)) -> Vec<f32> {
    rows.chunks(width).flat_map(|row| row[..6].to_vec()).collect()
}

#[test]
fn with_everything_silenced_each_neighbour_counts_the_same() {
    for weight_mode in [ModalityWeight::Max, ModalityWeight::Mean] {
        let mut model = model(&config(|c| c.weight_mode = weight_mode), &dataset(3, 5), 5);
        spread(&mut model, 0.5);
        let matrix = model.inputs.graphs.bipartite().normalised(Normalisation::Rw);
        let mut expected = unit_ids(&model);
        let mut hop = expected.clone();
        for _ in 0..2 {
            let of = |n: usize, k: usize| {
                matrix.row(n).map(|(j, w)| f64::from(w) * hop[j as usize * 6 + k]).sum::<f64>()
            };
            hop = (0..hop.len()).map(|e| of(e / 6, e % 6)).collect();
            expected.iter_mut().zip(&hop).for_each(|(e, h)| *e += h);
        }
        close("ids", &ids_block(plain_rows(&model, Ablation::ids_only(3))), &expected);
    }
}

#[test]
fn a_node_without_confidence_is_silent_only_when_pruned() {
    for prune in [true, false] {
        let mut model = model(&config(|c| c.prune = prune), &dataset(2, 5), 5);
        spread(&mut model, 0.5);
        for name in ["confidence.text", "confidence.image"] {
            model.parameters.write(name, vec![-0.75; USERS + ITEMS]);
        }
        let (found, expected) = (ids_block(plain_rows(&model, Ablation::FULL)), unit_ids(&model));
        let moved = found.iter().zip(&expected).any(|(f, e)| (f64::from(*f) - e).abs() > 1e-2);
        assert_eq!(moved, !prune, "pruning: {prune}");
        let confidence = look(&model, false).gradients.into_iter().find(|(n, _)| n == "confidence.text");
        let learns = confidence.unwrap().1.iter().any(|g| *g != 0.0);
        assert_eq!(learns, !prune, "gradient of the confidence, pruning: {prune}");
    }
}

fn look(model: &Model, naive: bool) -> Observed {
    let (triples, ablations) = (triples(9, 2), every_ablation(model.inputs.n_modalities()));
    observe(
        model,
        &Probe { triples: &triples, ablations: &ablations, all_rows: true, penalty: 0.1, naive, step: 1 },
    )
}

/// Interactions that leave out the last user, the last item, both or none.
fn interactions(last_user: bool, last_item: bool) -> Interactions {
    let (users, items) = (USERS as u32 - 1, ITEMS as u32 - 1);
    let mut pairs: Vec<(u32, u32)> = (0..items).map(|i| (i % users, i)).collect();
    pairs.extend([(0, 1), (0, 3), (2, 0), (5, 0)]);
    pairs.extend(last_user.then_some((users, 2)));
    pairs.extend(last_item.then_some((1, items)));
    Interactions::from_pairs(USERS, ITEMS, &pairs).0
}

#[test]
fn silenced_channels_need_no_edges_whoever_is_isolated() {
    for (last_user, last_item) in [(true, true), (true, false), (false, true), (false, false)] {
        for fusion in [Fusion::Concat, Fusion::Mean] {
            let mut data = dataset(2, 4);
            data.train = interactions(last_user, last_item);
            let mut model = model(&config(|c| c.fusion = fusion), &data, 4);
            spread(&mut model, 0.5);
            let (shared, plain) = (look(&model, false), look(&model, true));
            let what = format!("{fusion:?}, last user {last_user}, last item {last_item}");
            for (s, p) in shared.margins.iter().zip(&plain.margins) {
                close(&format!("{what}: margins"), s, &numbers_of(p));
            }
            near(&format!("{what}: norms"), &shared.norms, &numbers_of(&plain.norms), 2e-5);
            for ((name, s), (_, p)) in shared.gradients.iter().zip(&plain.gradients) {
                near(&format!("{what}: {name}"), s, &numbers_of(p), 3e-5);
            }
        }
    }
}

/// Blocks of the view under `only(0)` of two modalities, constant ones apart.
fn blocks(last_item: bool, last_user: bool, constants: bool) -> (usize, usize) {
    let mut data = dataset(2, 4);
    data.train = interactions(last_user, last_item);
    let model = model(&config(|_| ()), &data, 4);
    let (values, asked) = (model.parameters.values(false), [Ablation::only(0, 2)]);
    let request = Request { constants, ..Request::inference(&values, &model.inputs, &asked) };
    let encoded = model.backbone.encode(&request);
    let constant = encoded.view(asked[0]).filter(|b| b.constant).count();
    (encoded.view(asked[0]).count() - constant, constant)
}

#[test]
fn a_silenced_block_is_left_out_where_it_moves_nothing() {
    let (with_item, with_user) = (true, true);
    assert_eq!(blocks(with_item, with_user, false), (2, 0));
    assert_eq!(blocks(with_item, with_user, true), (2, 1));
    assert_eq!(blocks(with_item, false, false), (2, 0));
    assert_eq!(blocks(with_item, false, true), (3, 0));
    assert_eq!(blocks(false, with_user, false), (3, 0));
}

#[test]
fn real_channels_are_shared_by_all_ablations_that_keep_them() {
    let model = model(&config(|_| ()), &dataset(3, 1), 1);
    let (values, asked) = (model.parameters.values(false), every_ablation(3));
    let encoded = model.backbone.encode(&Request::inference(&values, &model.inputs, &asked));
    // One block of ids per ablation, a real and a silenced one per modality.
    assert_eq!(encoded.blocks.len(), 8 + 2 * 3);
}

#[test]
fn the_order_of_modalities_only_relabels() {
    for weight_mode in [ModalityWeight::Confid, ModalityWeight::Max, ModalityWeight::Mean] {
        relabelled(&config(|c| c.weight_mode = weight_mode));
    }
}

#[test]
fn initial_confidences_are_one_table_of_both_signs_or_one() {
    let data = dataset(3, 1);
    let read = |confidence| {
        let model = model(&config(|c| c.confidence = confidence), &data, 1);
        ["text", "image", "audio"].map(|m| model.parameters.read(&format!("confidence.{m}"))).concat()
    };
    let drawn = read(Confidence::Xavier);
    assert!(drawn.iter().any(|v| *v > 0.0) && drawn.iter().any(|v| *v < 0.0));
    // Variance 2 / (N + n), of 48 draws.
    let variance = drawn.iter().map(|v| v * v).sum::<f32>() / drawn.len() as f32;
    let expected = 2.0 / (USERS + ITEMS + 3) as f32;
    assert!((0.5..2.0).contains(&(variance / expected)), "{variance}, expected about {expected}");
    assert!(read(Confidence::One).iter().all(|v| *v == 1.0));
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |change: fn(&mut Config)| config(change).check().err().expect("out of range").to_string();
    assert_eq!(refused(|c| c.n_route = 17), "backbone.grcn.n_route = 17: expected 0 to 8");
    assert_eq!(refused(|c| c.layers = 99), "backbone.grcn.layers = 99: expected 0 to 8");
    assert_eq!(refused(|c| c.dropout = 1.0), "backbone.grcn.dropout = 1: expected 0 to below 1");
    assert_eq!(refused(|c| c.dropout = -0.1), "backbone.grcn.dropout = -0.1: expected 0 to below 1");
    assert_eq!(refused(|c| c.reg_inputs = -1.0), "backbone.grcn.reg_inputs = -1: expected 0 or more");
    assert!(config(|c| c.reg_inputs = f64::NAN).check().is_err());
    assert!(config(|c| (c.n_route, c.layers, c.dropout) = (8, 0, 0.99)).check().is_ok());
}
