//! The stages, one file for each kind.

mod data;
mod features;
mod import;
pub(super) mod layout;
mod prepared;
mod report;
mod served;
mod teachers;
mod train;
mod tune;

use super::config::PipelineConfig;
use super::settings::Method;
use super::source::Source;
use super::stage::Stage;

/// Every stage of a pipeline, in an order in which each comes after those that it reads.
pub(super) fn all(config: &PipelineConfig, source: &Source) -> Vec<Box<dyn Stage>> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    let import = import::Import::of(config, source);
    let imported = import.is_some();
    if let Some(import) = import {
        stages.push(Box::new(import));
    }
    let features = features::all(source);
    let names: Vec<String> = features.iter().map(|stage| stage.name()).collect();
    stages.extend(features);
    let items = source.items().cloned();
    let pictures = source.picture_folder().map(Into::into);
    stages.push(Box::new(data::Data { imported, features: names, items, pictures }));
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
    stages.push(Box::new(served::Served { seed: config.seed }));
    stages.push(Box::new(report::Report { seeds: config.all_seeds().collect() }));
    stages
}
