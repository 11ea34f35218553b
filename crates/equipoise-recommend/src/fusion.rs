//! What becomes of a model's parts when they are put together: the whole model, each channel and the calibrated weights on
//! held-out interactions. Nothing is chosen by these values.

use crate::calibration::Weaker;
use crate::channels::weaker;
use crate::error::RecommendError;
use crate::request::IDS;
use crate::served::ServedModel;
use crate::weighting::ScoreWeights;
use equipoise_data::Interactions;
use equipoise_eval::EvalConfig;
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model and its parts on held-out interactions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutFusion {
    /// The metric, such as `recall@20`.
    pub metric: String,
    /// Users it is a mean over.
    pub users: usize,
    /// Its value for the model as it was trained.
    pub whole: f64,
    /// Its value for each channel, and for the `ids` alone.
    pub channels: BTreeMap<String, f64>,
    /// The channel that is measurably better than the whole model, if there is one.
    pub weaker_than: Option<Weaker>,
    /// The model with its calibrated weights, if it has any.
    pub calibrated: Option<CalibratedFusion>,
}

/// A model with weights that were chosen on validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibratedFusion {
    /// The weights.
    pub weights: BTreeMap<String, f64>,
    /// The metric that they were chosen by.
    pub chosen_by: String,
    /// Its value on validation with all weights 1.
    pub validation_whole: f64,
    /// Its value on validation with the weights.
    pub validation: f64,
    /// The metric of [`HeldOutFusion`] on the held-out interactions with the weights, which was measured after they were chosen.
    pub value: f64,
}

/// Measures a model and its parts by one metric; `exclude` holds what is no candidate.
///
/// # Errors
/// If the tables lack an ablation, nothing is held out, or a score is not finite.
pub fn fusion(
    model: &ServedModel,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
) -> Result<HeldOutFusion, RecommendError> {
    let n = model.modalities().len();
    let values = |weighting| values(&model.with_weighting(weighting)?, held_out, exclude, config);
    let (metric, whole) = values(ScoreWeights::plain(n))?;
    let names = model.modalities().iter().cloned().zip((0..n).map(|m| Ablation::only(m, n)));
    let mut channels = Vec::new();
    for (name, under) in names.chain([(IDS.to_owned(), Ablation::ids_only(n))]) {
        channels.push((name, values(ScoreWeights::Under(under))?.1));
    }
    let mean = crate::judged::mean;
    let calibrated = match &model.settings().calibration {
        Some(found) if !model.settings().weights.is_empty() => Some(CalibratedFusion {
            weights: model.settings().weights.clone(),
            chosen_by: found.metric.clone(),
            validation_whole: found.whole,
            validation: found.calibrated,
            value: mean(&values(model.settings().weighting(model.modalities())?)?.1),
        }),
        _ => None,
    };
    Ok(HeldOutFusion {
        metric,
        users: whole.len(),
        whole: mean(&whole),
        weaker_than: weaker(&whole, &channels)?,
        channels: channels.iter().map(|(name, values)| (name.clone(), mean(values))).collect(),
        calibrated,
    })
}

/// The name of the metric and its value for each user.
fn values(
    model: &ServedModel,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
) -> Result<(String, Vec<f64>), RecommendError> {
    let found = model.evaluate(held_out, exclude, config)?;
    let column = found.per_user.columns.into_iter().next();
    Ok(column.expect("an evaluation has a metric at least"))
}
