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

mod config;

pub use config::{CkdConfig, CkdConfig as Config, Specific};

use crate::balancer::{Balancer, ModalityStep, Needs, StepLoss, StepMargins};
use crate::losses::{constant, cross_entropy, hinge, kl, number, squared};
use crate::registry::{BalancerEntry, Requirement};
use crate::teacher::Teacher;
use crate::weights::{ModalityMargins, StepWeights, Weigher};
use burn::tensor::Tensor;
use equipoise_models::Ablation;

/// The registry's entry.
pub const ENTRY: BalancerEntry = BalancerEntry {
    name: "ckd",
    source: "Modality-Balanced Learning for Multimedia Recommendation, ACM MM 2024",
    summary: "uni-modal teachers distil into the model, most where a modality is used least",
    requirement: |_| Requirement::Teachers,
    check: |config, _| config.ckd.check(),
    build: |config, setup| Box::new(Ckd::new(config.ckd.clone(), setup.teachers, setup.modalities)),
};

/// See the [module documentation](self).
pub struct Ckd {
    config: CkdConfig,
    teachers: Vec<Teacher>,
    weigher: Weigher,
}

impl Ckd {
    /// A balancer with one teacher per modality, in the data set's order.
    ///
    /// # Panics
    /// If there is not one teacher per modality: the trainer checks that.
    pub fn new(config: CkdConfig, teachers: Vec<Teacher>, n_modalities: usize) -> Ckd {
        assert_eq!(teachers.len(), n_modalities, "one teacher per modality");
        let weigher = Weigher::new(config.switches().resolve());
        Ckd { config, teachers, weigher }
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

    /// `L_SD^m` per triple.
    fn specific(&self, student: Tensor<1>, teacher: &[f32]) -> Tensor<1> {
        match self.config.specific {
            Specific::Hinge => hinge(student, teacher),
            Specific::Kl => kl(student, teacher, self.config.tau),
            Specific::Mse => squared(student, teacher),
        }
    }

    /// `L_GD^m`, shape `[1]`; `None` when the step has no generic triples.
    fn generic(&self, m: usize, step: &StepMargins) -> Option<Tensor<1>> {
        let (triples, margins) = step.generic?;
        let teacher = self.teachers[m].margins(triples);
        let student = margins.of(self.only(m));
        Some(cross_entropy(student, &teacher, self.config.tau, self.config.generic_log).mean())
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

impl Balancer for Ckd {
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
            return StepLoss { loss: None, modalities };
        }
        let mut total: Option<Tensor<1>> = None;
        for (m, seen) in modalities.iter_mut().enumerate() {
            let specific = self.specific(step.bpr_margins.of(self.only(m)), &margins[m].teacher);
            let generic = self.generic(m, step);
            seen.specific = number(&specific.clone().mean());
            seen.generic = generic.as_ref().map_or(0.0, number);
            let part = self.weighted(m, specific, generic, &weights);
            total = Some(total.into_iter().fold(part, |sum, t| t + sum));
        }
        StepLoss { loss: total.map(|t| t * self.config.lambda_kd), modalities }
    }
}

fn measured(m: usize, w: &StepWeights) -> ModalityStep {
    ModalityStep {
        weight: w.mean[m],
        rho: w.rho[m],
        effect: w.effect[m],
        teacher_margin: w.teacher_margin[m],
        clamped: w.clamped[m],
        ..ModalityStep::default()
    }
}
