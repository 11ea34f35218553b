//! Gradient-guided distillation, G2D (Rakib & Bagavathi, ICCV 2025), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! c^m  = mean over the batch of sig(T_m)           how sure the uni-modal teacher of m is of the order     (1)
//! L    = L_BPR + strength sum_m mean KL( sig(T_m / tau) || sig(Ds^m / tau) )                              (2)
//! l    = 1 + floor( (epoch - 1) (n - 1) / hold )   in the first `hold` epochs, n from then on              (3)
//! k^m  = 1 if fewer than l modalities have a teacher that is less sure than m's, else 0                   (4)
//! g   <- k^m g                                     gradients of m's group                                 (5)
//! ```
//! `T_m` is the teacher's margin of a triple and `Ds^m` the model's with every modality but `m` silenced. Modalities are
//! prioritised one after the other: the weakest, whose teacher is least sure, learns alone first; the others join from weak to
//! strong, and in the end all learn together. With two modalities these are two phases, with one nothing is held back.
//!
//! # What is adapted
//! The paper classifies: (1) is there the probability of the right class and (2) has a term on logits, which margins stand for
//! here, and one on features. Features are left out: a balancer sees margins alone, and the spaces of a teacher and of the
//! model have nothing to do with each other in a ranking model whose users are learned too.
//!
//! A group that is held back rests: neither its gradient nor the momentum of the optimiser nor the penalty moves it. (A zero
//! gradient would leave Adam's momentum at work.) Shared parameters always learn.
//!
//! # Ids as a modality
//! `ids = true` lets id embeddings take part as one modality more, as in AB-Rec (Wu et al., KDD 2025), where ids are what learns
//! fastest. They have no teacher: their `c` is that of the model itself under the ids alone, and (2) has no term for them.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `strength` | 1 | weight of the distillation (2) | >= 0; searched in 0.1 to 10 |
//! | `tau` | 1 | temperature | > 0 |
//! | `hold` | 10 | epochs in which some modality is held back | >= 0 |
//! | `ids` | false | whether ids take part as a modality | |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Requirement, Setup};
use crate::heads::Heads;
use crate::losses::{kl, mean, number};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::state::{BalancerState, StateError};
use crate::teacher::Teacher;
use crate::update::{Owner, Update};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, ranges};
use serde::{Deserialize, Serialize};

/// Settings of `g2d`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of the distillation.
    pub strength: f64,
    /// Temperature.
    pub tau: f64,
    /// Epochs in which some modality is held back.
    pub hold: usize,
    /// Whether ids take part as a modality.
    pub ids: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { strength: 1.0, tau: 1.0, hold: 10, ids: false }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "g2d";
    const SOURCE: &'static str = "after Rakib & Bagavathi, ICCV 2025";
    const SUMMARY: &'static str =
        "uni-modal teachers, and modalities that learn one after the other, the weakest first";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: the modality whose teacher is least sure learns first, \
                the others are held back meanwhile.",
        weight: Quantity {
            symbol: "k",
            word: "learns",
            title: "Share of steps that it learns in",
            meaning: "Share of steps in which the modality's parameters are not held back",
        },
        ratio: Some(Quantity {
            symbol: "c",
            word: "sure",
            title: "Confidence of its teacher",
            meaning: "Mean probability that the modality's teacher gives to the observed order",
        }),
        effect: None,
    };

    fn requirement(&self) -> Requirement {
        Requirement::Teachers
    }

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("strength", self.strength)?;
        ranges::positive("tau", self.tau)
    }

    fn without_effect() -> Option<Config> {
        Some(Config { strength: 0.0, hold: 0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(GuidedDistillation::new(*self, setup.teachers))
    }
}

/// See the [module documentation](self).
pub struct GuidedDistillation {
    config: Config,
    teachers: Vec<Teacher>,
    epoch: usize,
    /// `k` of the current step: modalities, then the ids where they take part.
    learn: Vec<bool>,
}

/// `l` of equation (3): how many of `n` participants learn in an epoch, counted from 1.
pub fn learners(epoch: usize, n: usize, hold: usize) -> usize {
    if epoch > hold { n } else { 1 + (epoch - 1) * (n - 1) / hold }
}

/// `k` of equation (4) from `c`: those with fewer than `learners` others that are less sure.
pub fn learn(confidence: &[f64], learners: usize) -> Vec<bool> {
    let weaker = |c: f64| confidence.iter().filter(|&&other| other < c).count();
    confidence.iter().map(|&c| weaker(c) < learners).collect()
}

/// `c` of equation (1), from margins.
pub fn confidence(margins: &[f32]) -> f64 {
    let sum: f64 = margins.iter().map(|&t| 1.0 / (1.0 + (-f64::from(t)).exp())).sum();
    sum / margins.len().max(1) as f64
}

impl GuidedDistillation {
    /// A balancer before its first epoch, with one teacher for each modality.
    pub fn new(config: Config, teachers: Vec<Teacher>) -> GuidedDistillation {
        let participants = teachers.len() + usize::from(config.ids);
        GuidedDistillation { config, teachers, epoch: 1, learn: vec![true; participants] }
    }

    fn n(&self) -> usize {
        self.teachers.len()
    }

    fn only(&self, m: usize) -> Ablation {
        Ablation::only(m, self.n())
    }

    fn held(&self, owner: Owner) -> bool {
        match owner {
            Owner::Modality(m) => !self.learn[m],
            Owner::Ids => self.config.ids && !self.learn[self.n()],
            Owner::Shared => false,
        }
    }
}

impl Balancer for GuidedDistillation {
    fn needs(&self) -> Needs {
        let n = self.n();
        let mut ablations = Vec::new();
        if self.config.strength != 0.0 {
            ablations.extend((0..n).map(|m| self.only(m)));
        }
        if self.config.ids {
            ablations.push(Ablation::ids_only(n));
        }
        Needs { ablations, ..Needs::default() }
    }

    fn begin_epoch(&mut self, epoch: usize, _heads: &mut dyn Heads) {
        self.epoch = epoch;
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let (n, Config { strength, tau, hold, ids }) = (self.n(), self.config);
        let taught: Vec<Vec<f32>> = self.teachers.iter().map(|teacher| teacher.margins(step.bpr)).collect();
        let mut sure: Vec<f64> = taught.iter().map(|margins| confidence(margins)).collect();
        if ids {
            sure.push(confidence(&step.bpr_margins.values(Ablation::ids_only(n))));
        }
        self.learn = learn(&sure, learners(self.epoch, sure.len(), hold));
        let mut total: Option<Tensor<1>> = None;
        let mut modalities = Vec::new();
        for (m, margins) in taught.iter().enumerate() {
            let part = (strength != 0.0).then(|| kl(step.bpr_margins.of(self.only(m)), margins, tau).mean());
            modalities.push(ModalityStep {
                weight: f64::from(u8::from(self.learn[m])),
                rho: Some(sure[m]),
                teacher_margin: Some(mean(margins)),
                specific: part.as_ref().map(number),
                ..ModalityStep::default()
            });
            total = match (total, part) {
                (Some(sum), Some(part)) => Some(sum + part),
                (sum, part) => sum.or(part),
            };
        }
        let of_ids = |(&rho, &learns): (&f64, &bool)| ModalityStep {
            weight: f64::from(u8::from(learns)),
            rho: Some(rho),
            ..ModalityStep::default()
        };
        let ids = sure.iter().zip(&self.learn).nth(n).map(of_ids);
        StepLoss { loss: total.map(|sum| sum * strength), modalities, ids }
    }

    fn modulate(&mut self, update: &mut Update) {
        for (k, &owner) in update.groups.iter().enumerate() {
            if self.held(owner) {
                update.gradients[k] = None;
            }
        }
    }

    fn save_state(&self) -> BalancerState {
        // Who learns is decided in the step at work, before it is read.
        BalancerState::default().with("epoch", [self.epoch as f64])
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        self.epoch = state.number("epoch")? as usize;
        Ok(())
    }
}
