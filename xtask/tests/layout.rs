//! The layout of the workspace: a crate never reaches back, and no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use xtask::{Modules, arrows, circles};

/// The crates, each using only those before it.
const ORDER: [&str; 18] = [
    "equipoise-unify",
    "equipoise-kernels",
    "equipoise-data",
    "equipoise-jobs",
    "equipoise-import",
    "equipoise-encode",
    "equipoise-eval",
    "equipoise-nn",
    "equipoise-models",
    "equipoise-balance",
    "equipoise-train",
    "equipoise-recommend",
    "equipoise-serve",
    "equipoise-report",
    "equipoise-study",
    "equipoise",
    "equipoise-py",
    "equipoise-cli",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// The crates of this workspace that a crate names in one of these tables of its manifest.
fn dependencies(name: &str, tables: &[&str]) -> Vec<String> {
    let path = crates().join(name).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let manifest: toml::Table = text.parse().expect("a manifest is TOML");
    let named =
        tables.iter().filter_map(|table| manifest.get(*table)?.as_table()).flat_map(toml::Table::keys);
    named.filter(|dependency| dependency.starts_with("equipoise")).cloned().collect()
}

#[test]
fn a_crate_uses_only_those_before_it() {
    for (place, name) in ORDER.iter().enumerate() {
        for dependency in dependencies(name, &["dependencies", "build-dependencies"]) {
            let before = ORDER[..place].contains(&dependency.as_str());
            assert!(before, "{name} reaches back to {dependency}");
        }
    }
}

#[test]
fn every_crate_has_its_place() {
    let mut found: Vec<String> = std::fs::read_dir(crates())
        .expect("crates are in a folder")
        .map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned())
        .collect();
    let mut known = ORDER.to_vec();
    found.sort();
    known.sort_unstable();
    assert_eq!(found, known);
}

/// Test programs that cannot be part of `tests/all`: those of `equipoise` need features, the other counts what is allocated.
const ALONE: [&str; 4] = [
    "equipoise/tests/examples.rs",
    "equipoise/tests/front_door.rs",
    "equipoise/tests/tables.rs",
    "equipoise-import/tests/mutated.rs",
];

/// Each program links the whole toolkit: a hundred of them take half of the time and of the disk of a build.
#[test]
fn the_tests_of_a_crate_are_one_program() {
    let mut found = Vec::new();
    for name in ORDER {
        let Ok(entries) = std::fs::read_dir(crates().join(name).join("tests")) else { continue };
        for entry in entries {
            let file = entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
            if file.ends_with(".rs") {
                found.push(format!("{name}/tests/{file}"));
            }
        }
    }
    found.sort();
    let mut alone = ALONE.to_vec();
    alone.sort_unstable();
    assert_eq!(found, alone, "a test file is a module of its crate's tests/all/main.rs");
}

#[test]
fn the_walk_through_the_code_names_every_crate() {
    let text = std::fs::read_to_string(crates().join("../ARCHITECTURE.md")).expect("there is a walk-through");
    for name in ORDER {
        assert!(text.contains(&format!("`{name}`")), "ARCHITECTURE.md does not name {name}");
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = String::new();
    for name in ORDER {
        let modules = Modules::of(&crates().join(name).join("src"));
        for circle in circles(&arrows(&modules)) {
            found += &format!("\n{name}:");
            for (from, to, names) in circle {
                found += &format!("\n  {} -> {}: {}", from.display(), to.display(), names.join(", "));
            }
        }
    }
    assert!(found.is_empty(), "files that import each other:{found}");
}

/// Names that several public types may share: every part has a configuration, arguments and errors; commands nest; a journal is
/// kept with or without SQLite; and the library's `Dataset` is a data set with the settings it was loaded with.
const SHARED: [&str; 7] = ["Args", "Command", "Config", "Dataset", "Error", "Identity", "Journal"];

#[test]
fn no_two_public_types_share_a_name() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in ORDER {
        for module in Modules::of(&crates().join(name).join("src")).0.into_values() {
            for of in module.public_types() {
                places.entry(of).or_default().insert(format!("{name}/{}", module.file.display()));
            }
        }
    }
    places.retain(|name, places| places.len() > 1 && !SHARED.contains(&name.as_str()));
    assert!(places.is_empty(), "each of these needs a name of its own: {places:#?}");
}

#[test]
fn a_circle_is_found_through_a_name_that_is_handed_on() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;\n");
    write("a.rs", "use crate::B;\npub struct A(B);\n#[cfg(test)]\nmod tests { use crate::c::C; }\n");
    write("b/mod.rs", "mod inner;\npub use inner::B;\n");
    write(
        "b/inner.rs",
        "pub struct B;\nimpl B { fn a(self) -> super::super::A { super::super::A(self) } }\n",
    );
    let modules = Modules::of(dir.path());
    let found = circles(&arrows(&modules));
    assert_eq!(found.len(), 1, "{found:?}");
    let files: Vec<&Path> = found[0].iter().map(|(from, _, _)| from.as_path()).collect();
    assert_eq!(files, [Path::new("a.rs"), Path::new("b/inner.rs")]);
    // Handing a child's name on is no use of it.
    write("a.rs", "pub struct A(u8);\n");
    let modules = Modules::of(dir.path());
    assert!(circles(&arrows(&modules)).is_empty());
}
