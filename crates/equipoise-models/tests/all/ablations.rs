//! What ablations mean for VBPR: no leak between modalities, no role for their order.

use crate::common;

use common::*;
use equipoise_data::{Seed, Triples};
use equipoise_models::{Ablation, Mode, Model, Request, encode_naively};
use equipoise_nn::math::softplus;
use proptest::prelude::*;

/// Gradients of a pairwise loss of one ablation, by name; `None` where the loss does not reach.
fn gradients(model: &Model, t: &Triples, a: Ablation, fast: bool) -> Vec<(String, Option<Vec<f32>>)> {
    let values = model.parameters.values(true);
    let (users, items) = (model.inputs.all_users(), model.inputs.all_items());
    let asked = [a];
    let request = Request {
        constants: true,
        mode: Mode::Training,
        ..Request::inference(&values, &model.inputs, &asked)
    };
    let backbone = model.backbone.as_ref();
    let encoded = if fast { backbone.encode(&request) } else { encode_naively(backbone, &request) };
    let loss = softplus(encoded.margins(positions(t, users, items)).of(a).neg()).mean();
    let mut found = loss.backward();
    let found = values.gradients(&mut found).into_iter().map(|g| g.map(vector));
    model.parameters.iter().map(|(name, _, _)| name.to_owned()).zip(found).collect()
}

fn margins(model: &Model, t: &Triples, a: Ablation) -> Vec<f32> {
    let index = positions(t, model.inputs.all_users(), model.inputs.all_items());
    model.encode_all(&[a]).margins(index).values(a)
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_loss_on_one_modality_has_no_gradient_in_the_others(n in 2usize..=3, m in 0usize..3, seed in 0u64..9999) {
        let (model, m) = (random_model(n, 5, seed), m % n);
        let t = random_triples(9, &mut Seed(seed).stream("triples"));
        let kept = model.inputs.names()[m].to_owned();
        for fast in [true, false] {
            for (name, g) in gradients(&model, &t, Ablation::only(m, n), fast) {
                let own = name.ends_with(".id") || name.ends_with(&format!(".{kept}"));
                let size = g.iter().flatten().fold(0.0f32, |a, v| a.max(v.abs()));
                // A difference of equal rows sums to rounding noise on the plain path, to nothing on the shared one.
                let bound = if fast { 0.0 } else { 1e-6 };
                prop_assert!(own || size <= bound, "{name}: {size} under only({kept}), fast: {fast}");
                let constant = name.starts_with("bias.");
                prop_assert!(!own || constant || size > 1e-6, "{name} must learn under only({kept})");
            }
        }
    }

    #[test]
    fn silencing_a_modality_forgets_its_features_and_preferences(n in 2usize..=3, seed in 0u64..9999) {
        let mut model = random_model(n, 4, seed);
        let t = random_triples(7, &mut Seed(seed).stream("triples"));
        let before = margins(&model, &t, Ablation::without(0));
        let full = margins(&model, &t, Ablation::FULL);
        for name in ["user.text", "weight.text", "bias.text"] {
            let changed = model.parameters.read(name).iter().map(|v| 3.0 * v + 0.25).collect();
            model.parameters.write(name, changed);
        }
        prop_assert_eq!(before, margins(&model, &t, Ablation::without(0)));
        prop_assert_ne!(full, margins(&model, &t, Ablation::FULL));
    }

    #[test]
    fn the_order_of_modalities_only_relabels(seed in 0u64..9999) {
        let features = random_features(3, &mut Seed(seed).stream("features"));
        let order = [2, 0, 1];
        let original = vbpr(&dataset(USERS, ITEMS, features.clone()), 5, seed);
        let reordered = order.map(|k| features[k].clone()).to_vec();
        let mut permuted = vbpr(&dataset(USERS, ITEMS, reordered), 5, seed + 1);
        let names: Vec<String> = original.parameters.iter().map(|(n, _, _)| n.to_owned()).collect();
        names.iter().for_each(|n| permuted.parameters.write(n, original.parameters.read(n)));
        let t = random_triples(9, &mut Seed(seed).stream("triples"));
        for silenced in every_ablation(3) {
            let there = Ablation::silencing((0..3).filter(|&k| silenced.silences(order[k])));
            let (found, expected) = (margins(&permuted, &t, there), margins(&original, &t, silenced));
            close("margins", &found, &wide(&expected));
        }
    }

    #[test]
    fn a_duplicated_modality_has_the_same_effect_as_its_twin(seed in 0u64..9999) {
        let (_, features) = random_features(1, &mut Seed(seed).stream("features")).remove(0);
        let twins = vec![("left".to_owned(), features.clone()), ("right".to_owned(), features)];
        let mut model = vbpr(&dataset(USERS, ITEMS, twins), 5, seed);
        for part in ["user", "weight", "bias"] {
            let values = model.parameters.read(&format!("{part}.left"));
            model.parameters.write(&format!("{part}.right"), values);
        }
        let t = random_triples(9, &mut Seed(seed).stream("triples"));
        prop_assert_eq!(margins(&model, &t, Ablation::without(0)), margins(&model, &t, Ablation::without(1)));
        prop_assert_eq!(margins(&model, &t, Ablation::only(0, 2)), margins(&model, &t, Ablation::only(1, 2)));
    }
}

#[test]
fn a_bias_moves_no_margin() {
    let mut model = random_model(2, 4, 5);
    let t = random_triples(7, &mut Seed(5).stream("triples"));
    let before = margins(&model, &t, Ablation::FULL);
    model.parameters.write("bias.text", vec![0.5; 4]);
    close("margins", &margins(&model, &t, Ablation::FULL), &wide(&before));
}
