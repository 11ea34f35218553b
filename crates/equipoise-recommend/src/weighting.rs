//! How the parts of a score are weighted.
//!
//! ```text
//! score_w(u, i) = y_full(u, i) + sum_m (w_m - 1) * (y_full(u, i) - y_without(m)(u, i))
//! ```
//!
//! The bracket is what modality `m` contributes: the counterfactual effect of silencing it. Where the parts of a backbone's
//! score add up (VBPR, DeepStyle) this is exactly `ids + sum_m w_m * part_m`. With all weights 1 it is the model as it was
//! trained, with one weight 0 the model without that modality.
//!
//! Every ablation's score is a sum over blocks, so the weighted one is too: block `b` counts
//!
//! ```text
//! c_b = [b in full] * (1 + sum_m (w_m - 1)) - sum_m (w_m - 1) * [b in without(m)]
//! ```

use crate::error::RecommendError;
use equipoise_models::Ablation;
use equipoise_train::FinalTables;

/// Largest weight of a modality.
pub const LARGEST_WEIGHT: f64 = 100.0;

/// How much each block of the final tables counts.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreWeights {
    /// One weight for each modality, in the order of the model; 1 leaves it as it was trained, 0 silences it.
    Weights(Vec<f64>),
    /// The model under one ablation, as it was measured in training.
    Under(Ablation),
}

impl ScoreWeights {
    /// The model as it was trained.
    pub fn plain(modalities: usize) -> ScoreWeights {
        ScoreWeights::Weights(vec![1.0; modalities])
    }

    /// Which modalities are silenced, apart from weights: none, but of a model under an ablation.
    pub fn ablation(&self) -> Ablation {
        match self {
            ScoreWeights::Under(ablation) => *ablation,
            ScoreWeights::Weights(_) => Ablation::FULL,
        }
    }

    /// The weights by name, or the ablation.
    #[cfg(feature = "parquet")]
    pub(crate) fn words(&self, modalities: &[String]) -> String {
        match self {
            ScoreWeights::Weights(weights) => {
                let named = modalities.iter().zip(weights).map(|(name, weight)| format!("{name}={weight}"));
                named.collect::<Vec<_>>().join(",")
            }
            ScoreWeights::Under(ablation) => {
                ablation.label(&modalities.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }

    /// Checks a weight: finite, from 0 to [`LARGEST_WEIGHT`].
    ///
    /// # Errors
    /// If it is none; the field is `modality_weights.<name>`.
    pub fn check(name: &str, weight: f64) -> Result<f64, RecommendError> {
        if (0.0..=LARGEST_WEIGHT).contains(&weight) {
            return Ok(weight);
        }
        let problem = format!(
            "{weight}, expected a number from 0 (silenced) to {LARGEST_WEIGHT}; 1 is the weight in training"
        );
        Err(RecommendError::field(format!("modality_weights.{name}"), problem))
    }

    /// The blocks that count, ascending, with their coefficients.
    ///
    /// # Errors
    /// If the tables lack an ablation that the weights need.
    pub(crate) fn coefficients(&self, tables: &FinalTables) -> Result<Vec<(usize, f32)>, RecommendError> {
        let mut sums = vec![0f64; tables.blocks().len()];
        match self {
            ScoreWeights::Under(ablation) => add(&mut sums, tables, *ablation, 1.0)?,
            ScoreWeights::Weights(weights) => {
                let rest: f64 = weights.iter().map(|w| w - 1.0).sum();
                add(&mut sums, tables, Ablation::FULL, 1.0 + rest)?;
                for (m, weight) in weights.iter().enumerate().filter(|(_, w)| **w != 1.0) {
                    add(&mut sums, tables, Ablation::without(m), 1.0 - weight)?;
                }
            }
        }
        let counting = sums.iter().enumerate().filter(|(_, sum)| sum.abs() > 1e-9);
        Ok(counting.map(|(b, &sum)| (b, sum as f32)).collect())
    }
}

fn add(sums: &mut [f64], tables: &FinalTables, under: Ablation, by: f64) -> Result<(), RecommendError> {
    blocks(tables, under)?.iter().for_each(|&b| sums[b] += by);
    Ok(())
}

/// The blocks of one ablation.
///
/// # Errors
/// If the tables lack it.
pub(crate) fn blocks(tables: &FinalTables, under: Ablation) -> Result<&[usize], RecommendError> {
    let view = tables.views().iter().find(|v| v.ablation == under);
    view.map(|view| view.blocks.as_slice()).ok_or_else(|| {
        let names: Vec<&str> = tables.modalities().iter().map(String::as_str).collect();
        RecommendError::NoTables(under.label(&names))
    })
}

/// The blocks that tell a modality's part from the ids: those of its channel that ids alone lack, or all of the channel
/// where they share none.
///
/// # Errors
/// If the tables lack an ablation.
pub(crate) fn blocks_of_modality(tables: &FinalTables, m: usize) -> Result<Vec<usize>, RecommendError> {
    let n = tables.modalities().len();
    let channel = blocks(tables, Ablation::only(m, n))?;
    let ids = blocks(tables, Ablation::ids_only(n))?;
    let own: Vec<usize> = channel.iter().copied().filter(|b| !ids.contains(b)).collect();
    Ok(if own.is_empty() { channel.to_vec() } else { own })
}
