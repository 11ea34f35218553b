//! Towers against NumPy in float64, and files that do not make a tower.

use std::path::Path;

use serde_json::{Value, json};

use super::{ImagePooling, Spec, Tower};
use crate::error::EncodeError;
use crate::golden::{cases, made_up, numbers, size, write_model};
use crate::transformer::Weights;
use crate::vision::picture_model::PictureModel;

fn load(dir: &Path, size: (usize, usize), pooling: ImagePooling) -> Result<Tower, EncodeError> {
    let config = dir.join("config.json");
    Tower::load(&Spec::read(&config)?, &config, &Weights::open(dir)?, size, pooling)
}

fn case(name: &str) -> Value {
    cases("vision.json").into_iter().find(|case| case["name"] == name).expect("a case of this name")
}

#[test]
fn features_are_those_of_the_equations() {
    for case in cases("vision.json") {
        let name = case["name"].as_str().expect("a name");
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), &case, "");
        let (height, width) = size(&case);
        for (pooling, expected) in case["features"].as_object().expect("features") {
            let pooling = serde_json::from_value(json!(pooling)).expect("a pooling");
            let tower =
                load(dir.path(), (height, width), pooling).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let mut batch = Vec::new();
            for picture in case["pictures"].as_array().expect("names") {
                let picture = picture.as_str().expect("a name");
                tower.append(&made_up(picture, 3 * height * width, 2.0, 0.0), &mut batch);
            }
            let found = tower.forward(&batch);
            let expected: Vec<f64> = expected.as_array().expect("rows").iter().flat_map(numbers).collect();
            assert_eq!(found.len(), expected.len(), "{name} {pooling:?}");
            assert_eq!(tower.outputs() * 2, expected.len(), "{name} {pooling:?}");
            for (found, expected) in found.iter().zip(&expected) {
                let far = (f64::from(*found) - expected).abs();
                assert!(far < 1e-5 * (1.0 + expected.abs()), "{name} {pooling:?}: {found} {expected}");
            }
        }
    }
}

#[test]
fn a_picture_has_the_same_features_alone_and_among_others() {
    let case = case("clip");
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_model(dir.path(), &case, "");
    let tower = load(dir.path(), (32, 32), ImagePooling::Model).expect("a tower");
    let patches = |n: usize| {
        let mut batch = Vec::new();
        tower.append(&made_up(&format!("picture {n}"), 3 * 32 * 32, 2.0, 0.0), &mut batch);
        batch
    };
    let together = tower.forward(&(0..5).flat_map(patches).collect::<Vec<f32>>());
    for (n, row) in together.chunks(tower.outputs()).enumerate() {
        for (a, b) in tower.forward(&patches(n)).iter().zip(row) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn what_does_not_make_a_tower_is_named() {
    let message = |case: &Value, leave_out: &str, size: (usize, usize), pooling: ImagePooling| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), case, leave_out);
        load(dir.path(), size, pooling).map(|_| ()).expect_err("no tower").to_string()
    };
    let vit = case("vit");
    let changed = |field: &str, value: Value| {
        let mut changed = vit.clone();
        changed["config"][field] = value;
        message(&changed, "", (32, 32), ImagePooling::Model)
    };
    for (found, says) in [
        (message(&vit, "layernorm.weight", (32, 32), ImagePooling::Model), "layernorm.weight"),
        (message(&vit, "", (40, 32), ImagePooling::Model), "40 x 32"),
        (
            message(&vit, "pooler.dense.weight", (32, 32), ImagePooling::Pooler),
            "pooling = pooler: expected model",
        ),
        (message(&case("clip"), "", (32, 32), ImagePooling::Mean), "pooling = mean: expected model or cls"),
        (message(&case("siglip"), "", (32, 32), ImagePooling::Cls), "pooling = cls: expected model or mean"),
        (changed("model_type", json!("resnet")), "expected one of vit, dinov2"),
        (changed("hidden_size", json!(64)), "expected [1, 17, 64] as config.json says"),
        (changed("hidden_size", json!("wide")), "config.json"),
        (changed("num_attention_heads", json!(5)), "a divisor of hidden_size = 32"),
        (changed("num_hidden_layers", json!(0)), "num_hidden_layers = 0: expected 1 to"),
        (changed("patch_size", json!(33)), "patch_size = 33: expected 1 to 32"),
        (changed("num_channels", json!(1)), "num_channels = 1: expected 3"),
        (changed("hidden_act", json!("mish")), "mish"),
    ] {
        assert!(found.contains(says), "{says}: {found}");
    }
}
