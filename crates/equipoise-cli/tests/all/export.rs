//! Exporting a run and adding items to it from the command line.

use crate::common;

use common::{Trained, failure, json, ok, program};
use std::fs;
use std::path::PathBuf;

impl Trained {
    fn export(&self, to: &str, out: &str, more: &[&str]) -> assert_cmd::Command {
        let mut call = program();
        call.args(["export", "--to", to, "--out"]).arg(self.demo.dir(out)).args(more).arg(&self.run);
        call
    }
}

#[test]
fn a_run_becomes_a_served_model_that_every_command_takes() {
    let world = Trained::new();
    ok(program().arg("calibrate").arg(&world.run).arg("--quiet"));
    let text = ok(&mut world.export("serving", "served", &["--half", "--name", "shop"]));
    assert!(
        text.contains("float16") && text.contains("shop (version ") && text.contains("manifest.json"),
        "{text}"
    );
    fs::remove_dir_all(&world.run).unwrap();
    let served = world.demo.dir("served");
    let vocabulary = fs::read_to_string(served.join("vocabulary.json")).unwrap();
    let vocabulary: serde_json::Value = serde_json::from_str(&vocabulary).unwrap();
    let (user, item) = (vocabulary["users"][3].as_str().unwrap(), vocabulary["items"][5].as_str().unwrap());
    let found = json(program().args(["recommend", "--format", "json", "--user", user]).arg(&served));
    assert_eq!(
        (found["model"]["name"].as_str(), found["lists"][0]["items"].as_array().unwrap().len()),
        (Some("shop"), 10)
    );
    ok(program().args(["similar", "--item", item]).arg(&served));
    ok(program().args(["explain", "--user", user, "--item", item]).arg(&served));
    ok(program().arg("calibrate").arg(&served));
    ok(program()
        .args(["recommend", "--all-users", "--n", "3", "--out"])
        .arg(world.demo.dir("lists"))
        .arg(&served));
}

#[test]
fn new_items_come_from_a_table_and_features_and_are_found() {
    let world = Trained::new();
    let (table, features) = (world.demo.dir("new.csv"), world.demo.dir("image_feat.npy"));
    fs::write(&table, "item_id,title,price\nn1,A new thing,3.5\nn2,Another,4\n").unwrap();
    let all = equipoise_data::load(&world.demo.data(), &equipoise_data::LoadOptions::default()).unwrap().data;
    let image = &all.modality("image").unwrap().features;
    let rows = [image.row(0).into_owned(), image.row(1).into_owned()].concat();
    let rows = equipoise_data::Features::new(2, image.width(), rows).unwrap();
    equipoise_data::formats::write_npy(&features, &rows).unwrap();
    fs::write(equipoise_data::formats::row_ids_file(&features), r#"["n2", "n1"]"#).unwrap();
    let out = world.demo.dir("grown");
    let add = |out: &PathBuf| {
        let mut call = program();
        call.args(["items", "add"]).arg(&world.run).arg("--items").arg(&table).arg("--features");
        call.arg(format!("image={}", features.display())).arg("--out").arg(out);
        call
    };
    let output = add(&out).output().unwrap();
    let (told, text) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("item_id") && told.contains("price") && told.contains("data.missing = mean"),
        "{told}"
    );
    assert!(text.contains("2 items added") && text.contains("the trained projection"), "{text}");
    let found = ok(program().args(["similar", "--item", "n1"]).arg(&out));
    assert!(!found.is_empty());
    let listed = json(program().args(["recommend", "--history", "n1", "--format", "json"]).arg(&out));
    assert_eq!(listed["lists"][0]["items"].as_array().unwrap().len(), 10);
    let message = failure(&mut add(&out), 2);
    assert!(message.contains("--overwrite"), "{message}");
    let mut again = add(&out);
    again.arg("--overwrite");
    ok(&mut again);
    let message = failure(
        program().args(["items", "add"]).arg(&out).arg("--items").arg(&table).arg("--out").arg("x"),
        2,
    );
    assert!(message.contains("already"), "{message}");
}

#[test]
fn what_a_target_does_not_take_is_named_and_a_key_never_stands_on_the_command_line() {
    let world = Trained::new();
    for (to, more, says) in [
        ("npy", &["--half"][..], "--half"),
        ("qdrant", &["--url", "nowhere"], "http://"),
        ("postgres", &["--into", "a b"], "--into"),
        ("faiss", &[], "possible values"),
        ("qdrant", &["--api-key", "secret"], "unexpected argument"),
        ("qdrant", &["--api-key-file", "x"], "--url"),
        ("qdrant", &["--url", "http://localhost:1", "--api-key-file", "no-such-file"], "no-such-file"),
    ] {
        let message = failure(&mut world.export(to, "refused", more), 2);
        assert!(message.contains(says), "{to} {more:?}: {message}");
        assert!(!world.demo.dir("refused").exists());
    }
}
