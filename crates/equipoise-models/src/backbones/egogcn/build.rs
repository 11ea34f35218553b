//! The registry's entry of EgoGCN and its parameters.

use super::config::PrefNorm;
use super::{EgoGcn, Modality};
use crate::Backbone;
use crate::parts::{Build, Content, Linear};
use crate::registry::{AblationEffect, BackboneConfig, BackboneEntry};
use equipoise_data::Stream;
use equipoise_nn::init;

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "egogcn",
    title: "EgoGCN",
    source: "Chen et al., ACM MM 2022",
    summary: "attention in every modality's graph, its messages mixed with the other modalities",
    ablation_effect: AblationEffect::Inputs,
    check: |config| config.egogcn.check(),
    build,
};

fn build(config: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    let config = config.egogcn.clone();
    b.ids_as_one_table();
    let preferences = match config.pref_norm {
        PrefNorm::Differentiable => init::xavier_normal,
        PrefNorm::Project => unit_normal,
    };
    let contents: Vec<Content> = (0..b.n_modalities())
        .map(|m| {
            b.preferences(m, preferences);
            b.projection(m)
        })
        .collect();
    let modality = |content: Content| Modality {
        preferences: format!("user.{}", b.inputs.modalities[content.m].name),
        gates: (0..b.n_modalities()).map(|k| gate(b, content.m, k)).collect(),
        content,
    };
    let modalities = contents.into_iter().map(modality).collect();
    Box::new(EgoGcn { config, modalities })
}

/// The gate through which the channel of `m` hears another modality.
fn gate(b: &mut Build, m: usize, other: usize) -> Option<Linear> {
    let name = |k: usize| &b.inputs.modalities[k].name;
    let name = format!("gate.{}.{}", name(m), name(other));
    (m != other).then(|| b.linear(&name, b.group(m), [b.width, b.width]))
}

/// Rows of normally distributed direction and length 1.
fn unit_normal(rows: usize, columns: usize, stream: &mut Stream) -> Vec<f32> {
    let mut values = init::xavier_normal(rows, columns, stream);
    for row in values.chunks_exact_mut(columns) {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / length.max(1e-12)) as f32);
    }
    values
}
