//! What a balancer measures of a modality in a step.

use serde::{Deserialize, Serialize};

/// One modality's numbers in one step, or their means over several. What a balancer does not measure is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModalityStep {
    /// What the balancer gives the channel, its mean over triples where it varies: distillation weight `lambda_m`
    /// (`ckd`), weight of its head's loss (`gb`), factor of its gradient (`ogm`, `agm`, `arl`), whether it learns (`g2d`),
    /// weight of its own gradient (`mmpareto`), weight of its part of the
    /// margin (`cohesion`), share of triples in which it is penalised (`cml`).
    pub weight: f64,
    /// Ratio by which the balancer compares the modality, after its guard, its mean over triples where it varies:
    /// `rho^m` (`ckd`, `ogm`), `r^m` (`agm`), confidence of its teacher (`g2d`), variance (`arl`), cosine of
    /// gradients (`mmpareto`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// Average treatment effect `gamma^m` (`ckd`, `cohesion`, `cml`), mean response (`agm`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Mean teacher margin `T_m` on the BPR triples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher_margin: Option<f64>,
    /// Share of ratios that the guard clamped, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamped: Option<f64>,
    /// Specific loss `L_SD^m` (`ckd`), loss of its head `L_m` (`gb`), hinge `h^m` (`cml`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specific: Option<f64>,
    /// Generic loss `L_GD^m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<f64>,
}

impl ModalityStep {
    /// Adds `weight` times the numbers of another step: how means over steps are taken.
    pub fn add(&mut self, step: &ModalityStep, weight: f64) {
        self.weight += weight * step.weight;
        let parts = [
            (&mut self.rho, step.rho),
            (&mut self.effect, step.effect),
            (&mut self.teacher_margin, step.teacher_margin),
            (&mut self.clamped, step.clamped),
            (&mut self.specific, step.specific),
            (&mut self.generic, step.generic),
        ];
        for (sum, value) in parts {
            if let Some(value) = value {
                *sum = Some(sum.unwrap_or(0.0) + weight * value);
            }
        }
    }
}
