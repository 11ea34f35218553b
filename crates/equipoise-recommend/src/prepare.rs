//! Makes a run ready to be served.

use crate::calibrate::calibrate;
use crate::choice::choose;
use crate::directory::rewrite;
use crate::error::RecommendError;
use crate::items::ItemInfos;
use crate::manifest::Manifest;
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
/// `items.jsonl` into the directory of a run or a served model. A model with a [manifest](crate::Manifest) is written again as a whole.
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
    let place = Place::claim(dir)?;
    let model = ServedModel::open(dir)?;
    let plain = model.with_weighting(crate::ScoreWeights::plain(model.modalities().len()))?;
    let has_validation = !model.tables().validation().is_empty();
    let calibration = match has_validation && !model.modalities().is_empty() {
        true => Some(calibrate(&plain, what.k)?),
        false => None,
    };
    let weights = calibration.as_ref().filter(|_| what.weights).map(|found| found.weights.clone());
    let chosen = choose(model.tables())?;
    let (choice, map) = chosen.unzip();
    let map = map.flatten();
    let settings = ServingSettings {
        weights: weights.unwrap_or_default(),
        calibration,
        fold_in: choice,
        ..model.settings().clone()
    };
    if let Some(manifest) = Manifest::read(dir)? {
        rewrite(place, &model, manifest, infos, settings, map)?;
        return ServedModel::open(dir);
    }
    if let Some(infos) = infos {
        infos.write(&dir.join(ITEMS), model.vocabulary())?;
    }
    let path = dir.join(FOLD_IN);
    match &map {
        Some(fitted) => write_map(&path, fitted)?,
        None if path.exists() => std::fs::remove_file(&path).map_err(RecommendError::io(&path))?,
        None => {}
    }
    settings.write(&dir.join(SERVING))?;
    ServedModel::open(dir)
}
