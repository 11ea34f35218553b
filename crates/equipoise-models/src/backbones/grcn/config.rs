//! Settings of GRCN and their ranges; see the [module documentation](super).

use crate::ranges;
use serde::{Deserialize, Serialize};

/// Whether users hear their items before edges are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// Items speak to users `n_route` times.
    #[default]
    Paper,
    /// They do not, as in the public code.
    Released,
}

/// How the modalities' judgements of an edge become its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightMode {
    /// `max_m alpha^m c_m`, with the sender's confidences.
    #[default]
    Confid,
    /// `max_m alpha^m`.
    Max,
    /// `(1/n) sum_m alpha^m`.
    Mean,
}

/// Initial confidences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Xavier normal: small, of both signs.
    #[default]
    Xavier,
    /// 1 everywhere.
    One,
}

/// How blocks make the final rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Side by side.
    #[default]
    Concat,
    /// The ids' block alone.
    Id,
    /// Their mean.
    Mean,
}

/// Settings; the module documentation has the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether users hear their items before edges are judged.
    pub routing: Routing,
    /// How often.
    pub n_route: usize,
    /// How the modalities' judgements of an edge become its weight.
    pub weight_mode: WeightMode,
    /// Initial confidences.
    pub confidence: Confidence,
    /// Whether negative weights become 0.
    pub prune: bool,
    /// How blocks make the final rows.
    pub fusion: Fusion,
    /// Layers of the ids' branch.
    pub layers: usize,
    /// Share of that branch's edges left out in training.
    pub dropout: f64,
    /// Weight of the published penalty.
    pub reg_inputs: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            routing: Routing::Paper,
            n_route: 3,
            weight_mode: WeightMode::Confid,
            confidence: Confidence::Xavier,
            prune: false,
            fusion: Fusion::Concat,
            layers: 2,
            dropout: 0.0,
            reg_inputs: 0.0,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::layers("n_route", self.n_route)?;
        ranges::layers("layers", self.layers)?;
        ranges::rate("dropout", self.dropout)?;
        ranges::not_negative("reg_inputs", self.reg_inputs)
    }
}
