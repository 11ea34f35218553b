//! Asymmetric representation learning, ARL (Wei, Luo & Luo, ICCV 2025), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! p^m  = sig(Ds^m)                                    prediction of modality m, per triple
//! v^m  = mean over the batch of p^m (1 - p^m)         its variance, at least 1e-6                          (1)
//! k^m  = n (v^m)^-alpha / sum_k (v^k)^-alpha          reliance in the inverse ratio of variances           (2)
//! L_m  = mean sp(-Ds^m)                               what m alone gets wrong: its bias                    (3)
//! L    = L_BPR + bias sum_m L_m                                                                            (4)
//! step of m's group <- k^m step,  or  g <- k^m g                                                           (5)
//! ```
//! `Ds^m` is the margin with every modality but `m` silenced. The error of a combination of predictions is least when each
//! counts in the inverse ratio of its variance: modalities should *not* be balanced, the surest should lead. `L_m` moves `m`'s
//! own group and the shared parameters. The factors (2) have mean 1; with one modality nothing changes.
//!
//! # What is adapted
//! The paper classifies; (1) is the variance of a Bernoulli variable, the order of a pair, in the place of the spread of a
//! prediction over classes.
//!
//! The factors hardly change from one step to the next, and Adam undoes a constant factor of a gradient: `apply = grad`, as
//! published (with SGD), would measure weights and have next to no effect. `apply = update`, the default, multiplies Adam's
//! step.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `alpha` | 1 | power of the variances; 0 for equal factors | >= 0 |
//! | `bias` | 1 | weight of the modalities' own losses | >= 0; searched in 0.01 to 1 |
//! | `apply` | `update` | what `k^m` multiplies | `grad`, `update` |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::losses::{bpr, number};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::update::{Apply, Owner, Update};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, ranges};
use serde::{Deserialize, Serialize};

/// Least variance.
pub const LEAST: f64 = 1e-6;

/// Settings of `arl`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Power of the variances.
    pub alpha: f64,
    /// Weight of the modalities' own losses.
    pub bias: f64,
    /// What the factors multiply.
    pub apply: Apply,
}

impl Default for Config {
    fn default() -> Self {
        Config { alpha: 1.0, bias: 1.0, apply: Apply::Update }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "arl";
    const SOURCE: &'static str = "after Wei, Luo & Luo, ICCV 2025";
    const SUMMARY: &'static str =
        "modalities learn in the inverse ratio of the variances of their predictions";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: a modality whose predictions are sure learns faster, \
                one whose predictions vary learns more slowly.",
        weight: Quantity {
            symbol: "k",
            word: "factor",
            title: "Factor of its step",
            meaning: "What the step of the modality's parameters is multiplied by",
        },
        ratio: Some(Quantity {
            symbol: "v",
            word: "variance",
            title: "Variance",
            meaning: "Mean variance of the modality's predictions of an order",
        }),
        effect: None,
    };

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("alpha", self.alpha)?;
        ranges::not_negative("bias", self.bias)
    }

    fn without_effect() -> Option<Config> {
        Some(Config { alpha: 0.0, bias: 0.0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(AsymmetricLearning::new(*self, setup.modalities))
    }
}

/// See the [module documentation](self).
pub struct AsymmetricLearning {
    config: Config,
    /// `k^m` of the current step.
    factors: Vec<f64>,
}

/// `v^m`, equation (1).
pub fn variance(margins: &[f32]) -> f64 {
    let of = |&x: &f32| {
        let p = 1.0 / (1.0 + (-f64::from(x)).exp());
        p * (1.0 - p)
    };
    (margins.iter().map(of).sum::<f64>() / margins.len().max(1) as f64).max(LEAST)
}

/// `k^m` of each modality, equation (2), from its `v^m`.
pub fn factors(variances: &[f64], alpha: f64) -> Vec<f64> {
    let least = variances.iter().copied().fold(f64::INFINITY, f64::min);
    // Powers of ratios of at most 1 cannot overflow.
    let powers: Vec<f64> = variances.iter().map(|v| (least / v).powf(alpha)).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|p| powers.len() as f64 * p / total).collect()
}

impl AsymmetricLearning {
    /// A balancer before its first step.
    pub fn new(config: Config, modalities: usize) -> AsymmetricLearning {
        AsymmetricLearning { config, factors: vec![1.0; modalities] }
    }

    fn n(&self) -> usize {
        self.factors.len()
    }

    /// Whether modalities have losses of their own.
    fn ranks_each(&self) -> bool {
        self.config.bias != 0.0 && self.n() > 1
    }
}

impl Balancer for AsymmetricLearning {
    fn needs(&self) -> Needs {
        let n = self.n();
        let ablations = (0..n).map(|m| Ablation::only(m, n)).collect();
        Needs { ablations, own_groups: self.ranks_each(), ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let (n, margins) = (self.n(), step.bpr_margins);
        let variances: Vec<f64> = (0..n).map(|m| variance(&margins.values(Ablation::only(m, n)))).collect();
        self.factors = factors(&variances, self.config.alpha);
        let mut total: Option<Tensor<1>> = None;
        let mut modalities = Vec::new();
        for (m, &rho) in variances.iter().enumerate() {
            let mut seen =
                ModalityStep { weight: self.factors[m], rho: Some(rho), ..ModalityStep::default() };
            if self.ranks_each() {
                let own = bpr(margins.of(Ablation::only(m, n)));
                seen.specific = Some(number(&own));
                total = Some(total.into_iter().fold(own, |own, sum| sum + own));
            }
            modalities.push(seen);
        }
        StepLoss { loss: total.map(|sum| sum * self.config.bias), modalities, ..StepLoss::default() }
    }

    fn modulate(&mut self, update: &mut Update) {
        for (k, &owner) in update.groups.iter().enumerate() {
            if let Owner::Modality(m) = owner {
                self.config.apply.to(update, k, self.factors[m]);
            }
        }
    }
}
