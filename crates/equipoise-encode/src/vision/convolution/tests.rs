//! Networks against NumPy in float64, and files that do not make one.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::EncodeError;
use crate::golden::{cases, made_up, numbers, size, write_model};
use crate::transformer::Weights;
use crate::vision::picture_model::PictureModel;
use crate::vision::pooling::ImagePooling;
use crate::vision::registry;

fn load(
    dir: &Path,
    size: (usize, usize),
    pooling: ImagePooling,
) -> Result<Box<dyn PictureModel>, EncodeError> {
    let config = dir.join("config.json");
    let (_, open) = registry::find(&config)?;
    open(&config, &Weights::open(dir)?, size, pooling)
}

#[test]
fn features_are_those_of_the_equations() {
    for case in cases("convolution.json") {
        let name = case["name"].as_str().expect("a name");
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), &case, "");
        let (height, width) = size(&case);
        let model = load(dir.path(), (height, width), ImagePooling::Model)
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let mut batch = Vec::new();
        for picture in case["pictures"].as_array().expect("names") {
            let picture = picture.as_str().expect("a name");
            model.append(&made_up(picture, 3 * height * width, 2.0, 0.0), &mut batch);
        }
        let found = model.forward(&batch);
        let expected: Vec<f64> =
            case["features"].as_array().expect("rows").iter().flat_map(numbers).collect();
        assert_eq!((found.len(), model.outputs() * 2), (expected.len(), expected.len()), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            let far = (f64::from(*found) - expected).abs();
            assert!(far < 2e-5 * (1.0 + expected.abs()), "{name}: {found} {expected}");
        }
    }
}

#[test]
fn what_does_not_make_a_network_is_named() {
    let message = |name: &str, leave_out: &str, pooling: ImagePooling, change: &dyn Fn(&mut Value)| {
        let mut case = cases("convolution.json")
            .into_iter()
            .find(|case| case["name"] == name)
            .expect("a case of this name");
        change(&mut case);
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), &case, leave_out);
        load(dir.path(), size(&case), pooling).map(|_| ()).expect_err("no network").to_string()
    };
    let changed = |name: &str, field: &str, value: Value| {
        message(name, "", ImagePooling::Model, &|case| case["config"][field] = value.clone())
    };
    let absent = "embedder.embedder.normalization.running_var";
    let negative = |case: &mut Value| {
        let tensors = case["tensors"].as_array_mut().expect("tensors");
        let variance = tensors.iter_mut().find(|tensor| tensor["name"] == absent).expect("a batch norm");
        variance["shift"] = json!(-9.0);
    };
    let small = |case: &mut Value| case["size"] = json!([7, 40]);
    for (found, says) in [
        (message("resnet", absent, ImagePooling::Model, &|_| ()), absent),
        (message("resnet", "", ImagePooling::Model, &negative), "expected variances, none below 0"),
        (message("resnet", "", ImagePooling::Cls, &|_| ()), "pooling = cls: expected model or mean"),
        (message("convnext", "", ImagePooling::Mean, &|_| ()), "pooling = mean: expected model"),
        (message("convnext", "", ImagePooling::Model, &small), "7 x 40 pixels: expected 8 or more"),
        (changed("resnet", "model_type", json!("regnet")), "expected one of vit, dinov2"),
        (changed("resnet", "layer_type", json!("wide")), "layer_type = wide: expected bottleneck or basic"),
        (changed("resnet", "depths", json!([1])), "hidden_sizes has 2 entries and depths 1"),
        (changed("resnet", "depths", json!([1, 0])), "depths has 0"),
        (changed("resnet", "hidden_sizes", json!([8, 1_000_000])), "hidden_sizes has 1000000"),
        (changed("resnet", "embedding_size", json!(16)), "shape [6], expected [16]"),
        (changed("resnet", "hidden_act", json!("mish")), "mish"),
        (changed("convnext", "patch_size", json!(0)), "patch_size = 0: expected 1 to 64"),
        (changed("convnext", "num_channels", json!(4)), "num_channels = 4: expected 3"),
        (changed("convnext", "model_type", json!("convnextv2")), "expected it for the architecture"),
        (changed("convnext", "layer_norm_eps", json!(-1.0)), "layer_norm_eps = -1"),
    ] {
        assert!(found.contains(says), "{says}: {found}");
    }
}
