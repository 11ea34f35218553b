//! Vectors of tiny models against forward passes written in NumPy float64.

use crate::common;

use common::{data, features, golden, model, request};
use equipoise_encode::{EncodeReport, TextRequest, encode_texts};
use equipoise_jobs::Silent;
use serde_json::json;

fn encoded(name: &str) -> EncodeReport {
    pooled(name, None)
}

fn pooled(name: &str, pooling: Option<&str>) -> EncodeReport {
    let cases = golden(&format!("{name}/golden.json"));
    let cases = cases.as_array().expect("a list");
    let texts: Vec<_> = cases.iter().map(|case| case["text"].as_str().map(String::from)).collect();
    let data = data(&texts);
    let request = TextRequest { pooling: pooling.map(str::to_owned), ..request(&data, &model(name)) };
    let report = encode_texts(&request, &mut Silent).expect("encoded");
    let found = features(&data);
    assert_eq!(found.rows(), cases.len());
    for (n, case) in cases.iter().enumerate() {
        let expected = case["vector"].as_array().expect("numbers");
        assert_eq!(found.width(), expected.len());
        for (column, (found, expected)) in found.row(n).iter().zip(expected).enumerate() {
            let expected = expected.as_f64().expect("a number");
            let off = (f64::from(*found) - expected).abs();
            assert!(
                off < 2e-5 * expected.abs().max(1.0),
                "{name}, text {n}, column {column}: {found} {expected}"
            );
        }
    }
    report
}

#[test]
fn bert_with_mean_and_unit_norm_and_long_texts_cut() {
    let report = encoded("bert");
    assert_eq!((&report.architecture[..], report.pooling.as_deref()), ("bert", Some("mean")));
    assert_eq!(report.pooling_from.as_deref(), Some("1_Pooling/config.json"));
    assert!(report.normalised && report.max_length == Some(12) && report.truncated >= 3, "{report:?}");
    assert!(report.files.iter().any(|f| f.file == "model.safetensors" && f.blake3.len() == 64));
}

#[test]
fn roberta_counts_positions_past_padding_and_a_dense_layer_follows() {
    let report = encoded("roberta");
    assert_eq!((report.width, report.pooling.as_deref(), report.normalised), (8, Some("cls+max"), false));
}

#[test]
fn distilbert_without_modules_is_averaged_where_that_is_asked_for() {
    let data = data(&[Some("two words".into())]);
    let message = encode_texts(&request(&data, &model("distilbert")), &mut Silent)
        .expect_err("not assumed")
        .to_string();
    assert!(message.contains("--pooling") && message.contains("weightedmean"), "{message}");
    let report = pooled("distilbert", Some("mean"));
    assert_eq!(
        (report.pooling.as_deref(), report.pooling_from.as_deref()),
        (Some("mean"), Some("--pooling"))
    );
    assert_eq!((&report.architecture[..], report.max_length), ("distilbert", Some(20)));
}

#[test]
fn mpnet_has_a_bias_by_distance_and_weights_in_two_files() {
    let report = encoded("mpnet");
    assert_eq!(report.pooling.as_deref(), Some("weightedmean+lasttoken+mean_sqrt_len_tokens"));
    assert_eq!(report.files.iter().filter(|f| f.file.ends_with(".safetensors")).count(), 2);
}

#[test]
fn modernbert_sees_far_in_every_third_layer_and_turns_by_position() {
    let report = encoded("modernbert");
    assert_eq!((&report.architecture[..], report.max_length), ("modernbert", Some(24)));
}

#[test]
fn the_bert_of_nomic_turns_by_position_and_its_vocabulary_is_padded() {
    assert_eq!(encoded("nomic_bert").architecture, "nomic_bert");
}

#[test]
fn the_names_of_newer_files_say_the_same() {
    let data = data(&[Some("Soft baby blanket (grey)".into()), Some("x".into())]);
    encode_texts(&request(&data, &model("nomic_bert")), &mut Silent).expect("encoded");
    let expected = features(&data);
    let newer = tempfile::tempdir().expect("a temporary directory");
    for file in ["tokenizer.json", "model.safetensors", "sentence_bert_config.json"] {
        std::fs::copy(model("nomic_bert").join(file), newer.path().join(file)).expect("copied");
    }
    let vocabulary = golden("nomic_bert/config.json")["vocab_size"].as_u64().expect("a number");
    let config = json!({"model_type": "nomic_bert", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 24, "head_dim": 8, "max_position_embeddings": 64, "layer_norm_eps": 1e-12,
        "vocab_size": vocabulary.next_multiple_of(8), "type_vocab_size": 2, "hidden_act": "silu",
        "rope_parameters": {"rope_theta": 100.0, "rope_type": "default"}});
    std::fs::write(newer.path().join("config.json"), config.to_string()).expect("written");
    let asked = TextRequest { pooling: Some("mean".into()), overwrite: true, ..request(&data, newer.path()) };
    encode_texts(&asked, &mut Silent).expect("encoded");
    assert_eq!([features(&data).row(0), features(&data).row(1)], [expected.row(0), expected.row(1)]);
}

#[test]
fn qwen3_shares_keys_among_heads_looks_back_alone_and_its_last_token_stands_for_the_text() {
    let report = encoded("qwen3");
    assert_eq!((&report.architecture[..], report.pooling.as_deref()), ("qwen3", Some("lasttoken")));
}

#[test]
fn the_bert_of_jina_has_slopes_by_distance_and_a_gated_layer() {
    assert_eq!(encoded("jina_bert").architecture, "bert");
}

#[test]
fn a_prompt_stands_before_each_text_and_is_part_of_what_features_follow_from() {
    let (with, without) = (data(&[Some("blue towel".into())]), data(&[Some("soft blue towel".into())]));
    let request = |data, prompt: Option<&str>| TextRequest {
        prompt: prompt.map(str::to_owned),
        ..request(data, &model("bert"))
    };
    let report = encode_texts(&request(&with, Some("soft ")), &mut Silent).expect("encoded");
    assert_eq!(report.prompt.as_deref(), Some("soft "));
    let plain = encode_texts(&request(&without, None), &mut Silent).expect("encoded");
    assert_eq!((plain.prompt, features(&with).row(0)), (None, features(&without).row(0)));
    let message = encode_texts(&request(&with, None), &mut Silent).expect_err("other features").to_string();
    assert!(message.contains("--overwrite"), "{message}");
}

#[test]
fn static_embeddings_are_weighted_mapped_and_averaged() {
    assert!(encoded("static").normalised);
}

#[test]
fn the_built_in_encoder_agrees_with_a_dense_decomposition() {
    let golden = golden("builtin.json");
    let list = |name: &str| golden[name].as_array().expect("a list").clone();
    let texts: Vec<_> = list("texts").iter().map(|t| t.as_str().map(String::from)).collect();
    let data = data(&texts);
    let mut request = request(&data, "builtin".as_ref());
    request.dims = Some(6);
    let report = encode_texts(&request, &mut Silent).expect("encoded");
    let found = features(&data);
    let rows = list("rows");
    assert_eq!((report.width, report.missing), (6, texts.len() - rows.len()));
    for (row, expected) in rows.iter().zip(list("features")) {
        let row = row.as_u64().expect("a place") as usize;
        for (found, expected) in found.row(row).iter().zip(expected.as_array().expect("numbers")) {
            let expected = expected.as_f64().expect("a number");
            assert!((f64::from(*found) - expected).abs() < 2e-5, "row {row}: {found} {expected}");
        }
    }
}
