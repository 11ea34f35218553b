//! `equipoise backbones`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_models::{AblationEffect, BackboneEntry, backbones};

pub fn run(global: &Global) -> Result<(), Failure> {
    if global.json() {
        let list: Vec<serde_json::Value> = backbones().into_iter().map(json).collect();
        return print::json(&list);
    }
    let row =
        |b: &BackboneEntry| [b.name, b.title, balanced(b), b.source, b.summary].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = backbones().into_iter().map(row).collect();
    let table = print::words(&["name", "title", "balanced", "source", "what it is"], &rows);
    print::out(&format!("{table}\nTrain one with: equipoise train --backbone NAME --data PATH --out RUN\n"))
}

fn json(b: &BackboneEntry) -> serde_json::Value {
    serde_json::json!({
        "name": b.name,
        "title": b.title,
        "source": b.source,
        "summary": b.summary,
        "balanced": b.ablation_effect.shows(),
    })
}

/// Whether balancers apply: silencing a modality must change its scores.
fn balanced(b: &BackboneEntry) -> &'static str {
    match b.ablation_effect {
        AblationEffect::Additive | AblationEffect::Inputs => "yes",
        AblationEffect::Nothing => "no",
    }
}
