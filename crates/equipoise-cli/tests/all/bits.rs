//! The same seed on the same machine gives the same bits, from one version of the code to the next.
//!
//! Each case trains three epochs on the demo data, and the BLAKE3 hashes of its `model.safetensors` and of its `metrics.json`
//! (without seconds) are compared with the hashes on record. The last digits of a product depend on the processor, so
//! `bits/<processor>.json` holds one record for each kind of processor. On a kind without a record the test compares
//! recall@20 with that of another kind, within what rounding can do.
//!
//! `EQUIPOISE_RECORD_BITS=1 cargo nextest run -p equipoise-cli bits::` writes the record of this machine anew: for a change
//! that alters results on purpose, and says so.

use crate::common;

use common::{ok, program};
use serde_json::{Value, json};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Backbones that a balancer works on, then those on which it has nothing to balance.
const BALANCED: [&str; 7] = ["vbpr", "deepstyle", "mmgcn", "grcn", "egogcn", "mgcn", "itemknn"];
const UNBALANCED: [&str; 5] = ["bprmf", "lightgcn", "freedom", "bm3", "popularity"];
/// Balancers beside `none` and `ckd`.
const RIVALS: [&str; 8] = ["gb", "ogm", "cohesion", "agm", "cml", "g2d", "mmpareto", "arl"];
/// How far recall@20 may lie from that of another kind of processor: ten of the demo's 2,000 users.
const TOLERANCE: f64 = 0.005;

/// Where the records are.
fn records() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bits")
}

/// What the last digits of a product depend on: the processor's kind and its caches, which set the blocks of products.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split(':').nth(1)).map_or("unknown", str::trim).to_owned()
    };
    let cache = |n: u32| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{n}/size");
        std::fs::read_to_string(path).map_or("unknown".into(), |size| size.trim().to_owned())
    };
    [field("vendor_id"), field("cpu family"), field("model"), cache(0), cache(2), cache(3)].join("-")
}

/// Trains a case into `dir` and returns its hashes and its recall@20.
fn measure(dir: &Path, data: &Path, backbone: &str, balance: &str) -> Value {
    let run = dir.join(balance);
    // Robust weights are CKD's.
    let (balance, weights) = if balance == "robust" { ("ckd", "robust") } else { (balance, "paper") };
    let mut command = Command::new(common::path());
    command.args(["train", "--quiet", "--epochs", "3", "--backbone", backbone, "--balance", balance]);
    command.args(["--set", &format!("balance.ckd.weights={weights:?}")]);
    command.arg("--teachers").arg(dir.join("teachers")).arg("--data").arg(data).arg("--out").arg(&run);
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let model = std::fs::read(run.join("model.safetensors")).expect("a run has its model");
    let text = std::fs::read_to_string(run.join("metrics.json")).expect("a run has its metrics");
    let mut metrics: Value = serde_json::from_str(&text).expect("metrics are JSON");
    let fields = metrics.as_object_mut().expect("metrics are an object");
    fields.remove("seconds");
    fields.remove("program");
    // Parts of the same ranking, which earlier records lack.
    fields.remove("groups");
    if let Some(definitions) = fields["definitions"].as_object_mut() {
        definitions.shift_remove("groups");
    }
    fields.sort_keys();
    let recall = metrics["test"]["recall@20"].clone();
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    json!({ "model": hash(&model), "metrics": hash(metrics.to_string().as_bytes()), "recall@20": recall })
}

/// Measures a backbone under these balancers and compares with the record.
fn compare(backbone: &str, balancers: &[&str]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    ok(program().args(["data", "generate", "demo", "--out"]).arg(&data));
    for balance in balancers {
        let found = measure(dir.path(), &data, backbone, balance);
        let case = format!("{backbone}-{balance}");
        if std::env::var_os("EQUIPOISE_RECORD_BITS").is_some() {
            write(&case, &found);
            continue;
        }
        match std::fs::read_to_string(record()) {
            Ok(text) => assert_eq!(found, parsed(&text)[&case], "{case}: the bits of a result have changed"),
            Err(_) => near(&case, &found),
        }
    }
}

/// The record of this kind of processor.
fn record() -> PathBuf {
    records().join(processor()).with_extension("json")
}

fn parsed(record: &str) -> Value {
    serde_json::from_str(record).expect("a record is JSON")
}

/// Writes a case into the record. Each test is a process of its own, and they take turns.
fn write(case: &str, found: &Value) {
    std::fs::create_dir_all(records()).expect("a place for the records");
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(record()).expect("a record");
    file.lock().expect("the record is free in the end");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("a record is text");
    let mut cases = if text.is_empty() { json!({}) } else { parsed(&text) };
    cases[case] = found.clone();
    cases.sort_all_objects();
    file.set_len(0).and_then(|()| file.rewind()).expect("the record can be written");
    file.write_all(format!("{cases:#}\n").as_bytes()).expect("room for a record");
}

/// Compares with another kind of processor, whose last digits differ.
fn near(case: &str, found: &Value) {
    let mut kinds = std::fs::read_dir(records()).expect("there are records").flatten();
    let kind = kinds.next().expect("there is a record of some processor").path();
    let expected = parsed(&std::fs::read_to_string(kind).expect("a record can be read"));
    let recall = |value: &Value| value["recall@20"].as_f64().expect("recall is a number");
    let (found, expected) = (recall(found), recall(&expected[case]));
    assert!((found - expected).abs() <= TOLERANCE, "{case}: recall@20 {found}, elsewhere {expected}");
}

/// One test for each case that the code must leave as it is.
macro_rules! unchanged {
    ($($name:ident: $backbone:literal under $balancers:expr;)*) => {
        $(#[test]
        fn $name() {
            compare($backbone, $balancers);
        })*

        #[test]
        fn every_backbone_and_balancer_has_a_case() {
            let cases = [$(($backbone, $balancers as &[&str])),*];
            for backbone in BALANCED {
                assert!(cases.iter().any(|(name, b)| *name == backbone && b.contains(&"ckd")), "{backbone}");
            }
            for backbone in UNBALANCED {
                assert!(cases.contains(&(backbone, &["none"])), "{backbone}");
            }
            let mut known: Vec<&str> = equipoise_models::built_in().iter().map(|b| b.name).collect();
            let mut mine: Vec<&str> = BALANCED.into_iter().chain(UNBALANCED).collect();
            known.sort_unstable();
            mine.sort_unstable();
            assert_eq!(known, mine);
            let balancers: Vec<&str> = equipoise_balance::balancers().iter().map(|b| b.name).collect();
            let vbpr: Vec<&str> = cases.iter().filter(|(name, _)| *name == "vbpr").flat_map(|(_, b)| b.to_vec()).collect();
            assert!(balancers.iter().all(|name| vbpr.contains(name)), "{balancers:?} {vbpr:?}");
            assert!(RIVALS.iter().all(|name| balancers.contains(name)));
        }
    };
}

unchanged! {
    vbpr_keeps_its_bits: "vbpr" under &["none", "ckd"];
    vbpr_keeps_its_bits_under_robust_weights: "vbpr" under &["robust"];
    vbpr_keeps_its_bits_under_rivals: "vbpr" under &RIVALS;
    deepstyle_keeps_its_bits: "deepstyle" under &["none", "ckd"];
    mmgcn_keeps_its_bits: "mmgcn" under &["none", "ckd"];
    grcn_keeps_its_bits: "grcn" under &["none", "ckd"];
    egogcn_keeps_its_bits: "egogcn" under &["none", "ckd"];
    mgcn_keeps_its_bits: "mgcn" under &["none", "ckd"];
    itemknn_keeps_its_bits: "itemknn" under &["none", "ckd"];
    bprmf_keeps_its_bits: "bprmf" under &["none"];
    lightgcn_keeps_its_bits: "lightgcn" under &["none"];
    freedom_keeps_its_bits: "freedom" under &["none"];
    bm3_keeps_its_bits: "bm3" under &["none"];
    popularity_keeps_its_bits: "popularity" under &["none"];
}
