//! The check that the scores of an additive backbone add up.

use super::data::{dataset, every_ablation, model, triples};
use super::observe::{Probe, observe_scores};
use crate::{Ablation, AblationEffect, BackboneConfig, BackboneEntry};

/// Where the registry says [`AblationEffect::Additive`], the margin under any ablation is that of the ids and, for each
/// modality kept, what silencing it alone takes from the whole. Other backbones pass this check unconditionally.
pub fn adds_up_if_it_says_so(entry: &BackboneEntry, config: &BackboneConfig) {
    if entry.ablation_effect != AblationEffect::Additive {
        return;
    }
    for n in 1..=3 {
        let (model, triples, ablations) =
            (model(config, &dataset(n, 9), 9), triples(9, 9), every_ablation(n));
        let (all_rows, penalty, naive, step) = (false, 0.0, false, 0);
        let probe = Probe { triples: &triples, ablations: &ablations, all_rows, penalty, naive, step };
        let seen = observe_scores(&model, &probe, false);
        let margins = |a: Ablation| {
            let place = ablations.iter().position(|b| *b == a).expect("every ablation is requested");
            &seen.margins[place]
        };
        let (full, ids) = (margins(Ablation::FULL), margins(Ablation::ids_only(n)));
        for &ablation in &ablations {
            for (b, &found) in margins(ablation).iter().enumerate() {
                let kept = (0..n).filter(|&m| !ablation.silences(m));
                let expected = kept.fold(ids[b], |sum, m| sum + full[b] - margins(Ablation::without(m))[b]);
                let within = (found - expected).abs() <= 1e-5 * (1.0 + expected.abs());
                assert!(within, "{}: {ablation:?}: margin {found}, sum of parts {expected}", config.name);
            }
        }
    }
}
