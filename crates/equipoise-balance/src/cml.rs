//! Calibrated multimodal learning, CML (Ma et al., ICML 2023), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! h^m_b = max( Delta_without(m) - Delta, 0 )       per triple: how much surer the model is without m    (1)
//! L     = L_BPR + strength mean over m and b of h^m_b                                                   (2)
//! ```
//! The confidence of a model must not rise when a modality is removed: a modality that lowers the margin of a triple is
//! asked to stop doing so. Both margins move: the whole one rises, the one without `m` falls.
//!
//! # What is adapted
//! The paper classifies: confidence is there the largest probability of a class, and (1) is a difference of two of them. The
//! margin of a triple, the log-odds of the order that was observed, takes its place: it needs no class and its difference does
//! not vanish where both probabilities are near 1. A modality is removed by its mean, as everywhere in Equipoise. The paper
//! draws pairs of nested sets of modalities; here each step compares the whole set with all sets that lack one modality,
//! without drawing. The mean over modalities in (2) keeps `strength` comparable from one number of modalities to another.
//! With one modality the set without it is the ids.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `strength` | 0.1 | weight of the penalty | >= 0; searched in 0.01 to 1 |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::losses::number;
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity, TREATMENT_EFFECT};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, ranges};
use serde::{Deserialize, Serialize};

/// Settings of `cml`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of the penalty.
    pub strength: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { strength: 0.1 }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "cml";
    const SOURCE: &'static str = "after Ma et al., ICML 2023";
    const SUMMARY: &'static str = "a modality whose removal raises a margin is penalised";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw: where the model is surer without a modality, the difference is penalised.",
        weight: Quantity {
            symbol: "v",
            word: "violations",
            title: "Share of violations",
            meaning: "Share of triples whose margin is larger without the modality",
        },
        ratio: None,
        effect: Some(TREATMENT_EFFECT),
    };

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("strength", self.strength)
    }

    fn without_effect() -> Option<Config> {
        Some(Config { strength: 0.0 })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(Calibration { strength: self.strength, modalities: setup.modalities })
    }
}

struct Calibration {
    strength: f64,
    modalities: usize,
}

/// The numbers of one modality from the margins of the triples, whole and without it.
fn measured(full: &[f32], without: &[f32], specific: f64) -> ModalityStep {
    let count = full.len().max(1) as f64;
    let lost = full.iter().zip(without).map(|(full, without)| f64::from(full - without));
    let violations = full.iter().zip(without).filter(|(full, without)| without > full).count();
    ModalityStep {
        weight: violations as f64 / count,
        effect: Some(lost.sum::<f64>() / count),
        specific: Some(specific),
        ..ModalityStep::default()
    }
}

impl Balancer for Calibration {
    fn needs(&self) -> Needs {
        let ablations = (0..self.modalities).map(Ablation::without).collect();
        Needs { ablations, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let margins = step.bpr_margins;
        let full = margins.values(Ablation::FULL);
        let mut total: Option<Tensor<1>> = None;
        let mut modalities = Vec::new();
        for m in 0..self.modalities {
            let without = Ablation::without(m);
            let hinge = relu(margins.of(without) - margins.of(Ablation::FULL)).mean();
            modalities.push(measured(&full, &margins.values(without), number(&hinge)));
            total = Some(total.into_iter().fold(hinge, |sum, others| others + sum));
        }
        let share = self.strength / self.modalities as f64;
        let loss = total.filter(|_| self.strength != 0.0).map(|sum| sum * share);
        StepLoss { loss, modalities, ..StepLoss::default() }
    }
}
