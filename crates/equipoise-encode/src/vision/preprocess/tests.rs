//! Preprocessing against Pillow and the processors of `transformers`, and settings that cannot be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::kernel::Kernel;
use super::parse;
use super::resize::resize;
use crate::golden::{bytes, golden, number};
use crate::vision::picture::Picture;

fn picture(value: &Value) -> Picture {
    Picture::new(number(&value["width"]), number(&value["height"]), bytes(&value["rgb"]))
}

fn kernel(number: &Value) -> Kernel {
    number.as_u64().and_then(Kernel::from_number).expect("0 to 5")
}

#[test]
fn resizing_gives_pillows_bytes() {
    let content = golden("pictures.json");
    let source = picture(&content["source"]);
    for case in content["resizes"].as_array().expect("cases") {
        let expected = picture(case);
        let (height, width) = (expected.height, expected.width);
        let found = resize(&source, (height, width), kernel(&case["resample"]), &(0..height), &(0..width));
        assert_eq!(found, expected, "filter {} to {width} x {height}", case["resample"]);
    }
}

#[test]
fn planes_are_those_of_the_image_processors() {
    for case in golden("pictures.json")["processors"].as_array().expect("cases") {
        let name = &case["name"];
        let settings = parse(&case["config"].to_string(), "").expect("supported");
        let (found, height, width) = settings.apply(&picture(case));
        assert_eq!(
            (height, width),
            (number(&case["output_height"]), number(&case["output_width"])),
            "{name}"
        );
        assert_eq!(settings.output_size(), Some((height, width)), "{name}");
        let expected = bytes(&case["output"]);
        let expected = expected.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        assert!(found.into_iter().eq(expected), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Only the part that is wanted is computed; it is the same as that part of the whole.
    #[test]
    fn a_part_is_that_part_of_the_whole(
        (width, height) in (1..40usize, 1..40usize),
        (to_width, to_height) in (1..60usize, 1..60usize),
        filter in 0..6u64,
        corner in any::<[prop::sample::Index; 4]>(),
    ) {
        let rgb = (0..3 * width * height).map(|k| (k * k * 31 + k * 7) as u8).collect();
        let source = Picture::new(width, height, rgb);
        let kernel = Kernel::from_number(filter).expect("0 to 5");
        let range = |a: usize, b: usize| a.min(b)..a.max(b) + 1;
        let rows = range(corner[0].index(to_height), corner[1].index(to_height));
        let columns = range(corner[2].index(to_width), corner[3].index(to_width));
        let whole = resize(&source, (to_height, to_width), kernel, &(0..to_height), &(0..to_width));
        let part = resize(&source, (to_height, to_width), kernel, &rows, &columns);
        let cut = rows.flat_map(|y| {
            let from = 3 * (y * to_width + columns.start);
            whole.rgb[from..from + 3 * columns.len()].to_vec()
        });
        prop_assert!(part.rgb.into_iter().eq(cut));
    }
}

#[test]
fn a_narrow_picture_costs_no_more_than_what_is_cut_from_it() {
    let settings =
        parse(&json!({"image_processor_type": "CLIPImageProcessor"}).to_string(), "").expect("CLIP");
    let (planes, height, width) = settings.apply(&Picture::new(1, 20_000, vec![200; 60_000]));
    assert_eq!((planes.len(), height, width), (3 * 224 * 224, 224, 224));
    assert!(planes[..224 * 224].iter().all(|value| *value == planes[0]));
}

#[test]
fn early_files_and_silent_ones_have_the_defaults_of_their_processor() {
    let early = json!({"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "resample": 3,
        "do_resize": true, "do_center_crop": true, "do_normalize": true});
    let new = json!({"image_processor": {"image_processor_type": "CLIPImageProcessorFast"}, "processor_class": "x"});
    let parsed = |value: &Value, model: &str| parse(&value.to_string(), model).expect("supported");
    assert_eq!(parsed(&early, ""), parsed(&new, ""));
    assert_eq!(parsed(&json!({}), "vit").output_size(), Some((224, 224)));
    assert_eq!(parsed(&json!({"size": 96}), "vit").output_size(), Some((96, 96)));
    let plain = parsed(&json!({"do_normalize": false, "do_rescale": false}), "siglip");
    assert_eq!(plain.apply(&Picture::new(1, 1, vec![7, 8, 255])).0[2 * 224 * 224], 255.0);
}

#[test]
fn the_processor_of_convnext_keeps_the_middle_of_a_larger_picture_or_the_whole() {
    let parsed = |value: Value| parse(&value.to_string(), "resnet").expect("supported");
    let colours = json!({"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]});
    let with = |more: Value| {
        let mut whole = colours.clone();
        more.as_object().expect("fields").iter().for_each(|(name, value)| whole[name] = value.clone());
        whole
    };
    let middle = with(json!({"image_processor_type": "CLIPImageProcessor", "size": 256, "crop_size": 224}));
    let old = json!({"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224, "crop_pct": 0.875, "resample": 3});
    assert_eq!(parsed(old), parsed(middle.clone()));
    let silent = json!({"size": {"shortest_edge": 224}, "resample": 3});
    assert_eq!(parsed(silent), parsed(middle));
    let whole = with(json!({"image_processor_type": "ViTImageProcessor", "size": 384}));
    assert_eq!(parsed(json!({"image_processor_type": "ConvNextImageProcessor"})), parsed(whole));
    let refused = |value: Value| parse(&value.to_string(), "convnext").expect_err("refused");
    assert!(refused(json!({"size": 224, "crop_pct": 7})).contains("crop_pct = 7: expected 0.1 to 1"));
    assert!(refused(json!({"size": {"height": 9, "width": 9}})).contains("expected shortest_edge"));
    assert!(refused(json!({"do_resize": false})).contains("expected a crop_size"));
}

#[test]
fn settings_that_cannot_be_followed_are_named() {
    for (field, value, says) in [
        ("image_processor_type", json!("SamImageProcessor"), "CLIPImageProcessor"),
        ("size", json!({"longest_edge": 9}), "size = {\"longest_edge\":9}: expected"),
        ("size", json!(0), "size = 0: expected"),
        ("size", json!(1_000_000), "size = 1000000: expected"),
        ("crop_size", json!("large"), "crop_size = \"large\": expected"),
        ("resample", json!(9), "resample = 9: expected 0"),
        ("image_mean", json!([0.5, 0.5]), "image_mean = [0.5,0.5]: expected three numbers"),
        ("image_std", json!([0.5, 0.0, 0.5]), "image_std = 0: expected"),
        ("do_pad", json!(true), "do_pad = true: expected false"),
        ("do_center_crop", json!(false), "expected a crop_size"),
        ("do_resize", json!("yes"), "expected a boolean"),
        ("crop_pct", json!(0.9), "crop_pct = 0.9: expected no such field"),
    ] {
        let mut file = json!({"image_processor_type": "CLIPImageProcessor"});
        file[field] = value;
        let message = parse(&file.to_string(), "clip").expect_err(field);
        assert!(message.contains(says), "{field}: {message}");
    }
    assert!(parse("{", "clip").expect_err("half").contains("not JSON"));
    assert!(parse("[]", "clip").is_err());
    assert!(parse("{}", "sam").expect_err("unknown").contains("image_processor_type"));
}
