//! The guides' code in a crate outside of the workspace, as a reader would have it: it compiles, behaves, and its program
//! knows it.

use std::path::{Path, PathBuf};
use std::process::Command;

const GUIDES: [(&str, &str); 2] = [
    ("fused", include_str!("../../../../docs/add-a-backbone.md")),
    ("weakest", include_str!("../../../../docs/add-a-balancer.md")),
];

fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is where it was built")
}

/// The Rust code of a guide: the lines between its fences.
fn code(guide: &str) -> String {
    let mut within = false;
    let shown = guide.lines().filter(|line| {
        let fence = line.starts_with("```");
        within = if fence { *line == "```rust" } else { within };
        within && !fence
    });
    shown.map(|line| format!("{line}\n")).collect()
}

/// The development profile of the workspace, so that what it depends on need not be built again; its own crates are built
/// once more, quickly.
fn profile() -> String {
    let text = std::fs::read_to_string(workspace().join("Cargo.toml")).expect("the workspace has a manifest");
    let mut manifest: toml::Table = text.parse().expect("a manifest is TOML");
    let mut profile = manifest.remove("profile").expect("the workspace has profiles");
    let packages = profile["dev"]["package"].as_table_mut().expect("packages have profiles of their own");
    let quick: toml::Table = [("opt-level".to_owned(), toml::Value::Integer(0))].into_iter().collect();
    for folder in std::fs::read_dir(workspace().join("crates")).expect("crates are in a folder") {
        let name = folder.expect("the folder can be read").file_name().to_string_lossy().into_owned();
        packages.insert(name, quick.clone().into());
    }
    let dev = [("dev".to_owned(), profile["dev"].clone())].into_iter().collect::<toml::Table>();
    let profiles = [("profile".to_owned(), toml::Value::Table(dev))].into_iter().collect::<toml::Table>();
    toml::to_string(&profiles).expect("a part of TOML is TOML")
}

/// A crate with one program for each guide.
fn write(dir: &Path) {
    let crates = workspace().join("crates");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n\
         equipoise = {{ path = {:?} }}\nequipoise-cli = {{ path = {:?} }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n{}",
        crates.join("equipoise"),
        crates.join("equipoise-cli"),
        profile()
    );
    std::fs::create_dir_all(dir.join("src/bin")).expect("a folder");
    std::fs::write(dir.join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::copy(workspace().join("Cargo.lock"), dir.join("Cargo.lock")).expect("the same versions");
    for (name, guide) in GUIDES {
        std::fs::write(dir.join(format!("src/bin/{name}.rs")), code(guide)).expect("a program");
    }
}

/// Where this test was built: what it depends on is there already.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    test.ancestors().nth(3).expect("target/<profile>/deps/<test>").to_owned()
}

fn cargo(dir: &Path, arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(dir).args(arguments).env("CARGO_TARGET_DIR", target());
    let output = command.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}:\n{said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn each_guide_is_a_program_of_its_own() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write(dir.path());
    let passed = cargo(dir.path(), &["test", "--quiet", "--offline", "--bins"]);
    assert_eq!(
        passed.matches("1 passed").count(),
        GUIDES.len(),
        "the checks of both guides have run:\n{passed}"
    );
    let run = |name, arguments: &[&str]| {
        cargo(dir.path(), &[&["run", "--quiet", "--offline", "--bin", name, "--"], arguments].concat())
    };
    assert!(run("fused", &["backbones"]).contains("ids beside one block of all content"));
    assert!(run("weakest", &["train", "--help"]).contains(", weakest ("), "its name is in the help");
    let settings = run("weakest", &["train", "--dry-run", "--balance", "weakest"]);
    assert!(settings.contains("balance.weakest.strength"), "{settings}");
}
