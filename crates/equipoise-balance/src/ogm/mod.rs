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
//! the changes of `k^m` act in the long run. `apply = update` multiplies Adam's step instead.
//!
//! Tables of users and items have gradients in the rows of the batch alone. Noise (6) is added to rows with a
//! gradient, with the standard deviation of those rows: noise everywhere would move users whom the step has not
//! seen. Under `apply = update` it is added to the gradient unscaled.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `alpha` | 0.3 | strength (published: 0.1 and 0.8) | >= 0; searched in 0.1 to 1 |
//! | `contribution` | by backbone: `split` where scores are sums over modalities | what `a^m` is | `split`, `ablated` |
//! | `apply` | `grad` | what `k^m` multiplies | `grad`, `update` |
//! | `start_epoch` | 1 | first epoch with modulation | >= 1 |
//! | `end_epoch` | 50 | last epoch with modulation | >= `start_epoch` |
//! | `assign_shared` | `none` | factor of shared parameters: 1, or the mean of `k^m` | `none`, `average` |
//! | `ge` | false | adds the noise (6), from a stream of its own | |

mod config;
mod noise;

pub use config::{Apply, AssignShared, Config, Contribution};
pub use noise::{noise, spread};

use crate::balancer::{Balancer, ModalityStep, Needs, StepLoss, StepMargins};
use crate::heads::Heads;
use crate::registry::{BalancerEntry, Requirement, Setup};
use crate::update::Update;
use burn::tensor::{Tensor, TensorData};
use equipoise_data::Stream;
use equipoise_models::Ablation;

/// The registry's entry.
pub const ENTRY: BalancerEntry = BalancerEntry {
    name: "ogm",
    source: "after Peng et al., CVPR 2022",
    summary: "gradients of the modality that leads are scaled down",
    requirement: |_| Requirement::Nothing,
    check: |config, ablation_effect| config.ogm.check(&config.name, ablation_effect),
    build: |config, setup| Box::new(Ogm::new(config.ogm, &setup)),
};

/// See the [module documentation](self).
pub struct Ogm {
    config: Config,
    contribution: Contribution,
    modalities: usize,
    epoch: usize,
    /// `k^m` of the current step.
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

impl Ogm {
    /// A balancer for the modalities and the backbone of `setup`.
    pub fn new(config: Config, setup: &Setup) -> Ogm {
        Ogm {
            config,
            contribution: config.contribution_to(setup.ablation_effect),
            modalities: setup.modalities,
            epoch: 1,
            factors: vec![1.0; setup.modalities],
            noise: setup.seed.stream("ogm/noise"),
        }
    }

    fn active(&self) -> bool {
        (self.config.start_epoch..=self.config.end_epoch).contains(&self.epoch) && self.modalities > 1
    }

    /// `a^m_b` of every triple, per modality.
    fn contributions(&self, step: &StepMargins) -> Vec<Vec<f32>> {
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

    fn shared_factor(&self) -> f64 {
        match self.config.assign_shared {
            AssignShared::None => 1.0,
            AssignShared::Average => self.factors.iter().sum::<f64>() / self.modalities as f64,
        }
    }
}

/// `s^m`, equation (2).
fn score(contributions: &[f32]) -> f64 {
    let sum: f64 = contributions.iter().map(|&a| 1.0 / (1.0 + (-f64::from(a)).exp())).sum();
    sum / contributions.len().max(1) as f64
}

impl Balancer for Ogm {
    fn needs(&self) -> Needs {
        let n = self.modalities;
        let ablations = match self.contribution {
            Contribution::Ablated => (0..n).map(|m| Ablation::only(m, n)).collect(),
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
        let seen = |(&(rho, _), &weight)| ModalityStep { weight, rho, ..ModalityStep::default() };
        let modalities = found.iter().zip(&self.factors).map(seen).collect();
        StepLoss { loss: None, modalities }
    }

    fn modulate(&mut self, update: &mut Update) {
        if !self.active() {
            return;
        }
        let shared = self.shared_factor();
        for (k, &group) in update.groups.iter().enumerate() {
            let factor = group.map_or(shared, |m| self.factors[m]);
            let drawn = if group.is_some() && self.config.ge { self.noise_of(update, k) } else { None };
            match self.config.apply {
                Apply::Grad if factor != 1.0 => update.map_gradient(k, |g| g * factor),
                Apply::Grad => {}
                Apply::Update => update.rates[k] = factor,
            }
            if let Some(drawn) = drawn {
                update.map_gradient(k, |g| g + drawn);
            }
        }
    }
}

impl Ogm {
    /// Noise for the gradient of parameter `k`, before it is scaled.
    fn noise_of(&mut self, update: &Update, k: usize) -> Option<Tensor<2>> {
        let gradient = update.gradients[k].clone()?;
        let (shape, device) = (gradient.dims(), gradient.device());
        let values: Vec<f32> = gradient.into_data().try_into_vec().expect("gradients are float32");
        let drawn = noise(&values, shape[1], &mut self.noise);
        Some(Tensor::from_data(TensorData::new(drawn, shape), &device))
    }
}
