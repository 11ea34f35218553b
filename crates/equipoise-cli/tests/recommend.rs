//! Putting a run to work from the command line.

mod common;

use common::{Demo, failure, json, ok, one_epoch, program};
use std::path::PathBuf;

/// A run of the demo data.
struct World {
    demo: Demo,
    run: PathBuf,
}

impl World {
    fn new() -> World {
        let demo = Demo::new();
        let run = demo.dir("run");
        one_epoch(&demo.data(), &run);
        World { demo, run }
    }

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
    let world = World::new();
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
fn calibration_is_kept_with_the_run_and_served() {
    let world = World::new();
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
fn everyone_gets_a_list_in_parts_that_are_made_once() {
    let world = World::new();
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
    let world = World::new();
    for (args, says) in [
        (&[][..], "--user"),
        (&["--user", "nobody"], "no user `nobody`"),
        (&["--history", "nothing"], "no item `nothing`"),
        (&["--user", "nobody", "--n", "0"], "n: 0"),
        (&["--user", "nobody", "--weights", "image"], "NAME=X"),
        (&["--user", "nobody", "--weights", "sound=1"], "sound"),
        (&["--user", "nobody", "--filter", "{"], "--filter"),
        (&["--user", "nobody", "--diversity", "2"], "diversity"),
    ] {
        let message = failure(&mut world.call("recommend", args), 2);
        assert!(message.contains(says), "{args:?}: {message}");
    }
    let mut nothing = program();
    let message = failure(nothing.args(["recommend", "--user", "a"]).arg(world.demo.data()), 2);
    assert!(message.contains("tables.safetensors"), "{message}");
}
