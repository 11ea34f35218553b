//! What one channel is taught in a step: the losses that pull its margins towards its teacher's.
//!
//! ```text
//! L^k    = L_SD^k + lambda_g L_GD^k                                                               (14)
//! L_SD^k = mean over BPR triples of max(Dt^k - Ds^k, 0)                                           (11)
//! L_GD^k = mean over generic triples of the cross-entropy of sig(Ds^k / tau) with sig(Dt^k / tau) (12-13)
//! ```

use crate::balancer::StepMargins;
use crate::losses::{GenericLog, cross_entropy, hinge, kl, squared};
use crate::teacher::Teacher;
use burn::tensor::Tensor;
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};

/// The loss on the training triples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Specific {
    /// `max(Dt - Ds, 0)` (Eq. 11).
    #[default]
    Hinge,
    /// Bernoulli KL divergence at temperature `tau` (an ablation of the paper's Table 3).
    Kl,
    /// `(Dt - Ds)^2` (another).
    Mse,
}

/// How teachers teach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Teaching {
    /// Loss on training triples.
    pub(crate) specific: Specific,
    /// Logarithms of the generic loss.
    pub(crate) generic_log: GenericLog,
    /// Temperature of the generic loss.
    pub(crate) tau: f64,
}

impl Teaching {
    /// `L_SD^k` per triple.
    pub(crate) fn specific(&self, student: Tensor<1>, teacher: &[f32]) -> Tensor<1> {
        match self.specific {
            Specific::Hinge => hinge(student, teacher),
            Specific::Kl => kl(student, teacher, self.tau),
            Specific::Mse => squared(student, teacher),
        }
    }

    /// `L_GD^k`, shape `[1]`; `None` when the step has no generic triples.
    pub(crate) fn generic(
        &self,
        channel: Ablation,
        teacher: &Teacher,
        step: &StepMargins,
    ) -> Option<Tensor<1>> {
        let (triples, margins) = step.generic?;
        Some(self.ordered(margins.of(channel), &teacher.margins(triples)))
    }

    /// `L_GD^k` of margins on generic triples, shape `[1]`.
    pub(crate) fn ordered(&self, student: Tensor<1>, teacher: &[f32]) -> Tensor<1> {
        cross_entropy(student, teacher, self.tau, self.generic_log).mean()
    }
}
