//! CKD's configuration.

use crate::losses::GenericLog;
use crate::weights::{Denominator, Guard, Level, Shape, Sum, WeightMode, WeightSwitches};
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
/// | `weights` | `paper` | named combination of the switches below | `paper`, `released`, `uniform` |
/// | `sum` | by `weights` | what the weights sum to | `one`, `modalities` |
/// | `level` | by `weights` | where the ratio is taken | `batch`, `triple` |
/// | `denominator` | by `weights` | what the effect is compared with | `teacher`, `student` |
/// | `guard` | by `weights` | what keeps the ratio sane | `floored`, `raw` |
/// | `shape` | `complement` | how weights follow from ratios | `complement`, `inverse` |
/// | `smooth` | 0 | averaging of batch ratios across steps | \[0, 1) |
///
/// `paper` is `sum = one, level = batch, denominator = teacher, guard = floored`; `released` is `sum =
/// modalities, level = triple, denominator = student, guard = raw`. With `sum = one` the same `lambda_kd` means
/// half the distillation of `modalities` for two modalities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CkdConfig {
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

impl Default for CkdConfig {
    fn default() -> Self {
        CkdConfig {
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

impl CkdConfig {
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

    /// Checks every range.
    ///
    /// # Errors
    /// The first field out of range: its name, its value and what is expected.
    pub fn check(&self) -> Result<(), String> {
        let at_least_zero = |v: f64| v >= 0.0 && v.is_finite();
        let rules = [
            ("lambda_kd", self.lambda_kd, at_least_zero(self.lambda_kd), "0 or more"),
            ("lambda_g", self.lambda_g, at_least_zero(self.lambda_g), "0 or more"),
            ("tau", self.tau, self.tau > 0.0 && self.tau.is_finite(), "more than 0"),
            ("smooth", self.smooth, (0.0..1.0).contains(&self.smooth), "0 to below 1"),
            ("generic_triples", self.generic_triples as f64, self.generic_triples > 0, "1 or more"),
            ("generic_items", 0.0, self.generic_items != Some(0), "1 or more"),
        ];
        match rules.iter().find(|(_, _, ok, _)| !ok) {
            Some((name, value, _, expected)) => {
                Err(format!("balance.ckd.{name} = {value}: expected {expected}"))
            }
            None => Ok(()),
        }
    }
}
