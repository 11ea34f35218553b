//! The program as a user meets it: commands, files, messages and exit codes.

use crate::common;

use common::{Demo, failure, json, ok, program};
use std::fs;
use std::path::Path;

#[test]
fn every_command_teaches_itself() {
    let data = ["data", "data check", "data convert", "data generate", "data import amazon"];
    for command in data.into_iter().chain([
        "demo",
        "backbones",
        "train",
        "sweep",
        "evaluate",
        "audit",
        "compare",
        "reproduce",
    ]) {
        let words: Vec<&str> = command.split(' ').collect();
        let text = ok(program().args(words).arg("--help"));
        assert!(text.contains("Usage:"), "{command}: {text}");
    }
    assert!(ok(program().arg("--help")).contains("First steps:"));
    assert!(ok(program().arg("--version")).starts_with("equipoise "));
}

#[test]
fn no_command_and_unknown_flags_are_bad_input() {
    failure(&mut program(), 2);
    let text = failure(program().args(["train", "--epocs", "3"]), 2);
    assert!(text.contains("--epochs"), "{text}");
}

#[test]
fn backbones_are_listed_with_what_they_are() {
    let text = ok(program().arg("backbones"));
    assert!(text.contains("mgcn") && text.contains("SIGIR 2020"), "{text}");
    let list = json(program().args(["backbones", "--format", "json"]));
    assert_eq!(list[0]["name"], "vbpr");
    let demo = Demo::new();
    let mut balanced = demo.train(&demo.dir("never"));
    let error = failure(balanced.args(["--backbone", "lightgcn", "--balance", "ckd"]), 2);
    assert!(error.contains("change with no modality"), "{error}");
    let run = demo.dir("lightgcn");
    ok(demo.train(&run).args(["--backbone", "lightgcn"]));
    let text = ok(program().arg("audit").arg(&run));
    assert!(text.contains("nothing to balance") && !text.contains("without"), "{text}");
}

#[test]
fn a_training_is_followed_by_a_tracker_that_is_named() {
    let demo = Demo::new();
    let (run, curves) = (demo.dir("followed"), demo.dir("curves"));
    let place = format!("tensorboard:{}", curves.display());
    ok(demo.train(&run).args(["--balance", "ckd", "--track", &place]));
    let mut folders: Vec<String> = fs::read_dir(&curves).unwrap().map(name).collect();
    folders.sort();
    assert_eq!(folders, ["model", "teacher-audio", "teacher-image", "teacher-text"]);
    for folder in folders {
        let files: Vec<String> = fs::read_dir(curves.join(&folder)).unwrap().map(name).collect();
        assert!(files.len() == 1 && files[0].starts_with("events.out.tfevents."), "{folder}: {files:?}");
        let bytes = fs::read(curves.join(&folder).join(&files[0])).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(holds("loss/bpr") && holds("validation/whole"), "{folder}");
        assert_eq!(holds("weight/image"), folder == "model", "{folder}");
    }
    let error = failure(demo.train(&demo.dir("never")).args(["--track", "tensorbord:x"]), 2);
    assert!(error.contains("KIND:PLACE") && error.contains("tensorboard"), "{error}");
    fs::write(demo.dir("file"), "").unwrap();
    let place = format!("tensorboard:{}", demo.dir("file").display());
    failure(demo.train(&demo.dir("never")).args(["--track", &place]), 2);
}

fn name(entry: std::io::Result<fs::DirEntry>) -> String {
    entry.unwrap().file_name().to_string_lossy().into_owned()
}

#[test]
fn data_check_describes_sound_data_and_lists_faults() {
    let demo = Demo::new();
    let text = ok(program().args(["data", "check"]).arg(demo.data()));
    for word in ["users", "120", "sparsity", "text", "no fault found"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let report = json(program().args(["data", "check", "--format", "json"]).arg(demo.data()));
    assert_eq!(report["items"], 80);

    fs::write(demo.data().join("5-core/val.json"), "{\"0\": [1, 99999]}").unwrap();
    fs::write(demo.data().join("text_feat.npy"), "no array").unwrap();
    let text = failure(program().args(["data", "check"]).arg(demo.data()), 2);
    assert!(text.contains("2 faults"), "{text}");
    let error = failure(program().args(["train", "--out", "never", "--data"]).arg(demo.data()), 2);
    assert!(error.starts_with("error: ") && error.contains("npy"), "{error}");
}

#[test]
fn training_evaluating_auditing_and_comparing_work_together() {
    let demo = Demo::new();
    let (plain, ckd) = (demo.dir("plain"), demo.dir("ckd"));
    let report = json(demo.train(&plain).args(["--format", "json"]));
    let recall = report["test"]["recall@20"].as_f64().unwrap();
    assert!(recall > 0.0 && report["test"]["ndcg@10"].is_number());
    let saved: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(plain.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(saved["test"]["recall@20"].as_f64(), Some(recall));

    ok(demo.train(&ckd).args(["--balance", "ckd", "--set", "balance.ckd.generic_triples=50"]));
    for file in ["config.toml", "vocabulary.json", "model.safetensors", "events.jsonl", "metrics.json"] {
        assert!(ckd.join(file).exists() && ckd.join("teachers/audio").join(file).exists(), "{file}");
    }
    for file in ["per_user.parquet", "report.html"] {
        assert!(ckd.join(file).exists(), "{file}");
    }

    let again = json(program().args(["evaluate", "--format", "json"]).arg(&plain));
    assert_eq!(
        again["metrics"]["recall@20"].as_f64(),
        Some(recall),
        "the saved model gives the same numbers"
    );
    let silenced =
        json(program().args(["evaluate", "--format", "json", "--without", "text", "--ks", "7"]).arg(&plain));
    assert!(silenced["metrics"]["recall@7"].is_number());

    let audit = json(program().args(["audit", "--format", "json"]).arg(&ckd).arg("--against").arg(&plain));
    assert_eq!(audit["verdicts"].as_array().unwrap().len(), 3);
    for error in ["shortfall", "content", "removal", "ids", "whole"] {
        assert!(audit["audit"]["modalities"][0]["errors"][error].is_number(), "{error} is paired over users");
    }
    assert!(audit["audit"]["plain"]["error"].is_number() && audit["audit"]["ids_only_error"].is_number());
    let page = fs::read_to_string(ckd.join("report.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("src=\"http"), "the report is self-contained");

    let same = json(program().args(["compare", "--format", "json"]).arg(&plain).arg(&plain));
    assert_eq!(same["rows"][0]["p_t"].as_f64(), Some(1.0));
    let text = ok(program().arg("compare").arg(&plain).arg(&ckd));
    assert!(text.contains("p (Wilcoxon)") && text.contains("recall@20"), "{text}");
    let found = json(program().args(["compare", "--format", "json"]).arg(&plain).arg(&ckd));
    let primary = found["primary"].as_str().expect("both were selected by one metric");
    let rows = found["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["metric"] == primary).unwrap();
    assert_eq!(row["p_t_holm"], row["p_t"], "the metric chosen beforehand is tested alone");
    assert!(rows.iter().any(|row| row["p_t_holm"].as_f64() > row["p_t"].as_f64()), "the others are a family");
    assert!(text.contains("alone") && text.contains("(first)") == (plain == ckd), "{text}");
}

#[test]
fn every_balancer_is_trained_recorded_and_audited_by_its_own_words() {
    let demo = Demo::new();
    let words = [
        ("gb", "Blending weight w"),
        ("ogm", "Lead ρ"),
        ("cohesion", "Weight of its part a"),
        ("agm", "Response φ"),
        ("cml", "Share of violations v"),
        ("g2d", "Confidence of its teacher c"),
        ("mmpareto", "Agreement cos"),
        ("arl", "Variance v"),
    ];
    for (balancer, panel) in words {
        let run = demo.dir(balancer);
        let mut train = demo.train(&run);
        ok(train.args(["--balance", balancer, "--teachers"]).arg(demo.dir("teachers")));
        let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(events.lines().rev().nth(1).unwrap()).unwrap();
        let recorded = last["modalities"].as_array().unwrap();
        // `g2d` holds some modalities back in its first epochs; the others have a weight from the first step.
        let weighs = |m: &serde_json::Value| m["weight"].as_f64() > Some(0.0);
        let held = balancer == "g2d" && recorded.iter().any(weighs);
        assert!(recorded.len() == 3 && (held || recorded.iter().all(weighs)), "{last}");
        let config = fs::read_to_string(run.join("config.toml")).unwrap();
        assert!(
            config.contains(&format!("[balance.{balancer}]")) && !config.contains("[balance.ckd]"),
            "{config}"
        );
        let page = fs::read_to_string(run.join("report.html")).unwrap();
        assert!(page.contains(panel) && !page.contains("Distillation weight"), "{balancer}: no {panel}");
        let audit = json(program().args(["audit", "--format", "json"]).arg(&run));
        let of = |key: &str| audit["audit"]["modalities"][0][key].as_f64();
        assert!(of("weight").is_some(), "{balancer}");
        assert_eq!(
            of("rho").is_some(),
            ["ogm", "agm", "g2d", "mmpareto", "arl"].contains(&balancer),
            "{balancer}"
        );
        assert_eq!(of("effect").is_some(), ["cohesion", "agm", "cml"].contains(&balancer), "{balancer}");
    }
    assert!(demo.dir("teachers").join("plain/model.safetensors").exists());
    let refused = |arguments: &[&str]| failure(demo.train(&demo.dir("never")).args(arguments), 2);
    assert!(refused(&["--balance", "ogn"]).contains("did you mean `ogm`?"));
    assert!(refused(&["--balance", "ogm", "--backbone", "bm3"]).contains("change with no modality"));
    assert!(refused(&["--set", "balance.gb.schedule=sometimes"]).contains("offline"));
    assert!(refused(&["--set", "balance.ogm.alfa=1"]).contains("did you mean `balance.ogm.alpha`?"));
    assert!(refused(&["--set", "balance.gb.every=0"]).contains("balance.gb.every = 0: expected 1 or more"));
}

#[test]
fn a_run_that_is_there_is_kept_unless_told_otherwise() {
    let demo = Demo::new();
    let run = demo.dir("run");
    ok(&mut demo.train(&run));
    let before = fs::read(run.join("metrics.json")).unwrap();
    let error = failure(&mut demo.train(&run), 2);
    assert!(error.contains("--overwrite"), "{error}");
    assert_eq!(fs::read(run.join("metrics.json")).unwrap(), before);
    ok(demo.train(&run).arg("--overwrite"));
}

#[test]
fn configuration_is_layered_checked_and_explained() {
    let demo = Demo::new();
    let file = demo.dir("run.toml");
    fs::write(&file, "seed = 3\n[train]\nlr = 0.01\n").unwrap();
    let dry = |extra: &[&str]| {
        let mut command = program();
        command.args(["train", "--dry-run", "--config"]).arg(&file).args(extra);
        command
    };
    let text = ok(&mut dry(&["--lr", "0.02", "--set", "eval.ks=[3]"]));
    let line = |key: &str| text.lines().find(|l| l.trim_start().starts_with(key)).unwrap().to_owned();
    assert!(line("train.lr").contains("0.02") && line("train.lr").contains("--lr"));
    assert!(line("seed").contains("run.toml:1"));
    assert!(line("train.reg").contains("default"));
    assert!(line("eval.ks").contains("[3]"));

    let error = failure(&mut dry(&["--set", "train.pacience=3"]), 2);
    assert!(error.contains("did you mean `train.patience`?"), "{error}");
    let error = failure(&mut dry(&["--lr", "-1"]), 2);
    assert!(error.contains("train.lr = -1: expected more than 0"), "{error}");
    let error = failure(&mut dry(&["--backbone", "vbrp"]), 2);
    assert!(error.contains("did you mean `vbpr`?"), "{error}");
    fs::write(&file, "[train]\nlr = 0.01\nlearning_rate = 0.02\n").unwrap();
    let error = failure(&mut dry(&[]), 2);
    assert!(error.contains("run.toml:3: unknown key `train.learning_rate`"), "{error}");
}

#[test]
fn missing_things_are_named_with_what_to_do() {
    let demo = Demo::new();
    for (arguments, expected) in [
        (vec!["train", "--out", "x"], "--data"),
        (vec!["train", "--data", "x"], "--out"),
        (vec!["train", "--data", "no-such-place", "--out", "x"], "no-such-place"),
        (vec!["audit", "no-such-run"], "no run here"),
        (vec!["evaluate", "no-such-run"], "no run here"),
        (vec!["compare", "no-such-run", "other"], "no run here"),
    ] {
        let error = failure(program().args(&arguments), 2);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let run = demo.dir("x");
    let error = failure(demo.train(&run).args(["--modalities", "text,smell"]), 2);
    assert!(error.contains("smell") && error.contains("audio"), "{error}");
    assert!(!run.exists(), "nothing is made before the input is known to be sound");
}

#[test]
fn the_demo_tells_noise_from_signal_and_shows_the_gain() {
    let demo = Demo::new();
    let out = demo.dir("demo");
    let mut command = program();
    command.args(["demo", "--quiet", "--format", "json", "--epochs", "30", "--out"]).arg(&out);
    let result = json(&mut command);
    let verdict = |name: &str| {
        let list = result["audit"]["modalities"].as_array().unwrap();
        list.iter().position(|m| m["name"] == name).unwrap()
    };
    let channel = |name: &str| result["audit"]["modalities"][verdict(name)]["channel"].as_f64().unwrap();
    assert!(channel("text") > channel("image") && channel("image") > channel("audio"));
    let plain = result["audit"]["plain"]["whole"].as_f64().unwrap();
    assert!(result["audit"]["whole"].as_f64().unwrap() > plain);
    assert!(out.join("ckd/report.html").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_best_model_so_far() {
    use std::process::{Command, Stdio};
    let demo = Demo::new();
    let run = demo.dir("run");
    let mut training = Command::new(common::path());
    training.args(["train", "--quiet", "--epochs", "100000", "--set", "train.patience=100000", "--data"]);
    training.arg(demo.data()).arg("--out").arg(&run).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = training.spawn().unwrap();
    // Nobody reads what it says: that must not keep it from stopping.
    drop(child.stderr.take());
    let events = run.join("events.jsonl");
    while !fs::read_to_string(&events).unwrap_or_default().contains("\"epoch\":2,") {
        assert!(child.try_wait().unwrap().is_none(), "training ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!((killed.success(), child.wait().unwrap().code()), (true, Some(130)));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(report["ending"], "interrupted");
    ok(program().arg("evaluate").arg(&run));
}

#[test]
fn a_modality_much_louder_than_another_is_told_by_check_train_and_audit() {
    let demo = Demo::new();
    let says = |told: &str| told.contains("times as loud as") && told.contains("try data.scale = \"l2\"");
    let loudness = |demo: &Demo| {
        json(program().args(["data", "check", "--format", "json"]).arg(demo.data()))["loudness"].clone()
    };
    assert!(loudness(&demo).is_null(), "at first they are alike");
    demo.louder("audio", 100.0);
    let found = loudness(&demo);
    assert!(found["loudest"] == "audio" && found["times"].as_f64() > Some(50.0), "{found}");
    let checked = ok(program().args(["data", "check"]).arg(demo.data()));
    assert!(says(&checked) && checked.contains("audio is "), "{checked}");
    let told = |scale: &str, out: &str| {
        let set = format!("data.scale={scale}");
        let mut command = program();
        command.args(["train", "--epochs", "1", "--set", "backbone.width=8", "--set", &set, "--data"]);
        let output = command.arg(demo.data()).arg("--out").arg(demo.dir(out)).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let loud = told("none", "loud");
    assert!(says(&loud) && loud.contains("audio is "), "{loud}");
    assert!(!says(&told("l2", "level")), "scaled, they are alike");
    let audit = |out: &str| ok(program().arg("audit").arg(demo.dir(out)));
    assert!(audit("loud").contains("times as loud as"), "{}", audit("loud"));
    assert!(!audit("level").contains("times as loud as"), "{}", audit("level"));
}

#[test]
fn an_audit_beside_a_model_of_ids_says_whether_content_adds_anything() {
    let demo = Demo::new();
    let (run, ids) = (demo.dir("run"), demo.dir("ids"));
    // Next to nothing is learned, so that the model of ids has no difficulty.
    let train = |out: &Path, more: &[&str]| {
        let mut command = program();
        command.args([
            "train",
            "--quiet",
            "--set",
            "backbone.width=8",
            "--set",
            "train.batch_size=64",
            "--data",
        ]);
        ok(command.arg(demo.data()).arg("--out").arg(out).args(more));
    };
    train(&run, &["--epochs", "1", "--lr", "1e-9"]);
    train(&ids, &["--backbone", "bprmf", "--epochs", "30", "--lr", "0.05"]);
    let audit = |more: &[&str]| json(program().args(["audit", "--format", "json"]).arg(&run).args(more));
    assert!(audit(&[])["audit"]["ids_model"].is_null(), "none is known");
    let beside = audit(&["--ids", ids.to_str().unwrap()]);
    let metrics: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(ids.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(beside["audit"]["ids_model"], metrics["test"]["recall@20"]);
    assert!(beside["audit"]["ids_model_error"].is_number(), "paired over users");
    let headline = beside["headline"].as_str().unwrap();
    assert!(headline.contains("a model of ids alone"), "{headline}");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("a model of ids alone"));

    let other = Demo::new();
    for file in ["text_feat.npy", "text_feat_ids.json"] {
        fs::remove_file(other.data().join(file)).unwrap();
    }
    let stranger = other.dir("run");
    ok(other.train(&stranger).args(["--backbone", "bprmf"]));
    let refused = failure(program().arg("audit").arg(&run).arg("--ids").arg(&stranger), 2);
    assert!(refused.contains("this run is of other data"), "{refused}");
}
