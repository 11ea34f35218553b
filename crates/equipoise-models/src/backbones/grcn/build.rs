//! The registry's entry of GRCN and its parameters.

use super::config::Confidence;
use super::{Grcn, Modality};
use crate::Backbone;
use crate::parts::Build;
use crate::registry::{AblationEffect, BackboneConfig, BackboneEntry};
use equipoise_nn::init;

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "grcn",
    title: "GRCN",
    source: "Wei et al., ACM MM 2020",
    summary: "a graph of ids whose edges are weighted by attention in every modality",
    ablation_effect: AblationEffect::Inputs,
    check: |config| config.grcn.check(),
    build,
};

fn build(config: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    b.ids_as_one_table();
    let mut contents = Vec::new();
    for m in 0..b.n_modalities() {
        b.preferences(m, init::xavier_normal);
        contents.push(b.projection(m));
    }
    let confidences = confidences(config.grcn.confidence, b);
    let modalities = contents.into_iter().zip(confidences);
    let modalities = modalities.map(|(content, confidence)| Modality { content, confidence }).collect();
    Box::new(Grcn { config: config.grcn.clone(), modalities })
}

/// Registers `confidence.<m>` for every modality, drawn as one table of `N x n`; returns the names.
fn confidences(initial: Confidence, b: &mut Build) -> Vec<String> {
    let (nodes, n) = (b.inputs.n_users + b.inputs.n_items, b.n_modalities());
    let values = match initial {
        Confidence::Xavier => init::xavier_normal(nodes, n, b.stream),
        Confidence::One => vec![1.0; nodes * n],
    };
    let register = |m: usize| {
        let (name, group) = (format!("confidence.{}", b.inputs.modalities[m].name), b.group(m));
        let column = values.iter().skip(m).step_by(n).copied().collect();
        b.parameters.add(&name, group, [nodes, 1], column);
        name
    };
    (0..n).map(register).collect()
}
