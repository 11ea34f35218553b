//! Makes a run ready to be served.

use crate::calibrate::calibrate;
use crate::choice::choose;
use crate::error::RecommendError;
use crate::items::ItemInfos;
use crate::served::{FOLD_IN, ITEMS, ServedModel};
use crate::settings::{SERVING, ServingSettings, write_map};
use equipoise_jobs::Place;
use std::path::Path;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServingOptions {
    /// Whether the weights found become those of the served model; otherwise they are only reported.
    pub weights: bool,
    /// Length of the lists that weights are chosen by.
    pub k: usize,
}

impl Default for ServingOptions {
    fn default() -> ServingOptions {
        ServingOptions { weights: true, k: 20 }
    }
}

/// Chooses weights and how strangers are folded in, and writes `serving.json`, `fold_in.safetensors` and, if anything is given,
/// `items.jsonl` into the directory of a run or a served model.
///
/// # Errors
/// If the directory holds no model with final tables, or another program writes it; file system faults.
pub fn prepare(
    dir: &Path,
    infos: Option<&ItemInfos>,
    what: ServingOptions,
) -> Result<ServedModel, RecommendError> {
    // What is no model is refused before anything is written beside it.
    ServedModel::open(dir)?;
    let _place = Place::claim(dir)?;
    let model = ServedModel::open(dir)?;
    let plain = model.with_weighting(crate::ScoreWeights::plain(model.modalities().len()))?;
    let has_validation = !model.tables().validation().is_empty();
    let calibration = match has_validation && !model.modalities().is_empty() {
        true => Some(calibrate(&plain, what.k)?),
        false => None,
    };
    let weights = calibration.as_ref().filter(|_| what.weights).map(|found| found.weights.clone());
    let chosen = choose(model.tables())?;
    if let Some(infos) = infos {
        infos.write(&dir.join(ITEMS), model.vocabulary())?;
    }
    let map = dir.join(FOLD_IN);
    match chosen.as_ref().and_then(|(_, map)| map.as_ref()) {
        Some(fitted) => write_map(&map, fitted)?,
        None if map.exists() => std::fs::remove_file(&map).map_err(RecommendError::io(&map))?,
        None => {}
    }
    let settings = ServingSettings {
        weights: weights.unwrap_or_default(),
        calibration,
        fold_in: chosen.map(|(choice, _)| choice),
        ..model.settings().clone()
    };
    settings.write(&dir.join(SERVING))?;
    ServedModel::open(dir)
}
