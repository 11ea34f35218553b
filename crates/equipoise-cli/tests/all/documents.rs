//! Documents and files that must follow the registry.

use equipoise_balance::{BalanceConfig, Requirement};
use equipoise_models::backbones;
use equipoise_study::search::Dimension;
use equipoise_study::sweep::{Method, SweepPlan};
use equipoise_train::config::Layers;
use std::path::PathBuf;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The README's table of backbones.
fn table() -> String {
    let mut text = String::from("| `--backbone` | | source | balancers |\n|---|---|---|---|\n");
    for b in equipoise_models::built_in() {
        let balanced = if b.ablation_effect.shows() { "yes" } else { "-" };
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
    for b in equipoise_balance::built_in() {
        let first = match BalanceConfig::named(b.name).requirement() {
            Requirement::Nothing => "-",
            Requirement::Teachers => "teachers",
            Requirement::Heads => "teachers and the plain model",
            Requirement::Channels => "teachers, two of them of ids, and the plain model",
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
    for entry in equipoise_models::built_in() {
        let path = root(&format!("configs/{}.toml", entry.name));
        let config = Layers::new().file(&path).and_then(|layers| layers.resolve());
        let config = config.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(config.backbone.name, entry.name);
    }
    let files = std::fs::read_dir(root("configs")).unwrap().count();
    assert_eq!(files, equipoise_models::built_in().len(), "a file in configs/ belongs to no backbone");
    assert!(backbones().len() >= files);
}

/// The grid of the distillation paper (ACM MM 2024), without its dropout.
const GRID: [(&str, [f64; 4]); 4] = [
    ("train.lr", [1e-4, 5e-4, 1e-3, 5e-3]),
    ("train.reg", [1e-5, 1e-4, 1e-3, 1e-2]),
    ("balance.ckd.lambda_kd", [1e-3, 1e-2, 1e-1, 5e-1]),
    ("balance.ckd.lambda_g", [0.1, 0.5, 1.0, 5.0]),
];

fn plan(name: &str) -> SweepPlan {
    SweepPlan::file(&root(&format!("experiments/sweeps/{name}.toml")), &[])
        .unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn the_paper_s_grids_are_there_for_each_of_its_backbones_and_every_point_is_a_run() {
    for backbone in ["vbpr", "deepstyle", "mmgcn", "grcn", "egogcn", "mgcn"] {
        let published = Layers::new().file(&root(&format!("configs/{backbone}.toml"))).unwrap();
        let published = published.resolve().unwrap().into_inner().backbone;
        for (name, settings, balance) in
            [(backbone.to_owned(), 2, "none"), (format!("{backbone}-ckd"), 4, "ckd")]
        {
            let plan = plan(&name);
            assert_eq!((&plan.base().backbone, plan.base().balance.name.as_str()), (&published, balance));
            assert_eq!((plan.config().method, plan.metric()), (Method::Grid, "recall@20"));
            assert_eq!(plan.space().dimensions().len(), settings, "{name}");
            let points = plan.strategy().unwrap().next(&[]);
            assert_eq!(points.len(), 4usize.pow(settings as u32));
            for (key, values) in &GRID[..settings] {
                let mut found: Vec<f64> = points.iter().map(|p| p.point.number(key).unwrap()).collect();
                found.sort_by(f64::total_cmp);
                found.dedup();
                assert_eq!(found, values, "{name} {key}");
            }
            // Every point is an acceptable configuration; a few of 256 stand for all.
            for proposal in points.iter().step_by(points.len() / 16) {
                plan.at(&proposal.point).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            }
        }
    }
}

#[test]
fn every_file_of_experiments_sweeps_is_a_plan() {
    let files = std::fs::read_dir(root("experiments/sweeps")).unwrap().map(|f| f.unwrap().path());
    let names: Vec<String> = files.map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names.len(), 13);
    for name in names {
        let plan = plan(&name);
        assert!(plan.strategy().unwrap().total() >= 16);
        // What a search changes has one meaning: its own list or range.
        let ranges =
            plan.space().dimensions().iter().filter(|(_, d)| matches!(d, Dimension::Range(_))).count();
        assert_eq!(ranges > 0, plan.config().method == Method::Tpe, "{name}");
    }
}

/// Every page of the repository.
fn pages() -> Vec<PathBuf> {
    let here = |dir: PathBuf| std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let dirs = ["", "docs", "bench", "reference", "fuzz", "python"].map(root);
    let all = dirs.into_iter().filter(|dir| dir.is_dir()).flat_map(here);
    let mut pages: Vec<PathBuf> = all.filter(|file| file.extension().is_some_and(|e| e == "md")).collect();
    pages.sort();
    pages
}

/// The text of a page without what stands in blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let line = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    };
    text.lines().filter(line).collect::<Vec<_>>().join("\n")
}

/// What a heading is linked by: its letters and digits in small, blanks as hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

/// The targets of a page's links and pictures.
fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let sources = text.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    ends.chain(sources)
        .map(|(target, _)| target.to_owned())
        .filter(|target| !target.contains("://"))
        .collect()
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut checked = 0;
    for page in pages() {
        let text = prose(&std::fs::read_to_string(&page).unwrap());
        for target in links(&text) {
            let (file, heading) = target.split_once('#').map_or((&*target, None), |(f, h)| (f, Some(h)));
            let there = match file {
                "" => page.clone(),
                _ => page.parent().expect("a page lies in a folder").join(file),
            };
            assert!(there.exists(), "{}: {target} leads nowhere", page.display());
            if let Some(heading) = heading {
                let other = prose(&std::fs::read_to_string(&there).unwrap());
                let mut headings = other.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line.trim_start_matches('#')) == heading);
                assert!(found, "{}: there is no heading for {target}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} links were found");
}

#[test]
fn the_index_of_the_documentation_names_every_page() {
    let index = std::fs::read_to_string(root("docs/README.md")).unwrap();
    for page in std::fs::read_dir(root("docs")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let listed = !name.ends_with(".md") || name == "README.md" || index.contains(&format!("({name})"));
        assert!(listed, "docs/README.md does not name {name}");
    }
}
