//! Each selection of packages asks for the same features of the crates that it shares with the whole workspace, so that
//! building one package does not build Burn again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Features by crate and version.
type Features = BTreeMap<String, BTreeSet<String>>;

/// What Cargo enables for these packages.
fn features(packages: &[&str]) -> Features {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command.args([
        "tree",
        "--locked",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
        "--edges",
        "normal,dev,build",
    ]);
    let output = command.args(packages).output().expect("Cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    let mut found = Features::new();
    for (package, enabled) in text.lines().filter_map(|line| line.split_once('|')) {
        let name = package.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let enabled = enabled.trim_end_matches(" (*)").split(',').filter(|feature| !feature.is_empty());
        found.entry(name).or_default().extend(enabled.map(str::to_owned));
    }
    found
}

/// Every crate below `burn`, which is what takes minutes to build.
fn below_burn() -> BTreeSet<String> {
    features(&["--package", "burn"]).into_keys().collect()
}

#[test]
fn one_package_and_the_whole_workspace_build_the_same_burn() {
    let (whole, costly) = (features(&["--workspace"]), below_burn());
    assert!(costly.len() > 50, "{costly:?}");
    let mut faults = String::new();
    for package in ["nn", "models", "balance", "train", "report", "study", "py", "cli"] {
        for (name, enabled) in features(&["--package", &format!("equipoise-{package}")]) {
            let lacking: Vec<&String> = whole[&name].difference(&enabled).collect();
            if costly.contains(&name) && !lacking.is_empty() {
                faults += &format!("\nequipoise-{package} builds {name} without {lacking:?}");
            }
        }
    }
    assert!(faults.is_empty(), "add to crates/equipoise-unify/Cargo.toml:{faults}");
}

/// The builds that the conventions name: what follows `cargo` on each line.
fn named_builds() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CONVENTIONS.md");
    let text = std::fs::read_to_string(path).expect("the conventions can be read");
    let lines = text.lines().filter_map(|line| line.strip_prefix("cargo "));
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
#[ignore = "checks the workspace several times; .ci/run asks for it"]
fn every_named_combination_of_features_builds_without_a_warning() {
    let builds = named_builds();
    assert!(builds.len() > 5, "{builds:?}");
    let mut faults = String::new();
    for build in builds {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        let output = command.args(&build).arg("--locked").output().expect("Cargo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || said.lines().any(|line| line.starts_with("warning")) {
            faults += &format!("\ncargo {}:\n{said}", build.join(" "));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
