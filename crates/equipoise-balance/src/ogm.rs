//! On-the-fly gradient modulation, OGM and OGM-GE (Peng et al., CVPR 2022), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! a^m_b  contribution of modality m to the margin of triple b                                          (1)
//! s^m    = mean over the batch of sig(a^m_b)             chance of ranking a pair right with m         (2)
//! rho^m  = s^m / mean of s^k over k != m                 how far m leads                               (3)
//! k^m    = 1 - tanh(alpha rho^m) if rho^m > 1, else 1                                                  (4)
//! g     <- k^m g                                         gradients of m's group                        (5)
//! g     <- k^m g + noise,  noise ~ N(0, (std(g) + 1e-8)^2)                     OGM-GE                  (6)
//! ```
//! The loss stays BPR and its penalty; id embeddings and shared layers keep their gradients. With one modality
//! nothing changes.
//!
//! # What is adapted
//! The paper classifies: `s^m` is there the probability of the right class from the part of the last layer that
//! reads modality `m`, half the bias added. `contribution = split` is that for a score that is a sum over
//! modalities, ids in the place of the bias: `a^m = D_m + D_id / n`, where `D_m` is the margin that `m` adds. Any
//! other backbone has `contribution = ablated`, the margin with every modality but `m` silenced.
//!
//! Adam undoes a constant factor of a gradient within some hundred steps: with `apply = grad`, as published, only
//! the changes of `k^m` act in the long run. `apply = update` multiplies Adam's step instead. Search both, and `end_epoch` with
//! them: modulation that ends at epoch 50 of a training that goes on for hundreds is mostly undone by its end.
//!
//! Tables of users and items have gradients in the rows of the batch alone. Noise (6) is added to rows with a
//! gradient, with the standard deviation of those rows: noise everywhere would move users whom the step has not
//! seen. Under `apply = update` it is added to the gradient unscaled.
//!
//! # Ids as a modality
//! `ids = true` lets id embeddings take part as one modality more, with a factor of their own, as AB-Rec (Wu et al., KDD 2025)
//! modulates ids, which converge faster than content, against content. Contributions are then apart: `a^m = D_m` under
//! `split`, the margin of `m` alone less that of the ids alone under `ablated`, and `a` of the ids is the margin of the ids
//! alone. With one modality there are two that take part.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `alpha` | 0.3 | strength (published: 0.1 and 0.8) | >= 0; searched in 0.1 to 1 |
//! | `contribution` | by backbone: `split` where scores are sums over modalities | what `a^m` is | `split`, `ablated` |
//! | `apply` | `grad` | what `k^m` multiplies; searched | `grad`, `update` |
//! | `start_epoch` | 1 | first epoch with modulation | >= 1 |
//! | `end_epoch` | 50 | last epoch with modulation; searched in 50 and all | >= `start_epoch` |
//! | `assign_shared` | `none` | factor of shared parameters: 1, or the mean of `k^m` | `none`, `average` |
//! | `ge` | false | adds the noise (6), from a stream of its own | |
//! | `ids` | false | whether ids take part as a modality | |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::heads::Heads;
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::state::{BalancerState, StateError};
pub use crate::update::Apply;
use crate::update::{Owner, Update};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::{FieldError, Stream};
use equipoise_models::{Ablation, AblationEffect, ranges};
use equipoise_nn::init::standard_normal;
use serde::{Deserialize, Serialize};

/// What a modality contributes to a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contribution {
    /// Its own part of the score and an equal share of the ids'.
    Split,
    /// The margin with every other modality silenced.
    Ablated,
}

/// The factor of shared parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignShared {
    /// 1.
    #[default]
    None,
    /// The mean over modalities.
    Average,
}

/// Settings of `ogm`; see the [module documentation](super).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Strength.
    pub alpha: f64,
    /// What a modality contributes to a margin; by backbone if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contribution: Option<Contribution>,
    /// What the factors multiply.
    pub apply: Apply,
    /// First epoch with modulation.
    pub start_epoch: usize,
    /// Last epoch with modulation.
    pub end_epoch: usize,
    /// The factor of shared parameters.
    pub assign_shared: AssignShared,
    /// Adds noise.
    pub ge: bool,
    /// Whether ids take part as a modality.
    pub ids: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            alpha: 0.3,
            contribution: None,
            apply: Apply::default(),
            start_epoch: 1,
            end_epoch: 50,
            assign_shared: AssignShared::default(),
            ge: false,
            ids: false,
        }
    }
}

impl Config {
    /// The contribution that is used with a backbone of this kind.
    fn contribution_to(&self, ablation_effect: AblationEffect) -> Contribution {
        let usual = if ablation_effect == AblationEffect::Additive {
            Contribution::Split
        } else {
            Contribution::Ablated
        };
        self.contribution.unwrap_or(usual)
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "ogm";
    const SOURCE: &'static str = "after Peng et al., CVPR 2022";
    const SUMMARY: &'static str = "gradients of the modality that leads are scaled down";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: a modality that leads the others has its gradient scaled down.",
        weight: Quantity {
            symbol: "k",
            word: "factor",
            title: "Gradient factor",
            meaning: "What the modality's gradient is multiplied by",
        },
        ratio: Some(Quantity {
            symbol: "ρ",
            word: "rho",
            title: "Lead",
            meaning: "Chance of a right order with the modality, against the others'",
        }),
        effect: None,
    };

    fn check(&self) -> Result<(), FieldError> {
        let Config { alpha, start_epoch, end_epoch, .. } = *self;
        ranges::not_negative("alpha", alpha)?;
        ranges::expect("start_epoch", start_epoch, start_epoch > 0, "1 or more")?;
        let expected = format!("balance.ogm.start_epoch ({start_epoch}) or more");
        ranges::expect("end_epoch", end_epoch, end_epoch >= start_epoch, &expected)
    }

    fn check_backbone(&self, effect: AblationEffect) -> Result<(), FieldError> {
        if self.contribution != Some(Contribution::Split) || effect == AblationEffect::Additive {
            return Ok(());
        }
        let why = "the scores of this backbone are no sum over modalities";
        Err(FieldError::word("contribution", "split", "ablated").hint(why))
    }

    fn without_effect() -> Option<Config> {
        Some(Config { alpha: 0.0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(GradientModulation::new(*self, &setup))
    }
}

/// See the [module documentation](self).
pub struct GradientModulation {
    config: Config,
    contribution: Contribution,
    modalities: usize,
    epoch: usize,
    /// `k^m` of the current step: modalities, then the ids where they take part.
    factors: Vec<f64>,
    noise: Stream,
}

/// `rho^m` and `k^m` of each modality, equations (3) and (4), from its `s^m`.
pub fn factors(scores: &[f64], alpha: f64) -> Vec<(f64, f64)> {
    let (n, total) = (scores.len(), scores.iter().sum::<f64>());
    let of = |&s: &f64| {
        if n == 1 {
            return (1.0, 1.0);
        }
        // Sigmoids of huge margins can all be 0 in one batch.
        let rho = s / ((total - s) / (n - 1) as f64).max(f64::MIN_POSITIVE);
        (rho, if rho > 1.0 { 1.0 - (alpha * rho).tanh() } else { 1.0 })
    };
    scores.iter().map(of).collect()
}

impl GradientModulation {
    /// A balancer for the modalities and the backbone of `setup`.
    pub fn new(config: Config, setup: &Setup) -> GradientModulation {
        GradientModulation {
            config,
            contribution: config.contribution_to(setup.ablation_effect),
            modalities: setup.modalities,
            epoch: 1,
            factors: vec![1.0; setup.modalities + usize::from(config.ids)],
            noise: setup.seed.stream("ogm/noise"),
        }
    }

    fn active(&self) -> bool {
        (self.config.start_epoch..=self.config.end_epoch).contains(&self.epoch) && self.factors.len() > 1
    }

    /// The place of a parameter's owner among the factors, unless it is shared.
    fn participant(&self, owner: Owner) -> Option<usize> {
        match owner {
            Owner::Modality(m) => Some(m),
            Owner::Ids => self.config.ids.then_some(self.modalities),
            Owner::Shared => None,
        }
    }

    /// `a^m_b` of every triple, per modality, then the ids' where they take part.
    fn contributions(&self, step: &StepMargins) -> Vec<Vec<f32>> {
        if self.config.ids {
            return self.parts(step);
        }
        let (n, margins) = (self.modalities, step.bpr_margins);
        let all = 0..n;
        match self.contribution {
            Contribution::Ablated => all.map(|m| margins.values(Ablation::only(m, n))).collect(),
            Contribution::Split => {
                let (full, ids) = (margins.values(Ablation::FULL), margins.values(Ablation::ids_only(n)));
                let split = |m| {
                    let without = margins.values(Ablation::without(m));
                    let parts = full.iter().zip(without).zip(&ids);
                    parts.map(|((full, without), id)| full - without + id / n as f32).collect()
                };
                all.map(split).collect()
            }
        }
    }

    /// The same of the modalities without the ids, then of the ids.
    fn parts(&self, step: &StepMargins) -> Vec<Vec<f32>> {
        let (n, margins) = (self.modalities, step.bpr_margins);
        let (full, ids) = (margins.values(Ablation::FULL), margins.values(Ablation::ids_only(n)));
        let less = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let part = |m| match self.contribution {
            Contribution::Split => less(&full, &margins.values(Ablation::without(m))),
            Contribution::Ablated => less(&margins.values(Ablation::only(m, n)), &ids),
        };
        (0..n).map(part).chain([ids.clone()]).collect()
    }

    fn shared_factor(&self) -> f64 {
        match self.config.assign_shared {
            AssignShared::None => 1.0,
            AssignShared::Average => self.factors.iter().sum::<f64>() / self.factors.len() as f64,
        }
    }
}

/// `s^m`, equation (2).
fn score(contributions: &[f32]) -> f64 {
    let sum: f64 = contributions.iter().map(|&a| 1.0 / (1.0 + (-f64::from(a)).exp())).sum();
    sum / contributions.len().max(1) as f64
}

impl Balancer for GradientModulation {
    fn needs(&self) -> Needs {
        let n = self.modalities;
        let ablations = match self.contribution {
            Contribution::Ablated => {
                let ids = self.config.ids.then(|| Ablation::ids_only(n));
                (0..n).map(|m| Ablation::only(m, n)).chain(ids).collect()
            }
            Contribution::Split => (0..n).map(Ablation::without).chain([Ablation::ids_only(n)]).collect(),
        };
        Needs { ablations, ..Needs::default() }
    }

    fn begin_epoch(&mut self, epoch: usize, _heads: &mut dyn Heads) {
        self.epoch = epoch;
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let scores: Vec<f64> = self.contributions(step).iter().map(|a| score(a)).collect();
        let found = factors(&scores, self.config.alpha);
        let active = self.active();
        self.factors = found.iter().map(|&(_, k)| if active { k } else { 1.0 }).collect();
        let seen = |(&(rho, _), &weight)| ModalityStep { weight, rho: Some(rho), ..ModalityStep::default() };
        let mut modalities: Vec<ModalityStep> = found.iter().zip(&self.factors).map(seen).collect();
        let ids = if self.config.ids { modalities.pop() } else { None };
        StepLoss { modalities, ids, ..StepLoss::default() }
    }

    fn modulate(&mut self, update: &mut Update) {
        if !self.active() {
            return;
        }
        let shared = self.shared_factor();
        for (k, &group) in update.groups.iter().enumerate() {
            let participant = self.participant(group);
            let factor = participant.map_or(shared, |p| self.factors[p]);
            let drawn = if participant.is_some() && self.config.ge { self.noise_of(update, k) } else { None };
            self.config.apply.to(update, k, factor);
            if let Some(drawn) = drawn {
                update.map_gradient(k, |g| g + drawn);
            }
        }
    }

    fn save_state(&self) -> BalancerState {
        // The factors are those of the step at work: its loss sets them before they are read.
        BalancerState::default().with("epoch", [self.epoch as f64]).with_stream("noise", &self.noise)
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        (self.epoch, self.noise) = (state.number("epoch")? as usize, state.stream("noise")?);
        Ok(())
    }
}

impl GradientModulation {
    /// Noise for the gradient of parameter `k`, before it is scaled.
    fn noise_of(&mut self, update: &Update, k: usize) -> Option<Tensor<2>> {
        let gradient = update.gradients[k].clone()?;
        let (shape, device) = (gradient.dims(), gradient.device());
        let values: Vec<f32> = gradient.into_data().try_into_vec().expect("gradients are float32");
        let drawn = noise(&values, shape[1], &mut self.noise);
        Some(Tensor::from_data(TensorData::new(drawn, shape), &device))
    }
}

// Gaussian noise of a gradient's own size, in the rows that have one.

/// Added to every standard deviation, so that there is some noise always.
const LEAST: f64 = 1e-8;

/// Whether a row has any gradient.
fn touched(row: &[f32]) -> bool {
    row.iter().any(|&v| v != 0.0)
}

/// Sample standard deviation (`n - 1` below the line) of the values in rows that are not all zero; 0 for fewer
/// than two values.
pub fn spread(gradient: &[f32], width: usize) -> f64 {
    let rows = || gradient.chunks_exact(width).filter(|row| touched(row)).flatten().map(|&v| f64::from(v));
    let count = rows().count();
    if count < 2 {
        return 0.0;
    }
    let mean = rows().sum::<f64>() / count as f64;
    (rows().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1) as f64).sqrt()
}

/// `N(0, (spread + 1e-8)^2)` in every place of the rows that are not all zero, 0 elsewhere. Row-major, rows of
/// `width`.
pub fn noise(gradient: &[f32], width: usize, stream: &mut Stream) -> Vec<f32> {
    let deviation = spread(gradient, width) + LEAST;
    let mut out = vec![0.0; gradient.len()];
    for (row, out) in gradient.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        if touched(row) {
            out.iter_mut().for_each(|v| *v = (deviation * standard_normal(stream)) as f32);
        }
    }
    out
}
