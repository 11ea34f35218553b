//! Adaptive gradient modulation, AGM (Li et al., ICCV 2023), carried over to pairwise ranking.
//!
//! # Equations
//! The response of a modality is its Shapley value in the margin, a silenced modality standing for an absent one:
//! ```text
//! phi^m   = 1/2 ( Delta_only(m) - Delta_ids ) + 1/2 ( Delta - Delta_without(m) )      per triple        (1)
//! s^m     = mean log sig(phi^m)                     how well m alone ranks the batch                    (2)
//! r^m     = exp( s^m - mean of s^k over k != m ),   kept in [0.1, 10]                                   (3)
//! tau^m_t = ( (t - 1) tau^m_{t-1} + r^m_t ) / t     mean over the steps so far                          (4)
//! kappa^m = exp( -alpha (r^m - tau^m) )                                                                 (5)
//! L       = L_BPR,  its gradient through phi^m multiplied by kappa^m                                    (6)
//! ```
//! A modality that leads by more than it used to is slowed, one that falls behind is hurried. In the first step,
//! with one modality, or with `alpha = 0`, every factor is 1.
//!
//! (6) is the loss of `Delta + sum_m (kappa^m - 1) (phi^m - [phi^m])`, brackets holding a value constant: it has the
//! value of the plain margin and the modulated gradient.
//!
//! # What is adapted
//! The paper classifies: responses are there logits and (2) the log-probability of the right class; the
//! log-probability of the right order takes its place. It was chosen over prototype-based re-balancing, which needs
//! class centroids that ranking does not have. (1) is the Shapley value for up to two modalities, and for any
//! number where the score is a sum over modalities. For three and more that interact it is the mean of the first and
//! the last marginal contribution, which takes `2 n` ablations instead of `2^n`; what it leaves of the margin keeps
//! its gradient. The bounds in (3) keep a hopeless batch from deciding the mean (4).
//!
//! # Ids as a modality
//! `ids = true` lets id embeddings take part as one modality more, as AB-Rec (Wu et al., KDD 2025) modulates ids, which converge
//! faster than content, against content. Ids are never silenced, so their response is the margin of the ids alone, from
//! which (1) counts the modalities': responses then add up to the whole margin where the score is a sum.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `alpha` | 1 | strength | >= 0 |
//! | `ids` | false | whether ids take part as a modality | |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::losses::{bpr, constant, mean_bpr};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::state::{BalancerState, StateError};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, ranges};
use serde::{Deserialize, Serialize};

/// Largest ratio; the least is its inverse.
pub const R_MAX: f64 = 10.0;

/// Settings of `agm`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Strength.
    pub alpha: f64,
    /// Whether ids take part as a modality.
    pub ids: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { alpha: 1.0, ids: false }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "agm";
    const SOURCE: &'static str = "after Li et al., ICCV 2023";
    const SUMMARY: &'static str = "gradients of each modality's response are scaled by how its lead changes";
    const REPLACES_RANKING: bool = true;
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: a modality that leads by more than it used to has its gradient \
                scaled down, one that falls behind has it scaled up.",
        weight: Quantity {
            symbol: "κ",
            word: "factor",
            title: "Gradient factor",
            meaning: "What the modality's gradient is multiplied by",
        },
        ratio: Some(Quantity {
            symbol: "r",
            word: "lead",
            title: "Lead",
            meaning: "Likelihood of the batch's order by the modality's response, against the others'",
        }),
        effect: Some(Quantity {
            symbol: "φ",
            word: "response",
            title: "Response",
            meaning: "Mean Shapley value of the modality in a margin",
        }),
    };

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("alpha", self.alpha)
    }

    fn without_effect() -> Option<Config> {
        Some(Config { alpha: 0.0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(AdaptiveModulation::new(*self, setup.modalities))
    }
}

/// See the [module documentation](self).
pub struct AdaptiveModulation {
    config: Config,
    modalities: usize,
    /// Steps so far.
    steps: f64,
    /// `tau^m`: modalities, then the ids where they take part.
    usual: Vec<f64>,
}

/// `r^m` of each modality from its `s^m`, equation (3), and whether a bound changed it.
pub fn ratios(scores: &[f64]) -> Vec<(f64, bool)> {
    let (n, total) = (scores.len(), scores.iter().sum::<f64>());
    let of = |&s: &f64| {
        if n == 1 {
            return (1.0, false);
        }
        let ratio = (s - (total - s) / (n - 1) as f64).exp();
        // Infinities of both signs could meet in the exponent.
        let kept = if ratio.is_nan() { 1.0 } else { ratio.clamp(1.0 / R_MAX, R_MAX) };
        (kept, kept != ratio)
    };
    scores.iter().map(of).collect()
}

/// `s^m`, equation (2).
pub fn score(responses: &[f32]) -> f64 {
    -mean_bpr(responses)
}

impl AdaptiveModulation {
    /// A balancer before its first step.
    pub fn new(config: Config, modalities: usize) -> AdaptiveModulation {
        let usual = vec![0.0; modalities + usize::from(config.ids)];
        AdaptiveModulation { config, modalities, steps: 0.0, usual }
    }

    /// `phi^m`, equation (1), on the tape; that of the ids after those of the modalities.
    fn response(&self, m: usize, step: &StepMargins) -> Tensor<1> {
        let (n, margins) = (self.modalities, step.bpr_margins);
        if m == n {
            return margins.of(Ablation::ids_only(n));
        }
        let first = margins.of(Ablation::only(m, n)) - margins.of(Ablation::ids_only(n));
        let last = margins.of(Ablation::FULL) - margins.of(Ablation::without(m));
        (first + last) * 0.5
    }

    /// Its values.
    fn response_values(&self, m: usize, step: &StepMargins) -> Vec<f32> {
        let (n, margins) = (self.modalities, step.bpr_margins);
        if m == n {
            return margins.values(Ablation::ids_only(n));
        }
        let difference = |of: Ablation, less: Ablation| {
            let pairs = margins.values(of).into_iter().zip(margins.values(less));
            pairs.map(|(a, b)| a - b).collect::<Vec<f32>>()
        };
        let first = difference(Ablation::only(m, n), Ablation::ids_only(n));
        let last = difference(Ablation::FULL, Ablation::without(m));
        first.into_iter().zip(last).map(|(first, last)| (first + last) * 0.5).collect()
    }

    /// `kappa^m`, equations (4) and (5); the means go one step on.
    fn factors(&mut self, ratios: &[(f64, bool)]) -> Vec<f64> {
        self.steps += 1.0;
        let (t, alpha) = (self.steps, self.config.alpha);
        let factor = |(usual, &(ratio, _)): (&mut f64, &(f64, bool))| {
            *usual += (ratio - *usual) / t;
            (-alpha * (ratio - *usual)).exp()
        };
        self.usual.iter_mut().zip(ratios).map(factor).collect()
    }
}

impl Balancer for AdaptiveModulation {
    fn needs(&self) -> Needs {
        let n = self.modalities;
        let each = (0..n).flat_map(|m| [Ablation::only(m, n), Ablation::without(m)]);
        let ablations = each.chain([Ablation::ids_only(n)]).collect();
        Needs { ablations, replaces_ranking: true, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let responses: Vec<Tensor<1>> = (0..self.usual.len()).map(|m| self.response(m, step)).collect();
        let values: Vec<Vec<f32>> = (0..self.usual.len()).map(|m| self.response_values(m, step)).collect();
        let ratios = ratios(&values.iter().map(|v| score(v)).collect::<Vec<_>>());
        let factors = self.factors(&ratios);
        let mut margin = step.bpr_margins.of(Ablation::FULL);
        let mut modalities = Vec::new();
        for (m, response) in responses.into_iter().enumerate() {
            let (rho, clamped) = ratios[m];
            modalities.push(ModalityStep {
                weight: factors[m],
                rho: Some(rho),
                clamped: Some(f64::from(u8::from(clamped))),
                effect: Some(
                    values[m].iter().map(|&v| f64::from(v)).sum::<f64>() / values[m].len().max(1) as f64,
                ),
                ..ModalityStep::default()
            });
            if factors[m] != 1.0 {
                let moving = response.clone() - constant(&values[m], &response);
                margin = margin + moving * (factors[m] - 1.0);
            }
        }
        let ids = if self.config.ids { modalities.pop() } else { None };
        StepLoss { loss: Some(bpr(margin)), modalities, ids }
    }

    fn save_state(&self) -> BalancerState {
        BalancerState::default().with("steps", [self.steps]).with("usual", self.usual.iter().copied())
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        self.steps = state.number("steps")?;
        self.usual = state.numbers("usual", self.usual.len())?.to_vec();
        Ok(())
    }
}
