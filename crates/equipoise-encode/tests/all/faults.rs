//! What cannot be used is refused with one message that says where and what to do.

use crate::common;

use std::path::Path;

use common::{data, model, request, texts};
use equipoise_encode::{TextRequest, encode_texts};
use equipoise_jobs::Silent;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of a tiny model, changed by `change`.
fn changed(name: &str, change: impl FnOnce(&Path)) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary directory");
    copy_into(&model(name), copy.path());
    change(copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("listed").flatten() {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&place).expect("made");
            copy_into(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), &place).expect("copied");
        }
    }
}

fn replace(dir: &Path, file: &str, from: &str, to: &str) {
    let path = dir.join(file);
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(path, text.replace(from, to)).expect("written");
}

/// Changes a JSON file.
fn edit(dir: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = dir.join(file);
    let mut value: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    change(&mut value);
    std::fs::write(path, value.to_string()).expect("written");
}

/// Sets a field of `config.json`.
fn set(dir: &Path, field: &str, value: Value) {
    edit(dir, "config.json", |config| config[field] = value);
}

fn remove(dir: &Path, file: &str) {
    std::fs::remove_file(dir.join(file)).expect("removed");
}

/// The message for a model that was changed; nothing may be left beside the data.
fn message(name: &str, change: impl FnOnce(&Path)) -> String {
    let data = data(&texts(8));
    let model = changed(name, change);
    let message = encode_texts(&request(&data, model.path()), &mut Silent).expect_err("refused").to_string();
    let left: Vec<_> =
        std::fs::read_dir(data.path()).expect("listed").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 5, "{left:?}");
    message
}

#[test]
fn faults_of_a_model_are_named_with_file_and_remedy() {
    type Change = fn(&Path);
    let cases: [(&str, Change, &[&str]); 38] = [
        ("bert", |d| remove(d, "config.json"), &["no config.json", "builtin"]),
        ("bert", |d| replace(d, "config.json", "\"bert\"", "\"gpt2\""), &["\"gpt2\"", "distilbert", "mpnet"]),
        ("bert", |d| replace(d, "config.json", "{", "["), &["config.json", "line"]),
        (
            "bert",
            |d| replace(d, "config.json", "\"hidden_size\": 32", "\"hidden_size\": 30"),
            &["num_attention_heads"],
        ),
        ("bert", |d| remove(d, "model.safetensors"), &["model.safetensors", "save_pretrained"]),
        (
            "bert",
            |d| std::fs::write(d.join("model.safetensors"), b"nothing").expect("written"),
            &["no whole safetensors"],
        ),
        (
            "bert",
            |d| replace(d, "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
            &["encoder.layer.2", "absent"],
        ),
        (
            "bert",
            |d| replace(d, "config.json", "\"intermediate_size\": 64", "\"intermediate_size\": 48"),
            &["intermediate.dense.weight", "[64, 32]", "[48, 32]"],
        ),
        ("bert", |d| remove(d, "tokenizer.json"), &["no tokenizer.json", "save_pretrained"]),
        (
            "bert",
            |d| replace(d, "config.json", "\"vocab_size\": ", "\"vocab_size\": 1, \"was\": "),
            &["tokenizer.json", "different models"],
        ),
        ("bert", |d| replace(d, "modules.json", "models.Normalize", "models.CNN"), &["\"CNN\"", "Normalize"]),
        (
            "roberta",
            |d| replace(d, "2_Dense/config.json", "\"in_features\": 32", "\"in_features\": 16"),
            &["in_features is 16", "expected 32"],
        ),
        (
            "bert",
            |d| replace(d, "tokenizer.json", "\"cleanup\": true", "\"cleanup\": [1]"),
            &["tokenizer.json", "no tokenizer", "fetch the file again"],
        ),
        (
            "bert",
            |d| edit(d, "tokenizer.json", |t| t["decoder"] = json!({ "type": 7 })),
            &["tokenizer.json", "no tokenizer"],
        ),
        (
            "bert",
            |d| {
                edit(d, "tokenizer.json", |t| {
                    t["post_processor"]["special_tokens"]["[SEP]"]["ids"] = json!([99_999])
                })
            },
            &["tokenizer.json", "token id 99999", "different models"],
        ),
        (
            "roberta",
            |d| edit(d, "tokenizer.json", |t| t["post_processor"]["sep"] = json!(["</s>", 4_000_000_000u32])),
            &["tokenizer.json", "token id 4000000000"],
        ),
        (
            "bert",
            |d| std::fs::write(d.join("1_Pooling/config.json"), "{}").expect("written"),
            &["--pooling", "cls"],
        ),
        (
            "bert",
            |d| edit(d, "1_Pooling/config.json", |c| c["pooling_mode_mean_tokens"] = json!("yes")),
            &["pooling_mode_mean_tokens is \"yes\"", "true or false"],
        ),
        (
            "bert",
            |d| edit(d, "modules.json", |m| m.as_array_mut().expect("a list").truncate(1)),
            &["--pooling", "no Pooling in modules.json"],
        ),
        (
            "mpnet",
            |d| {
                edit(d, "model.safetensors.index.json", |i| {
                    i["weight_map"]["embeddings.LayerNorm.bias"] = json!("")
                })
            },
            &["names \"\"", ".safetensors files of the same folder"],
        ),
        (
            "mpnet",
            |d| edit(d, "model.safetensors.index.json", |i| i["weight_map"] = json!({})),
            &["names no file of weights"],
        ),
        (
            "bert",
            |d| edit(d, "config.json", |c| c["hidden_act"] = json!("x".repeat(5000))),
            &["config.json", "activation", "5000 bytes"],
        ),
        (
            "bert",
            |d| edit(d, "config.json", |c| c["layer_norm_eps"] = json!(-1.0)),
            &["layer_norm_eps = -1", "small positive"],
        ),
        (
            "modernbert",
            |d| set(d, "layer_types", json!(["full_attention"])),
            &["layer_types = 1 entries", "4"],
        ),
        (
            "modernbert",
            |d| set(d, "layer_types", json!(["full_attention", "sliding_attention", "chunked", "x"])),
            &["layer_types = chunked", "full_attention or sliding_attention"],
        ),
        (
            "modernbert",
            |d| set(d, "global_attn_every_n_layers", json!(0)),
            &["global_attn_every_n_layers = 0"],
        ),
        ("modernbert", |d| set(d, "local_rope_theta", json!(-3.0)), &["local_rope_theta = -3", "above 1"]),
        ("modernbert", |d| set(d, "max_position_embeddings", json!(1_000_000)), &["max_position_embeddings"]),
        ("nomic_bert", |d| set(d, "num_experts", json!(8)), &["num_experts = 8", "choose another model"]),
        ("nomic_bert", |d| set(d, "prenorm", json!(true)), &["prenorm = true", "expected false"]),
        ("nomic_bert", |d| set(d, "activation_function", json!("gelu")), &["activation_function = gelu"]),
        ("nomic_bert", |d| set(d, "n_head", json!(16)), &["columns of a head = 1", "an even number"]),
        ("qwen3", |d| set(d, "num_key_value_heads", json!(3)), &["num_key_value_heads = 3", "a divisor of"]),
        ("qwen3", |d| set(d, "head_dim", json!(0)), &["head_dim = 0"]),
        ("qwen3", |d| set(d, "rope_scaling", json!({"type": "yarn"})), &["rope_scaling", "null"]),
        ("qwen3", |d| set(d, "head_dim", json!(8)), &["q_proj.weight", "[32, 16]"]),
        (
            "jina_bert",
            |d| set(d, "feed_forward_type", json!("original")),
            &["feed_forward_type = original", "geglu"],
        ),
        (
            "jina_bert",
            |d| set(d, "position_embedding_type", json!("relative_key")),
            &["position_embedding_type"],
        ),
    ];
    for (name, change, says) in cases {
        let message = message(name, change);
        for part in says {
            assert!(message.contains(part), "expected {part:?} in: {message}");
        }
        assert!(!message.contains('\n') && message.len() < 1000, "{message}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let data = data(&texts(8));
    let plain = request(&data, &model("bert"));
    let builtin = TextRequest { model: "builtin".into(), ..plain.clone() };
    let cases = [
        (TextRequest { batch_tokens: Some(0), ..plain.clone() }, "batch_tokens = 0"),
        (TextRequest { max_length: Some(41), ..plain.clone() }, "max_length = 41: expected at most 40"),
        (TextRequest { max_length: Some(2), ..plain.clone() }, "max_length = 2"),
        (TextRequest { dims: Some(8), ..plain.clone() }, "dims = 8"),
        (TextRequest { max_length: Some(9), ..builtin.clone() }, "max_length = 9"),
        (TextRequest { dims: Some(500), ..builtin.clone() }, "leave the setting out, or give more texts"),
        (TextRequest { pooling: Some("cls".into()), ..builtin.clone() }, "pooling = cls: expected nothing"),
        (TextRequest { prompt: Some("query: ".into()), ..builtin }, "prompt = query: : expected nothing"),
        (TextRequest { pooling: Some("first".into()), ..plain.clone() }, "expected one of cls, max"),
        (TextRequest { texts: Some(model("bert")), ..plain.clone() }, "a folder, expected a table"),
        (
            TextRequest { model: model("bert/config.json").display().to_string(), ..plain.clone() },
            "give the folder that holds its config.json",
        ),
        (TextRequest { name: "a/b".into(), ..plain.clone() }, "name = a/b"),
        (TextRequest { model: "no-such".into(), ..plain.clone() }, "no such folder"),
        (TextRequest { texts: Some("/nowhere.csv".into()), ..plain.clone() }, "/nowhere.csv"),
        (TextRequest { columns: vec!["title".into()], ..plain.clone() }, "\"title\""),
        (TextRequest { data: "/nowhere".into(), ..plain }, "/nowhere"),
    ];
    for (request, says) in cases {
        let message = encode_texts(&request, &mut Silent).expect_err(says).to_string();
        assert!(message.contains(says), "expected {says:?} in: {message}");
    }
}

#[test]
fn without_a_list_of_modules_the_folder_of_the_pooling_speaks_and_pooling_can_be_asked_for() {
    let folder = changed("bert", |d| remove(d, "modules.json"));
    let encoded = |pooling: Option<&str>| {
        let data = data(&texts(8));
        let pooling = pooling.map(str::to_owned);
        let report = encode_texts(&TextRequest { pooling, ..request(&data, folder.path()) }, &mut Silent);
        report.map(|report| (report.pooling, report.pooling_from, report.width))
    };
    let named = |pooling: &str, from: &str| (Some(pooling.to_owned()), Some(from.to_owned()));
    let (mean, cls) = (encoded(None).expect("said"), encoded(Some("cls+max")).expect("asked for"));
    assert_eq!(((mean.0, mean.1), mean.2), (named("mean", "1_Pooling/config.json"), 32));
    assert_eq!(((cls.0, cls.1), cls.2), (named("cls+max", "--pooling"), 64));
}

#[test]
fn texts_of_few_words_give_fewer_columns_and_none_at_all_are_an_error() {
    let texts = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
    let few = data(&texts(&["red cup", "blue cup", "red blanket", "something else"]));
    let builtin = |data: &TempDir| request(data, "builtin".as_ref());
    let report = encode_texts(&builtin(&few), &mut Silent).expect("fewer");
    assert_eq!((report.width, report.usual_width, report.unshared, report.missing), (2, Some(64), 1, 1));
    assert!(report.remarks().iter().any(|r| r.contains("2 columns instead of the usual 64")));
    let none = data(&texts(&["red cup", "blue blanket"]));
    let message = encode_texts(&builtin(&none), &mut Silent).expect_err("nothing in common").to_string();
    assert!(message.contains("no word occurs in two texts") && message.contains("--model"), "{message}");
}

#[test]
fn entities_are_no_words_and_their_number_is_said() {
    let texts = |and: &str| (0..6).map(|n| Some(format!("pen {and} paper{}", n / 2))).collect::<Vec<_>>();
    let (plain, escaped) = (data(&texts("&")), data(&texts("&amp;")));
    let bits = |data: &TempDir| {
        let request = TextRequest { dims: Some(3), ..request(data, "builtin".as_ref()) };
        let report = encode_texts(&request, &mut Silent).expect("encoded");
        (report.decoded, common::features(data).values().iter().map(|v| v.to_bits()).collect::<Vec<_>>())
    };
    let ((none, expected), (decoded, found)) = (bits(&plain), bits(&escaped));
    assert_eq!((none, decoded), (0, 6));
    assert!(expected == found);
}
