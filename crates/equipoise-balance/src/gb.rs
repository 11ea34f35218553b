//! Gradient blending (Wang, Tran & Feiszli, CVPR 2020), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! L    = sum_m w_m L_m + w_joint L_BPR (+ L_reg, see below)                   w >= 0, sum w = 1         (1)
//! L_m  = mean over BPR triples of sp(-Ds^m)          Ds^m: margin with every modality but m silenced    (2)
//! O    = L^V - L^T                                   validation loss less train loss of a head          (3)
//! dG   = L^V_before - L^V_after                      what a head gains on pairs it was not shown        (4)
//! dO   = O_after - O_before                          how much it overfits meanwhile                     (5)
//! w   ~ max( max(dG, 0) / max(dO^2, 1e-8), 1e-8 )    normalised to sum 1                                (6)
//! ```
//! A head is the channel of one modality, or the whole model. (6) is the least ratio of overfitting to
//! generalisation, squared, when heads overfit in unrelated directions; its guards make weights equal where no head
//! gains anything.
//!
//! # What is adapted
//! The paper puts a classifier on each modality's network; here a head is the model's own prediction under an
//! ablation, so there is no new parameter. A head *trained alone* is then the uni-modal teacher of that modality,
//! and the whole model trained alone is the plain model.
//!
//! * `offline`: weights are computed once, from each teacher and the plain model before and after their training.
//! * `online`: every `every` epochs, from copies of the current model whose heads are trained alone for `every`
//!   epochs (`estimate = alone`, the paper), or from the heads of the model in training itself over the last
//!   `every` epochs (`running`: nothing else is trained, an approximation; weights are equal until then).
//!
//! `L^T` and `L^V` are BPR losses on fixed triples, the same for every head: as many train pairs as validation
//! pairs, negatives that are neither train nor validation items of the user (train items for `L^T`).
//!
//! In the paper each modality's loss reaches its own network only. Where modalities meet before the score, a head's
//! loss would reach the other modalities' parameters as well; with `updates = own` it moves its own group and the
//! shared parameters alone, at the cost of one more pass for each head. Where the score is a sum over modalities
//! both are the same.
//!
//! The parameters of `m` are reached by `L_m` and the joint loss only, which is `w_m + w_joint` of a ranking loss: their gradient of
//! `L_reg` is multiplied by that. With all of it, a modality of little weight would be penalised away. Ids and shared parameters are reached
//! by every loss and keep the whole penalty, as do all parameters where every loss reaches them (`updates = all`, modalities that meet
//! before the score).
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `schedule` | `offline` | when weights are computed | `offline`, `online` |
//! | `every` | 5 | epochs between weights, `online` | >= 1 |
//! | `estimate` | `alone` | whose losses they come from, `online` | `alone`, `running` |
//! | `updates` | `own` | which parameters a modality's loss moves | `own`, `all` |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Requirement, Setup};
use crate::heads::{HeadLosses, Heads, Losses};
use crate::losses::{bpr, number};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::state::{BalancerState, StateError};
use crate::update::Owner;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, AblationEffect, ranges};
use serde::{Deserialize, Serialize};

/// When weights are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Once, before training.
    #[default]
    Offline,
    /// Again and again during training.
    Online,
}

/// Whose losses online weights come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// Copies of the current model, each head trained alone.
    #[default]
    Alone,
    /// The model in training itself.
    Running,
}

/// Which parameters a modality's loss moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Updates {
    /// Its own group and the shared ones.
    #[default]
    Own,
    /// All that it reaches.
    All,
}

/// Settings of `gb`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// When weights are computed.
    pub schedule: Schedule,
    /// Epochs between weights.
    pub every: usize,
    /// Whose losses online weights come from.
    pub estimate: Estimate,
    /// Which parameters a modality's loss moves.
    pub updates: Updates,
}

impl Default for Config {
    fn default() -> Self {
        let (schedule, estimate, updates) = Default::default();
        Config { schedule, every: 5, estimate, updates }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "gb";
    const SOURCE: &'static str = "after Wang, Tran & Feiszli, CVPR 2020";
    const SUMMARY: &'static str =
        "one loss per modality beside the joint one, weighted by how each gains and overfits";
    const REPLACES_RANKING: bool = true;
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer did: a modality that gains much and overfits little has a larger share of the loss.",
        weight: Quantity {
            symbol: "w",
            word: "weight",
            title: "Blending weight",
            meaning: "Weight of each modality's own loss; the rest is the whole model's",
        },
        ratio: None,
        effect: None,
    };

    fn requirement(&self) -> Requirement {
        match self.schedule {
            Schedule::Offline => Requirement::Heads,
            Schedule::Online => Requirement::Nothing,
        }
    }

    fn check(&self) -> Result<(), FieldError> {
        ranges::expect("every", self.every, self.every > 0, "1 or more")
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(GradientBlending::new(*self, setup.modalities, &setup.heads).on(setup.ablation_effect))
    }
}

/// See the [module documentation](self).
pub struct GradientBlending {
    config: Config,
    modalities: usize,
    /// Whether every loss reaches every parameter.
    reaches_all: bool,
    /// Of the modalities, then of the whole model.
    weights: Vec<f64>,
    /// The running model's heads when weights were last due.
    last: Option<Vec<Losses>>,
}

impl GradientBlending {
    /// A balancer with weights from `heads` (one entry per modality, then the plain model) if offline, with equal
    /// weights otherwise.
    ///
    /// # Panics
    /// If offline and there is not one head per modality and one more: the trainer measures them.
    pub fn new(config: Config, modalities: usize, heads: &[HeadLosses]) -> GradientBlending {
        let weights = match config.schedule {
            Schedule::Offline => {
                assert_eq!(heads.len(), modalities + 1, "one head per modality, and the plain model");
                blend(heads)
            }
            Schedule::Online => vec![1.0 / (modalities + 1) as f64; modalities + 1],
        };
        GradientBlending { config, modalities, reaches_all: false, weights, last: None }
    }

    /// The same for a backbone of that kind: where modalities meet before the score, `updates = all` lets every loss reach every parameter.
    #[must_use]
    pub fn on(self, effect: AblationEffect) -> GradientBlending {
        let reaches_all = self.config.updates == Updates::All && effect != AblationEffect::Additive;
        GradientBlending { reaches_all, ..self }
    }

    /// The current weights: one per modality, then the whole model's. They sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn only(&self, m: usize) -> Ablation {
        Ablation::only(m, self.modalities)
    }
}

fn pairs(before: &[Losses], after: &[Losses]) -> Vec<HeadLosses> {
    before.iter().zip(after).map(|(&before, &after)| HeadLosses { before, after }).collect()
}

impl Balancer for GradientBlending {
    fn needs(&self) -> Needs {
        let ablations = (0..self.modalities).map(|m| self.only(m)).collect();
        let own_groups = self.config.updates == Updates::Own;
        Needs { ablations, replaces_ranking: true, own_groups, ..Needs::default() }
    }

    fn begin_epoch(&mut self, epoch: usize, heads: &mut dyn Heads) {
        let due = self.config.schedule == Schedule::Online && (epoch - 1).is_multiple_of(self.config.every);
        if !due {
            return;
        }
        let now = heads.now();
        match self.config.estimate {
            Estimate::Alone => self.weights = blend(&pairs(&now, &heads.alone(self.config.every))),
            Estimate::Running => {
                if let Some(before) = &self.last {
                    self.weights = blend(&pairs(before, &now));
                }
                self.last = Some(now);
            }
        }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let margins = step.bpr_margins;
        let mut total = bpr(margins.of(Ablation::FULL)) * self.weights[self.modalities];
        let mut modalities = Vec::new();
        for (m, &weight) in self.weights[..self.modalities].iter().enumerate() {
            let loss = bpr(margins.of(self.only(m)));
            modalities.push(ModalityStep {
                weight,
                specific: Some(number(&loss)),
                ..ModalityStep::default()
            });
            total = total + loss * weight;
        }
        StepLoss { loss: Some(total), modalities, ..StepLoss::default() }
    }

    fn penalty_scales(&self, owners: &[Owner]) -> Option<Vec<f64>> {
        let joint = self.weights[self.modalities];
        let scale = |owner: &Owner| owner.modality().map_or(1.0, |m| self.weights[m] + joint);
        // A single modality is the whole model.
        (!self.reaches_all && self.modalities > 1).then(|| owners.iter().map(scale).collect())
    }

    fn save_state(&self) -> BalancerState {
        let state = BalancerState::default().with("weights", self.weights.iter().copied());
        let losses =
            |last: &Vec<Losses>| last.iter().flat_map(|l| [l.train, l.validation]).collect::<Vec<f64>>();
        match &self.last {
            Some(last) => state.with("last", losses(last)),
            None => state,
        }
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        let heads = self.modalities + 1;
        self.weights = state.numbers("weights", heads)?.to_vec();
        self.last = None;
        if state.get("last").is_some() {
            let (pairs, _) = state.numbers("last", 2 * heads)?.as_chunks::<2>();
            self.last = Some(pairs.iter().map(|&[train, validation]| Losses { train, validation }).collect());
        }
        Ok(())
    }
}

// Weights from how heads gain and overfit, equations (3) to (6) of the [module](super).

/// Least squared growth of the overfitting gap.
pub const LEAST_GAP: f64 = 1e-8;
/// Least weight before normalisation.
pub const LEAST_WEIGHT: f64 = 1e-8;

/// One weight per head: none negative, sum 1. A head that gained nothing, or whose losses are no numbers, has next
/// to none; if no head gained anything all are equal.
pub fn blend(heads: &[HeadLosses]) -> Vec<f64> {
    let raw: Vec<f64> = heads.iter().map(weight).collect();
    // Huge weights could add up to infinity; shares of the largest cannot.
    let largest = raw.iter().copied().fold(LEAST_WEIGHT, f64::max);
    let total: f64 = raw.iter().map(|w| w / largest).sum();
    raw.iter().map(|w| w / largest / total).collect()
}

fn weight(head: &HeadLosses) -> f64 {
    let gain = head.before.validation - head.after.validation;
    let gap = head.after.overfitting() - head.before.overfitting();
    let weight = gain.max(0.0) / (gap * gap).max(LEAST_GAP);
    if weight.is_finite() && !gap.is_nan() { weight.max(LEAST_WEIGHT) } else { LEAST_WEIGHT }
}
