//! Time per step and evaluation, and peak memory, at the scale of Amazon Baby (or of any data set) with raw
//! feature widths.
//!
//! | arguments after `cargo bench -p equipoise-train --bench baby_scale --` | what is measured |
//! |---|---|
//! | none | the plain and the CKD step of every backbone at Baby's size, each in a process of its own |
//! | `mgcn`, `mgcn plain` | those of one backbone; one kind of step: `plain`, `teacher`, `ckd` |
//! | `mgcn plain 256 256` | the same with features of other widths |
//! | `generate DIR SIZE WIDTH...` | nothing: writes data; `SIZE` is `baby`, `sports` or `USERSxITEMSxTRAIN`, a width `4096` or `512:f16` |
//! | `own DIR OUT` | nothing: writes the data of `DIR` in the project's own layout, whose features are mapped |
//! | `steps DIR BACKBONE KIND [WARM STEPS EVALUATIONS]` | steps and evaluations on the data in `DIR`, as a JSON line |
//! | `job DIR OUT` | two teachers and the student on VBPR, each to its early stop, as JSON lines |
//! | `floors` | the operations of a step, and the machine's peaks, as JSON lines |

mod floors;
mod generate;
mod job;
mod measure;
mod steps;

use generate::Size;
use serde_json::json;
use std::path::Path;

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    equipoise_train::memory::keep_freed();
    match words.as_slice() {
        ["generate", dir, size, widths @ ..] => {
            generate::write(Path::new(dir), &size.parse().expect("a size"), widths)
        }
        ["own", dir, out] => generate::own(Path::new(dir), Path::new(out)),
        ["steps", dir, backbone, kind] => steps(dir, backbone, kind, &["3", "15", "3"]),
        ["steps", dir, backbone, kind, counts @ ..] => steps(dir, backbone, kind, counts),
        ["job", dir, out] => job::run(Path::new(dir), Path::new(out)),
        ["floors"] => floors::run(),
        [] => at_baby_size(&["4096", "1024"], |dir| {
            equipoise_models::backbones().iter().for_each(|entry| both(dir, entry.name));
        }),
        [backbone] => at_baby_size(&["4096", "1024"], |dir| both(dir, backbone)),
        [backbone, kind] => at_baby_size(&["4096", "1024"], |dir| spawn(dir, backbone, kind)),
        [backbone, kind, widths @ ..] => at_baby_size(widths, |dir| spawn(dir, backbone, kind)),
    }
}

fn steps(dir: &str, backbone: &str, kind: &str, counts: &[&str]) {
    let counts: Vec<usize> = counts.iter().map(|c| c.parse().expect("a number")).collect();
    let [warm, steps, evaluations] = counts[..] else { panic!("expected WARM STEPS EVALUATIONS") };
    match steps::measure(Path::new(dir), backbone, kind, [warm, steps, evaluations]) {
        Some(found) => println!("{}", json!(found)),
        None => println!("{}", json!({ "backbone": backbone, "note": "nothing to train" })),
    }
}

fn at_baby_size(widths: &[&str], work: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    generate::write(dir.path(), &Size::BABY, widths);
    work(dir.path());
}

/// The plain step and, where the backbone can be balanced, CKD's.
fn both(dir: &Path, backbone: &str) {
    let entry = equipoise_models::find(backbone).expect("a registered backbone");
    spawn(dir, backbone, "plain");
    if entry.ablation_effect.shows() {
        spawn(dir, backbone, "ckd");
    }
}

/// One measurement in a process of its own, whose peak memory is then that of the measurement.
fn spawn(dir: &Path, backbone: &str, kind: &str) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = std::process::Command::new(program);
    let output = command.arg("steps").arg(dir).args([backbone, kind]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    match serde_json::from_str::<measure::Found>(&text) {
        Ok(found) => println!("{}", found.line()),
        Err(_) => println!("{backbone:10} has nothing to train"),
    }
}
