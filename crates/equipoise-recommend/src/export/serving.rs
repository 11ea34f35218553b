//! `serving`: a served model as a directory of its own.
//!
//! It holds the tables, raw ids, what is known of items, weights, how strangers are folded in, and what new items need, each bound by
//! its hash in [`manifest.json`](crate::Manifest). Nothing else is needed to serve it: neither the run nor its data set.

use super::options::ExportOptions;
use super::report::ExportReport;
use super::target::ExportTarget;
use crate::directory::Contents;
use crate::error::RecommendError;
use crate::manifest::{HalfChange, MANIFEST};
use crate::new_items::{Found, maps_of};
use crate::served::ServedModel;
use equipoise_eval::{Embeddings, EvalConfig, MetricName, evaluate};
use equipoise_train::{FinalTables, TablePrecision};
use std::path::Path;

/// Length of the lists by which the change of recall is measured.
const K: usize = 20;

/// The target.
pub(super) const TARGET: ExportTarget = ExportTarget {
    name: "serving",
    summary: "a served model: one directory that every command takes, without the run and its data",
    takes: &["half", "name"],
    mark: MANIFEST,
    write,
    upload: None,
};

fn write(
    from: &Path,
    model: &ServedModel,
    options: &ExportOptions,
    dir: &Path,
    report: &mut ExportReport,
) -> Result<(), RecommendError> {
    let mut settings = model.settings().clone();
    let name = options.name.clone().unwrap_or_else(|| model.name().name.clone());
    (report.model.name, settings.name) = (name.clone(), Some(name));
    if settings.calibration.is_none() {
        report.notes.push("The model was not calibrated: every modality counts as in training. `equipoise calibrate` does it.".into());
    }
    let new_items = match maps_of(from, model)? {
        Found::Maps(maps) => Some(*maps),
        Found::Missing(reason) => {
            report.notes.push(format!("It cannot take new items: {reason}."));
            None
        }
    };
    let half = if options.half { rounded(model, dir)? } else { None };
    report.half = half.clone();
    if options.half && half.is_none() {
        report
            .notes
            .push("What float16 changes was not measured: the model has no validation interactions.".into());
    }
    let contents = Contents {
        vocabulary: model.vocabulary().clone(),
        tables: model.tables().clone(),
        precision: if options.half { TablePrecision::Float16 } else { TablePrecision::Float32 },
        infos: model.infos().clone(),
        settings,
        map: model.map().cloned(),
        new_items,
        half,
    };
    report.model.version = contents.write(dir)?;
    Ok(())
}

/// What rounding the tables changes on validation; `None` without validation interactions.
fn rounded(model: &ServedModel, dir: &Path) -> Result<Option<HalfChange>, RecommendError> {
    if model.tables().validation().is_empty() {
        return Ok(None);
    }
    let path = dir.join(".rounded.safetensors");
    model.tables().write_as(&path, TablePrecision::Float16)?;
    let rounded = with_tables(model, FinalTables::read(&path)?)?;
    let (metric, float32, float16) = (format!("recall@{K}"), recall(model)?, recall(&rounded)?);
    std::fs::remove_file(&path).map_err(RecommendError::io(&path))?;
    Ok(Some(HalfChange { metric, float32, float16 }))
}

/// The same model, weights included, with other tables.
fn with_tables(model: &ServedModel, tables: FinalTables) -> Result<ServedModel, RecommendError> {
    let (name, vocabulary) = (model.name().name.clone(), model.vocabulary().clone());
    let (infos, settings) = (model.infos().clone(), model.settings().clone());
    let other = ServedModel::new(name, vocabulary, tables, infos, settings, model.map().cloned())?;
    other.with_weighting(model.weighting().clone())
}

/// recall on validation under the weights in force; what users have met in training is no candidate.
fn recall(model: &ServedModel) -> Result<f64, RecommendError> {
    let (users, items, width) = model.embeddings()?;
    let config = EvalConfig { ks: vec![K], metrics: vec![MetricName::Recall], ..EvalConfig::default() };
    let (embeddings, tables) = (Embeddings::new(&users, &items, width)?, model.tables());
    let found = evaluate(&embeddings, tables.validation(), &[tables.train()], &config)?;
    Ok(found.metric(&format!("recall@{K}"))?)
}
