//! Makes a run ready to be served.

use crate::calibrate::calibrate;
use crate::calibration::Calibration;
use crate::choice::choose;
use crate::directory::rewrite;
use crate::error::RecommendError;
use crate::fold_in::LinearMap;
use crate::items::ItemInfos;
use crate::manifest::Manifest;
use crate::served::{FOLD_IN, ITEMS, ServedModel, name_of};
use crate::settings::{SERVING, ServingSettings, write_map};
use crate::weighting::ScoreWeights;
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
    ServedModel::check_place(dir)?;
    let place = Place::claim(dir)?;
    let model = ServedModel::open(dir)?;
    let (settings, map) = chosen(&model, calibrated(&model, what.k)?, what.weights)?;
    match Manifest::read(dir)? {
        Some(manifest) => {
            rewrite(place, &model, manifest, infos, settings, map)?;
            ServedModel::open(dir)
        }
        None => write(dir, &model, infos, map, settings),
    }
}

/// The same with weights that a [calibration](calibrate) of this model found before, in a directory without a manifest to which the
/// caller holds the right, such as that of a unit of work.
///
/// # Errors
/// As [`prepare`], and if the calibration is of another model's modalities.
pub fn prepare_calibrated(dir: &Path, found: Option<Calibration>) -> Result<ServedModel, RecommendError> {
    let model = ServedModel::open(dir)?;
    let (settings, map) = chosen(&model, found, true)?;
    write(dir, &model, None, map, settings)
}

/// Settings with a calibration, its weights if they are to be served, and the way of folding in that validation chooses.
fn chosen(
    model: &ServedModel,
    calibration: Option<Calibration>,
    weighted: bool,
) -> Result<(ServingSettings, Option<LinearMap>), RecommendError> {
    let weights = calibration.as_ref().filter(|_| weighted).map(|found| found.weights.clone());
    let (choice, map) = choose(model.tables())?.unzip();
    let settings = ServingSettings {
        weights: weights.unwrap_or_default(),
        calibration,
        fold_in: choice,
        ..model.settings().clone()
    };
    Ok((settings, map.flatten()))
}

/// What a search of the weights of a model's modalities finds, whatever weights it is served with; `None` if it has no modalities or
/// no validation interactions to choose by.
///
/// # Errors
/// If the tables lack an ablation.
pub fn calibrated(model: &ServedModel, k: usize) -> Result<Option<Calibration>, RecommendError> {
    if model.tables().validation().is_empty() || model.modalities().is_empty() {
        return Ok(None);
    }
    let trained = model.with_weighting(ScoreWeights::plain(model.modalities().len()))?;
    calibrate(&trained, k).map(Some)
}

/// Writes what was found; the model as it is served from now on.
fn write(
    dir: &Path,
    model: &ServedModel,
    infos: Option<&ItemInfos>,
    map: Option<LinearMap>,
    settings: ServingSettings,
) -> Result<ServedModel, RecommendError> {
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
    let infos = infos.unwrap_or(model.infos()).clone();
    let (vocabulary, tables) = (model.vocabulary().clone(), model.tables().clone());
    ServedModel::new(name_of(dir), vocabulary, tables, infos, settings, map)
}
