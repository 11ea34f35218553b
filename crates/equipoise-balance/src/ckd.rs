//! Counterfactual knowledge distillation (ACM MM 2024).
//!
//! ```text
//! L      = L_BPR + lambda_kd sum_m lambda_m L^m (+ L_reg)                                        (19)
//! L^m    = L_SD^m + lambda_g L_GD^m                                                              (14)
//! L_SD^m = mean over BPR triples of max(Dt^m - Ds^m, 0)                                          (11)
//! L_GD^m = mean over generic triples of the cross-entropy of sig(Ds^m / tau) with sig(Dt^m / tau) (12-13)
//! ```
//! `Ds^m` is the student's margin with every modality but `m` silenced, `Dt^m` the margin of the teacher that
//! was trained with `m` alone. The weights `lambda_m` are in [`weights`](crate::weights).
//!
//! The paper writes (11) and (12) as sums over unbounded sets; as in the released code they are means here, so
//! that `lambda_kd` means the same for any batch size.

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
pub use crate::distillation::Specific;
use crate::distillation::Teaching;
use crate::entry::{BalancerSettings, Requirement, Setup};
use crate::losses::{GenericLog, constant, number};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity, TREATMENT_EFFECT};
use crate::robust::{RobustDistillation, Strength};
use crate::state::{BalancerState, StateError};
use crate::teacher::Teacher;
use crate::weights::{
    Denominator, Guard, Level, ModalityMargins, Shape, StepWeights, Sum, Weigher, WeightMode, WeightSwitches,
};
use burn::tensor::Tensor;
use equipoise_data::{FieldError, ranges};
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};

/// Every switch of CKD.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `lambda_kd` | 0.01 | weight of all distillation | >= 0; searched in 1e-3 to 0.5 |
/// | `lambda_g` | 5 | weight of the generic loss within it | >= 0; searched in 0.1 to 5 |
/// | `tau` | 0.1 | temperature of the generic loss | > 0 |
/// | `generic_triples` | 5000 | generic triples per step | >= 1 |
/// | `generic_items` | all | distinct items that one step's generic triples are drawn from, anew each step; fewer make a step cheaper | >= 1 |
/// | `specific` | `hinge` | loss on training triples | `hinge`, `kl`, `mse` |
/// | `generic_log` | `exact` | logarithms of the generic loss | `exact`, `released` |
/// | `weights` | `paper` | named combination of the switches below | `paper`, `released`, `uniform`, `robust` |
/// | `sum` | by `weights` | what the weights sum to: `printed` is Eq. (18) literally, one less than the number of modalities | `one`, `modalities`, `printed` |
/// | `level` | by `weights` | where the ratio is taken | `batch`, `triple` |
/// | `denominator` | by `weights` | what the effect is compared with | `teacher`, `student` |
/// | `guard` | by `weights` | what keeps the ratio sane; with `floored` a teacher whose mean margin is not positive teaches nothing | `floored`, `raw` |
/// | `shape` | `complement` | how weights follow from ratios | `complement`, `inverse` |
/// | `smooth` | 0 | averaging of batch ratios across steps | \[0, 1) |
///
/// `paper` is `sum = one, level = batch, denominator = teacher, guard = floored`; `released` is `sum =
/// modalities, level = triple, denominator = student, guard = raw`. With `sum = one` the same `lambda_kd` means
/// half the distillation of `modalities` for two modalities. `robust` teaches otherwise, by a sum of all teachers, two of ids
/// among them, and reads none of the switches below `weights`: see [`robust`](crate::robust).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of all distillation.
    pub lambda_kd: f64,
    /// Weight of the generic loss within it.
    pub lambda_g: f64,
    /// Temperature of the generic loss.
    pub tau: f64,
    /// Generic triples per step.
    pub generic_triples: usize,
    /// Distinct items that one step's generic triples are drawn from; the whole catalogue if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic_items: Option<usize>,
    /// Loss on training triples.
    pub specific: Specific,
    /// Logarithms of the generic loss.
    pub generic_log: GenericLog,
    /// Named combination of the weights' switches.
    pub weights: WeightMode,
    /// What the weights sum to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<Sum>,
    /// Where the ratio is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What the effect is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominator: Option<Denominator>,
    /// What keeps the ratio sane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// How weights follow from ratios.
    pub shape: Shape,
    /// Averaging of batch ratios across steps.
    pub smooth: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            lambda_kd: 0.01,
            lambda_g: 5.0,
            tau: 0.1,
            generic_triples: 5000,
            generic_items: None,
            specific: Specific::default(),
            generic_log: GenericLog::default(),
            weights: WeightMode::default(),
            sum: None,
            level: None,
            denominator: None,
            guard: None,
            shape: Shape::default(),
            smooth: 0.0,
        }
    }
}

impl Config {
    /// The weights' switches.
    pub fn switches(&self) -> WeightSwitches {
        WeightSwitches {
            mode: self.weights,
            sum: self.sum,
            level: self.level,
            denominator: self.denominator,
            guard: self.guard,
            shape: self.shape,
            smooth: self.smooth,
        }
    }

    /// Refuses switches that the weights do not read.
    fn check_switches(&self) -> Result<(), FieldError> {
        if self.weights != WeightMode::Robust {
            return Ok(());
        }
        let written = [
            ("sum", self.sum.is_some()),
            ("level", self.level.is_some()),
            ("denominator", self.denominator.is_some()),
            ("guard", self.guard.is_some()),
            ("shape", self.shape != Shape::default()),
            ("smooth", self.smooth != 0.0),
        ];
        match written.iter().find(|(_, is_written)| *is_written) {
            None => Ok(()),
            Some((switch, _)) => Err(FieldError::word("weights", "robust", "another value")
                .hint(format!("{switch} is set, which robust weights do not read; leave it out"))),
        }
    }

    fn teaching(&self) -> Teaching {
        Teaching { specific: self.specific, generic_log: self.generic_log, tau: self.tau }
    }

    fn strength(&self) -> Strength {
        Strength {
            lambda_kd: self.lambda_kd,
            lambda_g: self.lambda_g,
            generic_triples: self.generic_triples,
            generic_items: self.generic_items,
            teaching: self.teaching(),
        }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "ckd";
    const SOURCE: &'static str = "Modality-Balanced Learning for Multimedia Recommendation, ACM MM 2024";
    const SUMMARY: &'static str = "uni-modal teachers distil into the model, most where a modality changes the score least beside its teacher's margin";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: a modality of low utilisation receives a larger distillation weight.",
        weight: Quantity {
            symbol: "λ",
            word: "lambda",
            title: "Distillation weight",
            meaning: "Mean weight of each modality's distillation loss",
        },
        ratio: Some(Quantity {
            symbol: "ρ",
            word: "rho",
            title: "Utilisation",
            meaning: "Margin that the model draws from a modality, against its teacher's",
        }),
        effect: Some(TREATMENT_EFFECT),
    };

    fn requirement(&self) -> Requirement {
        match self.weights {
            WeightMode::Robust => Requirement::Channels,
            WeightMode::Paper | WeightMode::Released | WeightMode::Uniform => Requirement::Teachers,
        }
    }

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("lambda_kd", self.lambda_kd)?;
        ranges::not_negative("lambda_g", self.lambda_g)?;
        ranges::positive("tau", self.tau)?;
        ranges::below_one("smooth", self.smooth)?;
        ranges::at_least_one("generic_triples", self.generic_triples)?;
        self.check_switches()?;
        self.generic_items.map_or(Ok(()), |items| ranges::at_least_one("generic_items", items))
    }

    fn without_effect() -> Option<Config> {
        Some(Config { lambda_kd: 0.0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        match setup.channels {
            Some(channels) if self.weights == WeightMode::Robust => {
                Box::new(RobustDistillation::new(self.strength(), setup.teachers, channels))
            }
            _ => Box::new(Distillation::new(self.clone(), setup.teachers, setup.modalities)),
        }
    }
}

/// See the [module documentation](self).
pub struct Distillation {
    config: Config,
    teachers: Vec<Teacher>,
    weigher: Weigher,
}

impl Distillation {
    /// A balancer with one teacher per modality, in the data set's order.
    ///
    /// # Panics
    /// If there is not one teacher per modality: the trainer checks that.
    pub fn new(config: Config, teachers: Vec<Teacher>, n_modalities: usize) -> Distillation {
        assert_eq!(teachers.len(), n_modalities, "one teacher per modality");
        let weigher = Weigher::new(config.switches().resolve());
        Distillation { config, teachers, weigher }
    }

    fn only(&self, m: usize) -> Ablation {
        Ablation::only(m, self.teachers.len())
    }

    fn modality_margins(&self, step: &StepMargins) -> Vec<ModalityMargins> {
        let of = |(m, teacher): (usize, &Teacher)| ModalityMargins {
            only: step.bpr_margins.values(self.only(m)),
            without: step.bpr_margins.values(Ablation::without(m)),
            teacher: teacher.margins(step.bpr),
        };
        self.teachers.iter().enumerate().map(of).collect()
    }

    /// `lambda_m L^m`, or its per-triple form `mean_b w_b (h_b + lambda_g L_GD)`.
    fn weighted(
        &self,
        m: usize,
        specific: Tensor<1>,
        generic: Option<Tensor<1>>,
        w: &StepWeights,
    ) -> Tensor<1> {
        let specific = match &w.per_triple {
            Some(weights) => constant(&weights[m], &specific) * specific,
            None => specific * w.mean[m],
        };
        let generic = generic.map(|g| g * (self.config.lambda_g * w.mean[m]));
        generic.into_iter().fold(specific.mean(), |sum, g| sum + g)
    }
}

impl Balancer for Distillation {
    fn needs(&self) -> Needs {
        let n = self.teachers.len();
        let off = self.config.lambda_kd == 0.0;
        let generic = if off || self.config.lambda_g == 0.0 { 0 } else { self.config.generic_triples };
        let ablations = (0..n).flat_map(|m| [Ablation::only(m, n), Ablation::without(m)]).collect();
        let generic_items = self.config.generic_items;
        Needs { ablations, generic_triples: generic, generic_items, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let margins = self.modality_margins(step);
        let full = step.bpr_margins.values(Ablation::FULL);
        let weights = self.weigher.weigh(&full, &margins);
        let mut modalities: Vec<ModalityStep> = (0..margins.len()).map(|m| measured(m, &weights)).collect();
        if self.config.lambda_kd == 0.0 {
            return StepLoss { modalities, ..StepLoss::default() };
        }
        let mut total: Option<Tensor<1>> = None;
        for (m, seen) in modalities.iter_mut().enumerate() {
            let teaching = self.config.teaching();
            let specific = teaching.specific(step.bpr_margins.of(self.only(m)), &margins[m].teacher);
            let generic = teaching.generic(self.only(m), &self.teachers[m], step);
            seen.specific = Some(number(&specific.clone().mean()));
            seen.generic = generic.as_ref().map(number);
            let part = self.weighted(m, specific, generic, &weights);
            total = Some(total.into_iter().fold(part, |sum, t| t + sum));
        }
        StepLoss { loss: total.map(|t| t * self.config.lambda_kd), modalities, ..StepLoss::default() }
    }

    fn save_state(&self) -> BalancerState {
        let history = self.weigher.history().iter().flat_map(|&(effect, denominator)| [effect, denominator]);
        BalancerState::default().with("averages", history)
    }

    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        let history = state.get("averages").ok_or_else(|| StateError::Missing("averages".into()))?;
        let expected = if history.is_empty() { 0 } else { 2 * self.teachers.len() };
        let (pairs, _) = state.numbers("averages", expected)?.as_chunks::<2>();
        self.weigher.go_on(pairs.iter().map(|&[effect, denominator]| (effect, denominator)).collect());
        Ok(())
    }
}

fn measured(m: usize, w: &StepWeights) -> ModalityStep {
    ModalityStep {
        weight: w.mean[m],
        rho: Some(w.rho[m]),
        effect: Some(w.effect[m]),
        teacher_margin: Some(w.teacher_margin[m]),
        clamped: Some(w.clamped[m]),
        ..ModalityStep::default()
    }
}
