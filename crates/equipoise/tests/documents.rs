//! Documents and files that must follow the registry.

use equipoise::balance::{BalanceConfig, Prior};
use equipoise::models::backbones;
use equipoise::train::config::layers::Layers;
use std::path::PathBuf;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The README's table of backbones.
fn table() -> String {
    let mut text = String::from("| `--backbone` | | source | balancers |\n|---|---|---|---|\n");
    for b in equipoise::models::built_in() {
        let balanced = if b.silencing.shows() { "yes" } else { "-" };
        text += &format!("| `{}` | {}: {} | {} | {balanced} |\n", b.name, b.title, b.summary, b.source);
    }
    text
}

#[test]
fn the_readme_has_the_table_of_backbones() {
    let readme = std::fs::read_to_string(root("README.md")).unwrap();
    assert!(readme.contains(&table()), "README.md must hold this table:\n{}", table());
}

/// The README's table of balancers.
fn balancers() -> String {
    let mut text = String::from("| `--balance` | | source | trained first |\n|---|---|---|---|\n");
    let config = BalanceConfig::default();
    for b in equipoise::balance::balancers() {
        let first = match (b.prior)(&config) {
            Prior::Nothing => "-",
            Prior::Teachers => "teachers",
            Prior::Heads => "teachers and the plain model",
        };
        text += &format!("| `{}` | {} | {} | {first} |\n", b.name, b.summary, b.source);
    }
    text
}

#[test]
fn the_readme_has_the_table_of_balancers() {
    let readme = std::fs::read_to_string(root("README.md")).unwrap();
    assert!(readme.contains(&balancers()), "README.md must hold this table:\n{}", balancers());
}

#[test]
fn every_backbone_has_a_file_of_published_settings() {
    for entry in equipoise::models::built_in() {
        let path = root(&format!("configs/{}.toml", entry.name));
        let config = Layers::new().file(&path).and_then(|layers| layers.resolve());
        let config = config.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(config.backbone.name, entry.name);
    }
    let files = std::fs::read_dir(root("configs")).unwrap().count();
    assert_eq!(files, equipoise::models::built_in().len(), "a file in configs/ belongs to no backbone");
    assert!(backbones().len() >= files);
}
