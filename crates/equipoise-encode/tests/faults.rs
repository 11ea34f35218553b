//! What cannot be used is refused with one message that says where and what to do.

mod common;

use std::path::Path;

use common::{data, model, request, texts};
use equipoise_encode::{TextRequest, encode_texts};
use equipoise_jobs::Silent;
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
    let cases: [(&str, Change, &[&str]); 12] = [
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
    ];
    for (name, change, says) in cases {
        let message = message(name, change);
        for part in says {
            assert!(message.contains(part), "expected {part:?} in: {message}");
        }
        assert!(!message.contains('\n'), "{message}");
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
        (TextRequest { dims: Some(500), ..builtin }, "dims = 500: expected at most"),
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
