//! Settings of EgoGCN and their ranges; see the [module documentation](super).

use crate::ranges;
use serde::{Deserialize, Deserializer, Serialize};

/// Which messages are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modulation {
    /// Those of edges whose attention exceeds `theta`.
    #[default]
    Hard,
    /// All, through gates.
    Soft,
}

/// What the third layer of the ids' branch reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdLayers {
    /// The second.
    #[default]
    Intended,
    /// The first, as in the public code.
    Released,
}

/// How preferences get length 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefNorm {
    /// As part of the pass, differentiated like the rest.
    #[default]
    Differentiable,
    /// By projection, not differentiated, as in the public code.
    Project,
}

/// Settings; the module documentation has the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which messages are mixed.
    pub modulation: Modulation,
    /// Threshold under `hard`; null stands for the default.
    #[serde(deserialize_with = "number_or_default")]
    pub theta: f64,
    /// Whether attention is taken again over the mixed messages.
    pub reattention: bool,
    /// Steps of attention inside a channel after the mixing one.
    pub layers: usize,
    /// What the third layer of the ids' branch reads.
    pub id_layers: IdLayers,
    /// How preferences get length 1.
    pub pref_norm: PrefNorm,
    /// Weight of the published penalty.
    pub reg_inputs: f64,
}

const THETA: f64 = 0.1;

fn number_or_default<'de, D: Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or(THETA))
}

impl Default for Config {
    fn default() -> Self {
        Config {
            modulation: Modulation::Hard,
            theta: THETA,
            reattention: true,
            layers: 1,
            id_layers: IdLayers::Intended,
            pref_norm: PrefNorm::Differentiable,
            reg_inputs: 0.0,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::expect("theta", self.theta, (0.0..=1.0).contains(&self.theta), "0 to 1")?;
        ranges::layers("layers", self.layers)?;
        ranges::not_negative("reg_inputs", self.reg_inputs)
    }
}
