//! Weights of each part of the margin, triple by triple, after the loss of COHESION (SIGIR 2025).
//!
//! # Equations
//! With `D_0 = Delta_ids` and `D_m = Delta - Delta_without(m)`, the parts of a margin, per triple of the batch:
//! ```text
//! a_k     = 1 - exp(D_k) / sum_l exp(D_l)          k, l over ids and modalities; no gradient            (1)
//! c       = n / (n + 1)                            what a_k is when all parts are equal                 (2)
//! Delta'  = sum_k a_k D_k + c (Delta - sum_k D_k)                                                       (3)
//! L       = mean sp(-Delta')                       in the place of L_BPR                                (4)
//! ```
//! What ranks a triple well already counts less in its loss, so the parts that rank it badly learn from it. The
//! score itself is not changed: weights exist during training only.
//!
//! # What is adapted
//! COHESION concatenates an id block and one block per modality, so its margin is a sum of blocks, each with its
//! weight (1). Where the score is such a sum (VBPR, DeepStyle) (3) is that sum. Elsewhere a part is what the
//! counterfactual says: the margin lost when the modality is silenced. What remains of the margin, because
//! modalities interact, gets the constant weight (2), so that equal weights scale the margin as a whole.
//!
//! # Configuration
//! It has no setting.

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::losses::{bpr, constant, mean};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity, TREATMENT_EFFECT};
use burn::tensor::Tensor;
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};

/// `cohesion` has no setting of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

impl BalancerSettings for Config {
    const NAME: &'static str = "cohesion";
    const SOURCE: &'static str = "after the loss of COHESION, SIGIR 2025";
    const SUMMARY: &'static str = "the parts of a margin that rank a triple well count less in its loss";
    const REPLACES_RANKING: bool = true;
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: a modality that ranks a triple well counts less in its loss.",
        weight: Quantity {
            symbol: "a",
            word: "weight",
            title: "Weight of its part",
            meaning: "Mean weight of the modality's part of a margin",
        },
        ratio: None,
        effect: Some(TREATMENT_EFFECT),
    };

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(PartWeights { modalities: setup.modalities })
    }
}

struct PartWeights {
    modalities: usize,
}

/// `a_k` of each part, equation (1), per triple: `parts[k][b]` in, the same shape out.
pub fn weights(parts: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut out: Vec<Vec<f32>> = parts.iter().map(|part| vec![0.0; part.len()]).collect();
    for b in 0..parts[0].len() {
        let largest = parts.iter().map(|part| f64::from(part[b])).fold(f64::NEG_INFINITY, f64::max);
        let of = |part: &Vec<f32>| (f64::from(part[b]) - largest).exp();
        let total: f64 = parts.iter().map(of).sum();
        out.iter_mut().zip(parts).for_each(|(out, part)| out[b] = (1.0 - of(part) / total) as f32);
    }
    out
}

impl PartWeights {
    /// The ids' part, then each modality's.
    fn parts(&self, step: &StepMargins) -> Vec<Vec<f32>> {
        let margins = step.bpr_margins;
        let full = margins.values(Ablation::FULL);
        let of = |m| {
            let without = margins.values(Ablation::without(m));
            full.iter().zip(without).map(|(full, without)| full - without).collect()
        };
        let ids = margins.values(Ablation::ids_only(self.modalities));
        std::iter::once(ids).chain((0..self.modalities).map(of)).collect()
    }

    /// `Delta'` of equation (3), as one sum over the margins under the ablations:
    /// `(sum_m a_m - (n - 1) c) Delta + (a_0 - c) Delta_ids + sum_m (c - a_m) Delta_without(m)`.
    fn margin(&self, step: &StepMargins, weights: &[Vec<f32>]) -> Tensor<1> {
        let n = self.modalities;
        let (margins, c) = (step.bpr_margins, n as f32 / (n + 1) as f32);
        let full = margins.of(Ablation::FULL);
        let less = |values: &[f32]| values.iter().map(|a| a - c).collect::<Vec<_>>();
        let sum = |b: usize| weights[1..].iter().map(|a| a[b]).sum::<f32>() - (n - 1) as f32 * c;
        let of_full: Vec<f32> = (0..weights[0].len()).map(sum).collect();
        let ids = constant(&less(&weights[0]), &full) * margins.of(Ablation::ids_only(n));
        let start = constant(&of_full, &full) * full.clone() + ids;
        (0..n).fold(start, |total, m| {
            total - constant(&less(&weights[1 + m]), &full) * margins.of(Ablation::without(m))
        })
    }
}

impl Balancer for PartWeights {
    fn needs(&self) -> Needs {
        let n = self.modalities;
        let ablations = (0..n).map(Ablation::without).chain([Ablation::ids_only(n)]).collect();
        Needs { ablations, replaces_ranking: true, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let parts = self.parts(step);
        let weights = weights(&parts);
        let seen = |(part, weight): (&Vec<f32>, &Vec<f32>)| ModalityStep {
            weight: mean(weight),
            effect: Some(mean(part)),
            ..ModalityStep::default()
        };
        let modalities = parts[1..].iter().zip(&weights[1..]).map(seen).collect();
        StepLoss { loss: Some(bpr(self.margin(step, &weights))), modalities, ..StepLoss::default() }
    }
}
