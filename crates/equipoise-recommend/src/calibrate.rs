//! Weights of the modalities, chosen on validation.
//!
//! A coordinate search over the [grid](WEIGHTS), which contains 1 and 0 for every modality: from the best of the model as it
//! was trained, its channels and itself without one modality, one modality after another takes the weight that gives the best metric
//! on validation, until a round changes nothing. Of equal values the weight nearest to 1 stays. In the end a modality goes back to 1
//! where that costs less than two standard errors or nothing, paired over users: the best of many settings is better by chance
//! already. The result is never worse on validation than the whole model, than that without one modality, nor than a channel that
//! weights can express: any channel where the parts of the score add up, or of two modalities.
//!
//! A setting costs a ranking of the users of validation. The item table is packed once for each choice of blocks.

use crate::calibration::Calibration;
use crate::channels::weaker;
use crate::error::RecommendError;
use crate::judged::{Judged, mean};
use crate::request::IDS;
use crate::scorer::counted;
use crate::served::ServedModel;
use crate::weighting::ScoreWeights;
use equipoise_eval::paired_error;
use equipoise_models::Ablation;
use std::collections::BTreeMap;

/// The weights that are tried, nearest to 1 first.
pub const WEIGHTS: [f64; 11] = [1.0, 0.75, 1.25, 0.5, 1.5, 0.25, 2.0, 0.0, 3.0, 4.0, 6.0];
/// Standard errors that a weight must be worth.
const SURE: f64 = 2.0;
/// Most rounds over all modalities.
const ROUNDS: usize = 5;

/// Measures settings, each once.
struct Search<'a> {
    model: &'a ServedModel,
    judged: Judged<'a>,
    known: Vec<(Vec<f64>, f64)>,
}

/// Chooses weights for a model's modalities by recall@k on validation.
///
/// # Errors
/// If the model has no validation interactions, or the tables lack an ablation.
pub fn calibrate(model: &ServedModel, k: usize) -> Result<Calibration, RecommendError> {
    let names = model.modalities();
    let n = names.len();
    let mut search = Search::new(model, k)?;
    let of_whole = search.values(&ScoreWeights::plain(n))?;
    let of_channels = search.channels()?;
    let best = search.best()?;
    let mut channels: BTreeMap<String, f64> =
        of_channels.iter().map(|(name, values)| (name.clone(), mean(values))).collect();
    Ok(Calibration {
        metric: format!("recall@{k}"),
        whole: mean(&of_whole),
        ids: channels.remove(IDS),
        channels,
        weaker_than: weaker(&of_whole, &of_channels)?,
        calibrated: best.1,
        weights: names.iter().cloned().zip(best.0).collect(),
        tried: search.known.len(),
    })
}

impl Search<'_> {
    fn new(model: &ServedModel, k: usize) -> Result<Search<'_>, RecommendError> {
        let users = model.tables().validation().users_with_items();
        if users.is_empty() {
            let problem = "the run has no validation interactions to choose weights on; train with a split that has some";
            return Err(RecommendError::field("validation", problem));
        }
        Ok(Search { model, judged: Judged::new(model.tables(), users, k), known: Vec::new() })
    }

    /// Recall of each user under every channel, and under the ids alone.
    fn channels(&self) -> Result<Vec<(String, Vec<f64>)>, RecommendError> {
        let n = self.model.modalities().len();
        let names = self.model.modalities().iter().cloned().zip((0..n).map(|m| Ablation::only(m, n)));
        let all = names.chain([(IDS.to_owned(), Ablation::ids_only(n))]);
        all.map(|(name, under)| Ok((name, self.values(&ScoreWeights::Under(under))?))).collect()
    }

    /// The best weights that the search meets, with their value.
    fn best(&mut self) -> Result<(Vec<f64>, f64), RecommendError> {
        let n = self.model.modalities().len();
        let mut best = (vec![1.0; n], self.of_weights(&vec![1.0; n])?);
        for part in parts(n) {
            let value = self.of_weights(&part)?;
            if value > best.1 {
                best = (part, value);
            }
        }
        let floor = best.1;
        for _ in 0..ROUNDS {
            let before = best.0.clone();
            for m in 0..n {
                self.improve(m, &mut best)?;
            }
            if best.0 == before {
                break;
            }
        }
        self.simplest(best, floor)
    }

    /// The weights with as many modalities back at 1 as the noise of validation allows, and no worse than `floor`, the best of
    /// whole and parts.
    fn simplest(&mut self, best: (Vec<f64>, f64), floor: f64) -> Result<(Vec<f64>, f64), RecommendError> {
        let n = best.0.len();
        let of_best = self.values(&ScoreWeights::Weights(best.0.clone()))?;
        let mut simple = best;
        // All at once first: that is the model as it was trained.
        let together = (0..n).collect::<Vec<_>>();
        for changed in [together].into_iter().chain((0..n).map(|m| vec![m])) {
            let mut weights = simple.0.clone();
            changed.iter().for_each(|&m| weights[m] = 1.0);
            let value = self.of_weights(&weights)?;
            if weights == simple.0 || value < floor {
                continue;
            }
            let of_simple = self.values(&ScoreWeights::Weights(weights.clone()))?;
            let error = paired_error(&of_best, &of_simple).unwrap_or(0.0);
            if mean(&of_best) - mean(&of_simple) <= SURE * error {
                simple = (weights, value);
            }
        }
        Ok(simple)
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

    fn of_weights(&mut self, weights: &[f64]) -> Result<f64, RecommendError> {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| known == weights) {
            return Ok(*value);
        }
        let value = mean(&self.values(&ScoreWeights::Weights(weights.to_vec()))?);
        self.known.push((weights.to_vec(), value));
        Ok(value)
    }

    /// Recall@k of each user under a weighting; 0 where nothing counts.
    fn values(&self, weighting: &ScoreWeights) -> Result<Vec<f64>, RecommendError> {
        let coefficients = weighting.coefficients(self.model.tables())?;
        if coefficients.is_empty() {
            return Ok(vec![0.0; self.judged.users().len()]);
        }
        let joined = self.model.joined(&counted(&coefficients))?;
        self.judged.of_tables(&joined, &coefficients)
    }
}

/// The weights of each modality alone and, of three and more, of all but one. Those of no content at all are not among
/// them: only clear evidence may take it away, for it is all that is known of new items.
fn parts(n: usize) -> Vec<Vec<f64>> {
    let weights = |kept: &dyn Fn(usize) -> bool| (0..n).map(|m| if kept(m) { 1.0 } else { 0.0 }).collect();
    let alone = (0..n).map(|m| weights(&|other| other == m));
    let without = (0..n).filter(|_| n > 2).map(|m| weights(&|other| other != m));
    alone.chain(without).collect()
}
