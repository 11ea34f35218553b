//! The shop of `docs/concepts.md`, computed by the code that trains: each number of the page is one of ours.

use crate::common;

use common::{positions, reference_model, triples};
use equipoise_balance::weights::{ModalityMargins, Weigher, WeightSwitches};
use equipoise_models::{Ablation, Model, Request, encode_naively};
use serde_json::json;

const USERS: [&str; 3] = ["Ann", "Ben", "Cem"];
const TRIPLES: [(&str, [u32; 3]); 3] =
    [("Ann, lamp, scarf", [0, 1, 2]), ("Ben, kettle, mug", [1, 3, 0]), ("Cem, kettle, mug", [2, 3, 0])];
/// Margins of the two teachers, which the page gives.
const TEACHERS: [[f32; 3]; 2] = [[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]];

/// VBPR of width 1 with the numbers of the page.
fn shop() -> Model {
    let modality =
        |name, features: [f32; 4]| json!({"name": name, "width": 1, "features": features.map(|v| [v])});
    let column = |values: &[f32]| json!(values.iter().map(|v| [v]).collect::<Vec<_>>());
    reference_model(
        "vbpr",
        &json!({
            "name": "the shop", "users": 3, "items": 4, "width": 1,
            "modalities": [modality("image", [1.0, 2.0, 0.0, 1.0]), modality("text", [0.0, 1.0, 2.0, 1.0])],
            "parameters": {
                "user.id": column(&[1.0, 2.0, 1.0]), "item.id": column(&[1.0, 0.0, 1.0, 2.0]),
                "user.image": column(&[2.0, 0.0, 1.0]), "weight.image": [[1.0]], "bias.image": [0.0],
                "user.text": column(&[1.0, 1.0, 1.0]), "weight.text": [[1.0]], "bias.text": [0.0],
            },
        }),
    )
}

fn scores(model: &Model, under: Ablation) -> Vec<f32> {
    let values = model.parameters.values(false);
    let asked = [under];
    let request = Request { constants: true, ..Request::inference(&values, &model.inputs, &asked) };
    let (users, items, width) = encode_naively(model.backbone.as_ref(), &request).tables(under);
    let dot = |u: &[f32], i: &[f32]| u.iter().zip(i).map(|(a, b)| a * b).sum();
    users.chunks(width).flat_map(|u| items.chunks(width).map(move |i| dot(u, i))).collect()
}

fn margins(model: &Model, under: Ablation) -> Vec<f32> {
    let of = scores(model, under);
    let margin = |[u, i, j]: [u32; 3]| of[u as usize * 4 + i as usize] - of[u as usize * 4 + j as usize];
    let found: Vec<f32> = TRIPLES.iter().map(|&(_, triple)| margin(triple)).collect();
    let asked = triples(&json!(TRIPLES.map(|(_, triple)| triple)));
    let asked = positions(&asked, model.inputs.all_users(), model.inputs.all_items());
    assert_eq!(found, model.encode_all(&[under]).margins(asked).values(under), "{under:?}");
    found
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

/// A number as the page writes it: a fraction of three where it is none of one.
fn written(value: f64) -> String {
    let thirds = (3.0 * value).round() as i64;
    assert!((3.0 * value - thirds as f64).abs() < 1e-5, "{value}");
    let text = if thirds % 3 == 0 { format!("{}", thirds / 3) } else { format!("{thirds}/3") };
    text.replace('-', "−")
}

/// A row of a table: what it is of, and numbers.
fn row(of: &str, numbers: impl IntoIterator<Item = f64>) -> String {
    let cells: Vec<String> = numbers.into_iter().map(written).collect();
    format!("| {of} | {} |", cells.join(" | "))
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/concepts.md");
    std::fs::read_to_string(path).expect("the page is there")
}

#[test]
fn scores_margins_and_effects_are_those_of_the_page() {
    let (model, page) = (shop(), page());
    for under in [Ablation::FULL, Ablation::without(0)] {
        for (user, row_of) in USERS.iter().zip(scores(&model, under).chunks(4)) {
            let line = row(user, row_of.iter().map(|&v| f64::from(v)));
            assert!(page.contains(&line), "{line}");
        }
    }
    let [full, image, text] =
        [Ablation::FULL, Ablation::without(0), Ablation::without(1)].map(|under| margins(&model, under));
    let numbers =
        |k: usize| [full[k], image[k], full[k] - image[k], text[k], full[k] - text[k]].map(f64::from);
    for (k, (name, _)) in TRIPLES.iter().enumerate() {
        assert!(page.contains(&row(name, numbers(k))), "{}", row(name, numbers(k)));
    }
    let means = (0..5).map(|c| (0..3).map(|k| numbers(k)[c]).sum::<f64>() / 3.0);
    assert!(page.contains(&row("mean", means)));
}

#[test]
fn channels_what_they_lack_and_weights_are_those_of_the_page() {
    let (model, page) = (shop(), page());
    let only = [0, 1].map(|m| margins(&model, Ablation::only(m, 2)));
    let lacking = |m: usize, k: usize| (TEACHERS[m][k] - only[m][k]).max(0.0);
    let numbers =
        |k: usize| [0, 1].map(|m| [only[m][k], TEACHERS[m][k], lacking(m, k)].map(f64::from)).concat();
    for (k, (name, _)) in TRIPLES.iter().enumerate() {
        assert!(page.contains(&row(name, numbers(k))), "{}", row(name, numbers(k)));
    }
    let means: Vec<f64> = (0..6).map(|c| (0..3).map(|k| numbers(k)[c]).sum::<f64>() / 3.0).collect();
    assert!(page.contains(&row("mean", means.iter().copied())));

    let of = |m: usize| ModalityMargins {
        only: only[m].clone(),
        without: margins(&model, Ablation::without(m)),
        teacher: TEACHERS[m].to_vec(),
    };
    let full = margins(&model, Ablation::FULL);
    let weights = Weigher::new(WeightSwitches::default().resolve()).weigh(&full, &[of(0), of(1)]);
    let near = |found: &[f64], expected: [f64; 2]| {
        found.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{found:?}"));
    };
    near(&weights.effect, [4.0 / 3.0, 1.0 / 3.0]);
    near(&weights.teacher_margin, [2.0, 1.0]);
    near(&weights.rho, [2.0 / 3.0, 1.0 / 3.0]);
    near(&weights.mean, [1.0 / 3.0, 2.0 / 3.0]);
    let added = weights.mean[0] * means[2] + weights.mean[1] * means[5];
    assert!((added - 2.0 / 3.0).abs() < 1e-6 && page.contains("`1/3 × 0 + 2/3 × 1 = 2/3`"), "{added}");
    assert!((mean(&full) - 7.0 / 3.0).abs() < 1e-6);
}
