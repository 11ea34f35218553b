//! The stages, one file for each kind.

mod data;
mod features;
mod import;
mod report;
mod teachers;
mod train;
mod tune;

use super::config::PipelineConfig;
use super::error::PipelineError;
use super::settings::Method;
use super::stage::Stage;
use std::path::PathBuf;

pub(super) use report::NAME as REPORT;

/// Every stage of a pipeline, in an order in which each comes after those that it reads.
///
/// # Errors
/// If a setting cannot be used.
pub(super) fn all(config: &PipelineConfig) -> Result<Vec<Box<dyn Stage>>, PipelineError> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    let mut features = Vec::new();
    if config.data.is_none() {
        stages.push(Box::new(import::Import));
        features = features::all(config);
    }
    let names: Vec<String> = features.iter().map(|stage| stage.name()).collect();
    stages.extend(features);
    stages.push(Box::new(data::Data { imported: config.data.is_none(), features: names }));
    stages.push(Box::new(tune::Tune { method: Method::Plain, seed: config.seed }));
    for seed in config.all_seeds() {
        stages.push(Box::new(train::Train { method: Method::Plain, seed }));
    }
    for seed in config.all_seeds() {
        stages.push(Box::new(teachers::Teachers { seed }));
    }
    stages.push(Box::new(tune::Tune { method: Method::Ckd, seed: config.seed }));
    for seed in config.all_seeds() {
        stages.push(Box::new(train::Train { method: Method::Ckd, seed }));
    }
    stages.push(Box::new(report::Report { seeds: config.all_seeds().collect() }));
    Ok(stages)
}

/// The data set that everything after the stage `data` reads.
fn data_set(config: &PipelineConfig) -> PathBuf {
    config.data.clone().unwrap_or_else(|| config.out.join(data::NAME).join("set"))
}
