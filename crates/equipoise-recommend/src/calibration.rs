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
    /// Its value for the ids alone: every modality silenced. Absent in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<f64>,
    /// The channel that is measurably better than the whole model, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weaker_than: Option<Weaker>,
    /// Its value with the weights found.
    pub calibrated: f64,
    /// The weights found.
    pub weights: BTreeMap<String, f64>,
    /// How many settings were tried.
    pub tried: usize,
}

/// A channel of a model that is better than the whole model, beyond noise: 1 + 1 < 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weaker {
    /// The modality of the channel, or `ids`.
    pub channel: String,
    /// The channel's value of the metric.
    pub value: f64,
    /// Users over whom the two were compared.
    pub users: usize,
    /// Two-sided p-value of the paired t test over users, corrected after Holm for the number of channels.
    pub p_value: f64,
}

impl Weaker {
    /// How it is known, in words: `paired over 2000 users, p < 0.01`.
    pub fn surety(&self) -> String {
        let p = if self.p_value < 0.01 { "p < 0.01".into() } else { format!("p {:.2}", self.p_value) };
        format!("paired over {} users, {p}", self.users)
    }
}

impl Calibration {
    /// The best channel, if it is better than the whole model, perhaps by chance alone.
    pub fn better_channel(&self) -> Option<(&str, f64)> {
        let best = self.channels.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        (*best.1 > self.whole).then_some((best.0.as_str(), *best.1))
    }
}
