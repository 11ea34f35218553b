//! Weights that teach a channel what it lacks, and nothing where nothing is lacking (`weights = robust`).
//!
//! # Channels
//! The channels `k` of a model are its ids (everything silenced) and one for each modality (everything but `m` silenced). Each has a
//! teacher: the same backbone trained under that ablation alone. `Ds^0`, `Ds^m`, `Ds^-m`, `Ds` are the student's margins of the ids, of
//! channel `m`, without `m` and whole; `Dt^k` those of teacher `k`, `Dt^m,0` those of teacher `m` with `m` silenced;
//! `l(x) = ln(1 + e^-x)`; means are over the triples of a step, and everything is detached.
//! ```text
//! gamma_m  = 1/2 mean[l(Ds^0) - l(Ds^m)] + 1/2 mean[l(Ds^-m) - l(Ds)]   what the student gains by m, first in and last in (1)
//! tau_m    = mean[l(Dt^m,0) - l(Dt^m)]                                  what its teacher gains by m                       (2)
//! gamma_0  = ln 2 - mean l(Ds^0),    tau_0 = ln 2 - mean l(Dt^0)        the same of the ids                               (3)
//! r_k      = S(tau_k, se(tau_k)),    u_k = clip(gamma_k / tau_k, 0, 1)  reliability and utilisation                       (4)
//! f_k     <- 1/2 f_k + 1/2 clip((M(teacher k) - M(channel k)) / (0.1 M(teacher k)), 0, 1)   at each evaluation           (5)
//! lambda_k = G_k f_k r_k (1 - u_k)                                      in [0, 1]                                         (6)
//! S(x, e)  = 1 - (2 e / x)^2 where that and x are positive, else 0                                                        (7)
//! ```
//! `gamma` and `tau` are exponential averages over steps with decay 0.95; `se(tau)` is the standard error of that average.
//! The gates `G_k` are measured once, on validation, before training; [`ChannelSetup`] says from what. `M` is the metric that
//! selects models. `f` begins at 1.
//!
//! Equation (17) of the paper compares what content adds to a margin with a teacher's whole margin, ids included: a modality
//! that says nothing has a ratio near 0 and is taught most, and what its teacher teaches is ids. Here like is compared with like, the ids
//! are a channel with a teacher of their own, and weights need not sum to anything: a modality that says nothing gets 0, teaching ends
//! when channels are as good as their teachers, and with every gate shut the training is that of the plain model, draw for draw.

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::distillation::Teaching;
use crate::losses::{bpr_of, mean, mean_bpr, number};
use crate::modality_step::ModalityStep;
use crate::state::{BalancerState, StateError};
use crate::teacher::Teacher;
use burn::tensor::Tensor;
use equipoise_models::Ablation;
use std::f64::consts::LN_2;

/// Decay of the averages over steps.
pub const DECAY: f64 = 0.95;
/// The share of a teacher's metric within which its channel is near enough to be left alone in proportion.
pub const NEAR: f64 = 0.1;

/// What is measured before training: the ids first, then each modality in the data set's order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// How far teaching is open, 0 to 1.
    pub gate: f64,
    /// `M(teacher k)`, the metric that selects models, on the users of validation that are not used for selection.
    pub goal: f64,
}

/// What robust weights start from beside the teachers of the modalities.
#[derive(Clone, Debug)]
pub struct ChannelSetup {
    /// The teacher that was trained on ids alone.
    pub ids: Teacher,
    /// The teacher of each modality, with that modality silenced.
    pub silenced: Vec<Teacher>,
    /// The gates, of the ids first.
    pub gates: Vec<Gate>,
}

/// `1 - (2 se / x)^2` where that and `x` are positive, else 0: 0 within two standard errors of 0, towards 1 beyond (7).
///
/// # Examples
/// ```
/// use equipoise_balance::robust::shrunken;
/// assert_eq!((shrunken(2.0, 0.0), shrunken(2.0, 1.0), shrunken(-2.0, 0.1)), (1.0, 0.0, 0.0));
/// assert_eq!(shrunken(4.0, 1.0), 0.75);
/// ```
pub fn shrunken(x: f64, se: f64) -> f64 {
    if x <= 0.0 || x.is_nan() || se.is_nan() { 0.0 } else { (1.0 - (2.0 * se / x).powi(2)).max(0.0) }
}

/// An exponential average, with the variance of the average of `tau`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Average {
    gamma: f64,
    tau: f64,
    variance: f64,
}

/// What one step says of a channel: `gamma`, `tau`, and the squared standard error of this step's `tau`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelGain {
    /// What the student gains by the channel, in nats.
    pub gamma: f64,
    /// What its teacher gains.
    pub tau: f64,
    /// Squared standard error of `tau` over the triples of the step.
    pub variance: f64,
}

/// Margins on the BPR triples of a step, by channel where there are several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelMargins {
    /// The student's, whole: `Ds`.
    pub full: Vec<f32>,
    /// With everything silenced: `Ds^0`.
    pub ids: Vec<f32>,
    /// With each modality alone: `Ds^m`.
    pub only: Vec<Vec<f32>>,
    /// Without each modality: `Ds^-m`.
    pub without: Vec<Vec<f32>>,
    /// The teachers': of the ids first, `Dt^k`.
    pub teachers: Vec<Vec<f32>>,
    /// Those of each modality's teacher with the modality silenced: `Dt^m,0`.
    pub silenced: Vec<Vec<f32>>,
}

impl ChannelMargins {
    /// What the step says of each channel (1-3), ids first.
    pub fn observed(&self) -> Vec<ChannelGain> {
        let (full, ids) = (mean_bpr(&self.full), mean_bpr(&self.ids));
        let (tau, variance) = gain(None, &self.teachers[0]);
        let mut seen = vec![ChannelGain { gamma: LN_2 - ids, tau, variance }];
        for (m, silenced) in self.silenced.iter().enumerate() {
            let (only, without) = (mean_bpr(&self.only[m]), mean_bpr(&self.without[m]));
            let gamma = 0.5 * (ids - only) + 0.5 * (without - full);
            let (tau, variance) = gain(Some(silenced), &self.teachers[m + 1]);
            seen.push(ChannelGain { gamma, tau, variance });
        }
        seen
    }
}

/// The weights of the channels, ids first.
#[derive(Clone, Debug)]
pub struct RobustWeigher {
    gates: Vec<Gate>,
    fade: Vec<f64>,
    averages: Vec<Average>,
}

/// The weight of a channel in a step and what it follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChannelWeight {
    /// `lambda_k` (6).
    pub weight: f64,
    /// `u_k` (4).
    pub utilisation: f64,
    /// Average `gamma_k`.
    pub gamma: f64,
}

impl RobustWeigher {
    /// Before the first step.
    pub fn new(gates: Vec<Gate>) -> RobustWeigher {
        let fade = vec![1.0; gates.len()];
        RobustWeigher { gates, fade, averages: Vec::new() }
    }

    /// Whether there is anything to be taught.
    pub fn is_open(&self) -> bool {
        self.gates.iter().any(|gate| gate.gate > 0.0)
    }

    /// The weights after another step (1-4, 6).
    pub fn weigh(&mut self, step: &[ChannelGain]) -> Vec<ChannelWeight> {
        if self.averages.is_empty() {
            let first = |o: &ChannelGain| Average { gamma: o.gamma, tau: o.tau, variance: o.variance };
            self.averages = step.iter().map(first).collect();
        } else {
            self.averages.iter_mut().zip(step).for_each(|(average, step)| average.take(step));
        }
        let channels = self.averages.iter().zip(&self.gates).zip(&self.fade);
        channels.map(|((average, gate), fade)| average.weight(gate.gate * fade)).collect()
    }

    /// How much teaching is left of each channel, `f_k` (5).
    pub fn fade(&self) -> &[f64] {
        &self.fade
    }

    /// Takes the metric of each channel in an evaluation (5).
    pub fn evaluated(&mut self, channels: &[f64]) {
        for ((fade, gate), &channel) in self.fade.iter_mut().zip(&self.gates).zip(channels) {
            let lack = (gate.goal - channel) / (NEAR * gate.goal);
            // Without a goal there is nothing to reach.
            let lack = if lack.is_nan() { 0.0 } else { lack.clamp(0.0, 1.0) };
            *fade = 0.5 * *fade + 0.5 * lack;
        }
    }
}

impl Average {
    /// The average after another step. Steps are independent, so variances add up.
    fn take(&mut self, step: &ChannelGain) {
        let blend = |old: f64, new: f64| DECAY * old + (1.0 - DECAY) * new;
        self.gamma = blend(self.gamma, step.gamma);
        self.tau = blend(self.tau, step.tau);
        self.variance = DECAY.powi(2) * self.variance + (1.0 - DECAY).powi(2) * step.variance;
    }

    fn weight(&self, open: f64) -> ChannelWeight {
        let reliable = shrunken(self.tau, self.variance.sqrt());
        let utilisation = if self.tau > 0.0 { (self.gamma / self.tau).clamp(0.0, 1.0) } else { 1.0 };
        let weight = open * reliable * (1.0 - utilisation);
        ChannelWeight { weight, utilisation, gamma: self.gamma }
    }
}

/// Distillation from teachers of ids and modalities with robust weights:
/// `L = L_BPR + lambda_kd sum_k lambda_k L^k`, `L^k` as of [`ckd`](crate::ckd).
pub struct RobustDistillation {
    lambda_kd: f64,
    lambda_g: f64,
    generic_triples: usize,
    generic_items: Option<usize>,
    teaching: Teaching,
    teachers: Vec<Teacher>,
    silenced: Vec<Teacher>,
    weigher: RobustWeigher,
}

/// The settings of the losses.
pub(crate) struct Strength {
    pub(crate) lambda_kd: f64,
    pub(crate) lambda_g: f64,
    pub(crate) generic_triples: usize,
    pub(crate) generic_items: Option<usize>,
    pub(crate) teaching: Teaching,
}

impl RobustDistillation {
    /// A balancer with one teacher per modality, in the data set's order, and what was measured before.
    ///
    /// # Panics
    /// If there is not one teacher per modality, with itself silenced, and one gate more: the trainer checks that.
    pub(crate) fn new(
        strength: Strength,
        modalities: Vec<Teacher>,
        setup: ChannelSetup,
    ) -> RobustDistillation {
        let n = modalities.len();
        assert_eq!(
            (setup.silenced.len(), setup.gates.len()),
            (n, n + 1),
            "one channel per modality, and the ids"
        );
        let Strength { lambda_kd, lambda_g, generic_triples, generic_items, teaching } = strength;
        RobustDistillation {
            lambda_kd,
            lambda_g,
            generic_triples,
            generic_items,
            teaching,
            teachers: [setup.ids].into_iter().chain(modalities).collect(),
            silenced: setup.silenced,
            weigher: RobustWeigher::new(setup.gates),
        }
    }

    /// Number of modalities.
    fn n(&self) -> usize {
        self.silenced.len()
    }

    /// The ids, then each modality.
    fn channels(&self) -> Vec<Ablation> {
        let n = self.n();
        [Ablation::ids_only(n)].into_iter().chain((0..n).map(|m| Ablation::only(m, n))).collect()
    }

    fn is_open(&self) -> bool {
        self.lambda_kd > 0.0 && self.weigher.is_open()
    }

    /// The margins of a step.
    fn margins(&self, step: &StepMargins) -> ChannelMargins {
        let n = self.n();
        let student = |ablation| step.bpr_margins.values(ablation);
        ChannelMargins {
            full: student(Ablation::FULL),
            ids: student(Ablation::ids_only(n)),
            only: (0..n).map(|m| student(Ablation::only(m, n))).collect(),
            without: (0..n).map(|m| student(Ablation::without(m))).collect(),
            teachers: self.teachers.iter().map(|t| t.margins(step.bpr)).collect(),
            silenced: self.silenced.iter().map(|t| t.margins(step.bpr)).collect(),
        }
    }

    /// `lambda_k L^k` of a channel, with its numbers.
    fn taught(
        &self,
        k: usize,
        weight: &ChannelWeight,
        teacher: &[f32],
        step: &StepMargins,
    ) -> (Tensor<1>, ModalityStep) {
        let channel = self.channels()[k];
        let specific = self.teaching.specific(step.bpr_margins.of(channel), teacher).mean();
        let generic = self.teaching.generic(channel, &self.teachers[k], step);
        let seen = ModalityStep {
            specific: Some(number(&specific)),
            generic: generic.as_ref().map(number),
            ..measured(weight, teacher)
        };
        let loss = generic.into_iter().fold(specific, |sum, g| sum + g * self.lambda_g) * weight.weight;
        (loss, seen)
    }
}

/// Mean and squared standard error of what a teacher gains over another, or over not knowing anything, in nats.
fn gain(without: Option<&[f32]>, with: &[f32]) -> (f64, f64) {
    let of = |b: usize| without.map_or(LN_2, |without| bpr_of(without[b])) - bpr_of(with[b]);
    let count = with.len().max(1) as f64;
    let mean = (0..with.len()).map(of).sum::<f64>() / count;
    let squares = (0..with.len()).map(|b| (of(b) - mean).powi(2)).sum::<f64>();
    (mean, squares / (count - 1.0).max(1.0) / count)
}

fn measured(weight: &ChannelWeight, teacher: &[f32]) -> ModalityStep {
    ModalityStep {
        weight: weight.weight,
        rho: Some(weight.utilisation),
        effect: Some(weight.gamma),
        teacher_margin: Some(mean(teacher)),
        ..ModalityStep::default()
    }
}

impl Balancer for RobustDistillation {
    fn needs(&self) -> Needs {
        if !self.is_open() {
            return Needs::default();
        }
        let generic_triples = if self.lambda_g == 0.0 { 0 } else { self.generic_triples };
        let without = (0..self.n()).map(Ablation::without);
        Needs {
            ablations: self.channels().into_iter().chain(without).collect(),
            generic_triples,
            generic_items: self.generic_items,
            measured: self.channels(),
            ..Needs::default()
        }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        if !self.is_open() {
            return StepLoss::default();
        }
        let margins = self.margins(step);
        let weights = self.weigher.weigh(&margins.observed());
        let (mut total, mut seen) = (None::<Tensor<1>>, Vec::new());
        for (k, (weight, teacher)) in weights.iter().zip(&margins.teachers).enumerate() {
            if self.weigher.gates[k].gate == 0.0 {
                seen.push(measured(weight, teacher));
                continue;
            }
            let (loss, numbers) = self.taught(k, weight, teacher, step);
            seen.push(numbers);
            total = Some(total.into_iter().fold(loss, |sum, t| t + sum));
        }
        let ids = Some(seen.remove(0));
        StepLoss { loss: total.map(|t| t * self.lambda_kd), modalities: seen, ids }
    }

    fn evaluated(&mut self, measured: &[f64]) {
        self.weigher.evaluated(measured);
    }

    fn save_state(&self) -> BalancerState {
        let averages = self.weigher.averages.iter().flat_map(|a| [a.gamma, a.tau, a.variance]);
        BalancerState::default().with("averages", averages).with("fade", self.weigher.fade.iter().copied())
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        let channels = self.n() + 1;
        let averages = state.get("averages").ok_or_else(|| StateError::Missing("averages".into()))?;
        let expected = if averages.is_empty() { 0 } else { 3 * channels };
        let (triples, _) = state.numbers("averages", expected)?.as_chunks::<3>();
        let of = |&[gamma, tau, variance]: &[f64; 3]| Average { gamma, tau, variance };
        self.weigher.averages = triples.iter().map(of).collect();
        self.weigher.fade = state.numbers("fade", channels)?.to_vec();
        Ok(())
    }
}
