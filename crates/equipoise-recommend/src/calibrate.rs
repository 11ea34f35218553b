//! Weights of the modalities, chosen on validation.
//!
//! A coordinate search over the [grid](WEIGHTS), which contains 1 and 0 for every modality: from the best of the model as it
//! was trained and its channels, one modality after another takes the weight that gives the best metric on validation, until a
//! round changes nothing. Of equal values the weight nearest to 1 stays. The result is never worse on validation than the whole
//! model, nor than a channel that weights can express: any channel where the parts of the score add up, or of two modalities.

use crate::calibration::Calibration;
use crate::error::RecommendError;
use crate::served::ServedModel;
use crate::weighting::ScoreWeights;
use equipoise_eval::{EvalConfig, MetricName};
use equipoise_models::Ablation;
use std::collections::BTreeMap;

/// The weights that are tried, nearest to 1 first.
pub const WEIGHTS: [f64; 11] = [1.0, 0.75, 1.25, 0.5, 1.5, 0.25, 2.0, 0.0, 3.0, 4.0, 6.0];
/// Most rounds over all modalities.
const ROUNDS: usize = 5;

/// Measures settings, each once.
struct Search<'a> {
    model: &'a ServedModel,
    k: usize,
    known: Vec<(Vec<f64>, f64)>,
}

/// Chooses weights for a model's modalities by recall@k on validation.
///
/// # Errors
/// If the model has no validation interactions, or the tables lack an ablation.
pub fn calibrate(model: &ServedModel, k: usize) -> Result<Calibration, RecommendError> {
    let names = model.modalities();
    let n = names.len();
    let mut search = Search { model, k, known: Vec::new() };
    let whole = search.of_weights(&vec![1.0; n])?;
    let mut best = (vec![1.0; n], whole);
    let mut channels = BTreeMap::new();
    for (m, name) in names.iter().enumerate() {
        let channel = measure(model, &ScoreWeights::Under(Ablation::only(m, n)), k)?;
        channels.insert(name.clone(), channel);
        let alone: Vec<f64> = (0..n).map(|other| if other == m { 1.0 } else { 0.0 }).collect();
        let value = search.of_weights(&alone)?;
        if value > best.1 {
            best = (alone, value);
        }
    }
    for _ in 0..ROUNDS {
        let before = best.0.clone();
        for m in 0..n {
            search.improve(m, &mut best)?;
        }
        if best.0 == before {
            break;
        }
    }
    let weights = names.iter().cloned().zip(best.0).collect();
    Ok(Calibration {
        metric: format!("recall@{k}"),
        whole,
        channels,
        calibrated: best.1,
        weights,
        tried: search.known.len(),
    })
}

impl Search<'_> {
    fn of_weights(&mut self, weights: &[f64]) -> Result<f64, RecommendError> {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| known == weights) {
            return Ok(*value);
        }
        let value = measure(self.model, &ScoreWeights::Weights(weights.to_vec()), self.k)?;
        self.known.push((weights.to_vec(), value));
        Ok(value)
    }

    /// Gives one modality the best weight while the others stay.
    fn improve(&mut self, m: usize, best: &mut (Vec<f64>, f64)) -> Result<(), RecommendError> {
        for weight in WEIGHTS {
            let mut weights = best.0.clone();
            weights[m] = weight;
            let value = self.of_weights(&weights)?;
            if value > best.1 {
                *best = (weights, value);
            }
        }
        Ok(())
    }
}

/// Recall@k on validation of everyone under a weighting; what users have met in training is no candidate.
fn measure(model: &ServedModel, weighting: &ScoreWeights, k: usize) -> Result<f64, RecommendError> {
    let tables = model.tables();
    if weighting.coefficients(tables)?.is_empty() {
        return Ok(0.0);
    }
    let users: Vec<u32> = tables.validation().users_with_items();
    if users.is_empty() {
        let problem =
            "the run has no validation interactions to choose weights on; train with a split that has some";
        return Err(RecommendError::field("validation", problem));
    }
    let (rows, items, width) = model.with_weighting(weighting.clone())?.embeddings()?;
    let config = EvalConfig { ks: vec![k], metrics: vec![MetricName::Recall], ..EvalConfig::default() };
    let embeddings = equipoise_eval::Embeddings::new(&rows, &items, width)?;
    let found = equipoise_eval::evaluate(&embeddings, tables.validation(), &[tables.train()], &config)?;
    Ok(found.metric(&format!("recall@{k}"))?)
}
