//! Import and features to one data set, checked.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::stage::{Context, Stage};
use super::layout;
use equipoise_data::formats::{MISSING_ENDING, row_ids_file};
use equipoise_data::{FeatureSource, LoadOptions, check, write_atomic};
use equipoise_import::{ConvertOptions, Target, convert};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Joins what was imported and what was encoded, or takes the data set that is given; refuses what is not sound.
pub(super) struct Data {
    /// Whether raw files are imported before.
    pub(super) imported: bool,
    /// Names of the stages that make features.
    pub(super) features: Vec<String>,
}

/// A file of features, and what lies beside it and is read with it: whose row is whose, and which items lack it.
fn of_features(features: &FeatureSource) -> Vec<(String, PathBuf)> {
    let FeatureSource { name, path } = features;
    let ids = (format!("ids of features {name}"), row_ids_file(path));
    let missing = (format!("missing {name}"), path.with_file_name(format!("{name}{MISSING_ENDING}")));
    let beside = [ids, missing].into_iter().filter(|(_, file)| file.is_file());
    std::iter::once((format!("features {name}"), path.clone())).chain(beside).collect()
}

impl Stage for Data {
    fn name(&self) -> String {
        layout::DATA.into()
    }

    fn title(&self) -> String {
        "data set and its check".into()
    }

    fn settings(&self, _config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!(null))
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let data = config.data.iter().map(|path| ("data".to_owned(), path.clone()));
        data.chain(config.features.iter().flat_map(of_features)).collect()
    }

    fn before(&self) -> Vec<String> {
        let imported = self.imported.then(|| layout::IMPORT.to_owned());
        imported.into_iter().chain(self.features.clone()).collect()
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let given = context.config.data.clone();
        let set = given.clone().unwrap_or_else(|| context.dir.join(layout::SET));
        if given.is_none() {
            let source = |stage: &String| {
                let name = stage.rsplit('/').next().unwrap_or(stage).to_owned();
                FeatureSource { path: context.place(stage).join(format!("{name}_feat.npy")), name }
            };
            let features = self.features.iter().map(source).chain(context.config.features.clone()).collect();
            let options = LoadOptions { features, ..LoadOptions::default() };
            let how = ConvertOptions { overwrite: true, ..ConvertOptions::default() };
            convert(&layout::imported(context.config), &options, Target::Equipoise, &set, &how)?;
        }
        let report = check(&set, &LoadOptions::default());
        let (text, path) = (report.to_string(), context.dir.join("check.txt"));
        write_atomic(&path, |file| file.write_all(text.as_bytes()))
            .map_err(|e| PipelineError::file(&path, e))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            context.note(format!("  {line}"));
        }
        match &report.faults[..] {
            [] => Ok(()),
            [fault, ..] => {
                let reason = format!(
                    "{} faults, listed by `equipoise data check`; the first: {fault}",
                    report.faults.len()
                );
                Err(PipelineError::file(&set, reason))
            }
        }
    }
}
