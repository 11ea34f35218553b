//! What a calibration of the weights of modalities found.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How weights were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The metric on validation, such as `recall@20`.
    pub metric: String,
    /// Its value for the model as it was trained.
    pub whole: f64,
    /// Its value for each channel: every other modality silenced.
    pub channels: BTreeMap<String, f64>,
    /// Its value with the weights found.
    pub calibrated: f64,
    /// The weights found.
    pub weights: BTreeMap<String, f64>,
    /// How many settings were tried.
    pub tried: usize,
}

impl Calibration {
    /// The best channel, if it is better than the whole model.
    pub fn better_channel(&self) -> Option<(&str, f64)> {
        let best = self.channels.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        (*best.1 > self.whole).then_some((best.0.as_str(), *best.1))
    }
}
