//! Putting a run to work from the command line.

use crate::common;

use common::{Trained, failure, json, ok, program};

impl Trained {
    fn call(&self, command: &str, args: &[&str]) -> assert_cmd::Command {
        let mut call = program();
        call.arg(command).arg(&self.run).args(args).arg("--quiet");
        call
    }
}

fn ids(list: &serde_json::Value) -> Vec<String> {
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item["id"].as_str().expect("ids are texts").to_owned()).collect()
}

#[test]
fn a_user_a_stranger_and_a_request_get_lists() {
    let world = Trained::new();
    let vocabulary = std::fs::read_to_string(world.run.join("vocabulary.json")).unwrap();
    let vocabulary: serde_json::Value = serde_json::from_str(&vocabulary).unwrap();
    let (user, item) = (vocabulary["users"][3].as_str().unwrap(), vocabulary["items"][5].as_str().unwrap());
    let found = json(&mut world.call("recommend", &["--user", user, "--n", "4", "--format", "json"]));
    assert_eq!(ids(&found["lists"][0]).len(), 4);
    let text = ok(&mut world.call("recommend", &["--user", user, "--n", "4", "--explain"]));
    assert!(
        text.contains("score") && text.contains("ids") && text.contains(&ids(&found["lists"][0])[0]),
        "{text}"
    );
    let request = world.demo.dir("request.json");
    std::fs::write(&request, format!("{{\"users\": [{user:?}], \"n\": 4}}")).unwrap();
    let asked =
        json(&mut world.call("recommend", &["--request", request.to_str().unwrap(), "--format", "json"]));
    assert_eq!(asked["lists"], found["lists"]);
    let stranger = json(&mut world.call("recommend", &["--history", item, "--format", "json"]));
    let list = ids(&stranger["lists"][0]);
    assert!(list.len() == 10 && !list.iter().any(|id| id == item));
    let similar = json(&mut world.call("similar", &["--item", item, "--n", "3", "--format", "json"]));
    assert_eq!(similar.as_array().unwrap().len(), 3);
    let explained =
        json(&mut world.call("explain", &["--user", user, "--item", &list[0], "--format", "json"]));
    assert!(explained["parts"]["ids"].is_number(), "{explained}");
}

#[test]
fn files_of_users_and_requests_are_read_as_every_file_of_text() {
    let world = Trained::new();
    let vocabulary = std::fs::read_to_string(world.run.join("vocabulary.json")).unwrap();
    let vocabulary: serde_json::Value = serde_json::from_str(&vocabulary).unwrap();
    let (one, two) = (vocabulary["users"][3].as_str().unwrap(), vocabulary["users"][1].as_str().unwrap());
    let found = json(&mut world.call("recommend", &["--user", one, "--user", two, "--format", "json"]));
    let file = world.demo.dir("file");
    let name = file.to_str().unwrap();
    let users = format!("\u{feff}{one}\r\n\r\n{two} \r\n");
    let request = format!("\u{feff}{{\"users\": [{one:?}, {two:?}]}}");
    for (flag, text) in [("--users-file", users), ("--request", request)] {
        for bytes in [text.clone().into_bytes(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()] {
            std::fs::write(&file, bytes).unwrap();
            let asked = json(&mut world.call("recommend", &[flag, name, "--format", "json"]));
            assert_eq!(asked["lists"], found["lists"], "{flag}");
        }
        std::fs::write(&file, b"u\xe4").unwrap();
        let message = failure(&mut world.call("recommend", &[flag, name]), 2);
        assert!(message.contains(name) && message.contains("line 1, byte 2: no UTF-8"), "{message}");
    }
}

#[test]
fn calibration_is_kept_with_the_run_and_served() {
    let world = Trained::new();
    let text = ok(&mut world.call("calibrate", &[]));
    assert!(
        text.contains("whole model") && text.contains("weights:") && text.contains("strangers:"),
        "{text}"
    );
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(world.run.join("serving.json")).unwrap()).unwrap();
    let found = &kept["calibration"];
    assert!(found["calibrated"].as_f64() >= found["whole"].as_f64());
    assert_eq!(kept["weights"], found["weights"]);
    ok(&mut world.call("calibrate", &["--keep-weights"]));
    let kept = std::fs::read_to_string(world.run.join("serving.json")).unwrap();
    assert!(kept.contains("\"weights\": {}"), "{kept}");
}

#[test]
fn calibrated_weights_are_measured_on_test_and_told_by_the_audit() {
    let world = Trained::new();
    let message = failure(&mut world.call("evaluate", &["--calibrated"]), 2);
    assert!(message.contains("equipoise calibrate"), "{message}");
    ok(&mut world.call("calibrate", &[]));
    let evaluated = json(&mut world.call("evaluate", &["--calibrated", "--format", "json"]));
    let whole = json(&mut world.call("evaluate", &["--format", "json"]));
    let audit = json(&mut world.call("audit", &["--format", "json"]));
    let fusion = &audit["audit"]["fusion"];
    assert_eq!(fusion["calibrated"]["value"], evaluated["metrics"]["recall@20"]);
    assert_eq!(fusion["whole"], whole["metrics"]["recall@20"]);
    assert_eq!(fusion["whole"], audit["audit"]["whole"], "as the run measured it");
    for modality in audit["audit"]["modalities"].as_array().unwrap() {
        assert_eq!(fusion["channels"][modality["name"].as_str().unwrap()], modality["channel"]);
    }
    assert_eq!(fusion["channels"]["ids"], audit["audit"]["ids_only"]);
    // Without the data set the report is made all the same.
    std::fs::rename(world.demo.data(), world.demo.dir("moved")).unwrap();
    let audit = json(&mut world.call("audit", &["--format", "json"]));
    assert!(audit["audit"]["fusion"].is_null(), "{audit}");
    let moved = world.demo.dir("moved");
    let audit = json(&mut world.call("audit", &["--format", "json", "--data", moved.to_str().unwrap()]));
    assert!(audit["audit"]["fusion"]["calibrated"]["value"].is_number(), "{audit}");
}

#[test]
fn titles_come_with_the_data_set_or_from_a_table() {
    let world = Trained::new();
    let list = |args: &[&str]| json(&mut world.call("recommend", &[args, &["--format", "json"]].concat()));
    let user = "user-0003";
    let found = list(&["--user", user]);
    assert!(found["lists"][0]["items"][0]["title"].is_string(), "made up with the demo: {found}");
    let table = world.demo.dir("goods.csv");
    let rows: String = (0..90).map(|n| format!("item-{n:04},Cup &amp; Saucer {n},{n}.5\n")).collect();
    std::fs::write(&table, format!("code,name,price\n{rows}")).unwrap();
    let table = table.to_str().unwrap();
    let message = failure(&mut world.call("calibrate", &["--items", table]), 2);
    assert!(message.contains("no column of item ids"), "{message}");
    ok(&mut world.call("calibrate", &["--items", table, "--item-column", "code"]));
    let found = list(&["--user", user, "--filter", "{\"range\": {\"price\": {\"max\": 60}}}"]);
    for item in found["lists"][0]["items"].as_array().unwrap() {
        assert!(item["title"].as_str().unwrap().starts_with("Cup & Saucer "), "{item}");
    }
}

#[test]
fn everyone_gets_a_list_in_parts_that_are_made_once() {
    let world = Trained::new();
    let out = world.demo.dir("lists");
    let out = out.to_str().unwrap();
    let call = |more: &[&str]| {
        let args = [&["--all-users", "--n", "5", "--out", out, "--format", "json"], more].concat();
        world.call("recommend", &args)
    };
    let one = json(&mut call(&["--shard", "2/3"]));
    assert_eq!((one["made"].as_u64(), one["there"].as_u64()), (Some(1), Some(0)));
    let all = json(&mut call(&["--shards", "3"]));
    assert_eq!(
        (all["made"].as_u64(), all["there"].as_u64(), all["users"].as_u64()),
        (Some(2), Some(1), Some(120))
    );
    let message = failure(&mut call(&["--shards", "4"]), 2);
    assert!(message.contains("batch.json") && message.contains("--out"), "{message}");
    let message = failure(&mut call(&["--shard", "3/3"]), 2);
    assert!(message.contains("shard"), "{message}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let world = Trained::new();
    for (args, says) in [
        (&[][..], "--user"),
        (&["--user", "nobody"], "no user `nobody`"),
        (&["--history", "nothing"], "no item `nothing`"),
        (&["--user", "nobody", "--n", "0"], "n: 0"),
        (&["--user", "nobody", "--weights", "image"], "NAME=X"),
        (&["--user", "nobody", "--weights", "sound=1"], "sound"),
        (&["--user", "nobody", "--filter", "{"], "--filter"),
        (&["--user", "nobody", "--diversity", "2"], "diversity"),
        (&["--all-users", "--out", "lists.csv"], "expected a directory"),
    ] {
        let message = failure(&mut world.call("recommend", args), 2);
        assert!(message.contains(says), "{args:?}: {message}");
    }
    let mut nothing = program();
    let message = failure(nothing.args(["recommend", "--user", "a"]).arg(world.demo.data()), 2);
    assert!(message.contains("tables.safetensors"), "{message}");
}
