//! Import and features to one data set, checked.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings;
use super::super::source::ItemTable;
use super::super::stage::{Context, Stage};
use super::features::{how, reading};
use super::layout;
use equipoise_data::formats::{MISSING_ENDING, row_ids_file};
use equipoise_data::{FeatureSource, ITEM_INFOS, LoadOptions, check, item_ids, write_atomic};
use equipoise_encode::picture_paths;
use equipoise_import::{ConvertOptions, ItemColumns, ItemKnowledge, Target, convert};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Joins what was imported and what was encoded, or takes the data set that is given; refuses what is not sound.
pub(super) struct Data {
    /// Whether raw files are imported before.
    pub(super) imported: bool,
    /// Names of the stages that make features.
    pub(super) features: Vec<String>,
    /// A table that says what items are called.
    pub(super) items: Option<ItemTable>,
    /// A folder of pictures by item.
    pub(super) pictures: Option<PathBuf>,
}

/// A file of features, and what lies beside it and is read with it: whose row is whose, and which items lack it.
fn of_features(features: &FeatureSource) -> Vec<(String, PathBuf)> {
    let FeatureSource { name, path } = features;
    let ids = (format!("ids of features {name}"), row_ids_file(path));
    let missing = (format!("missing {name}"), path.with_file_name(format!("{name}{MISSING_ENDING}")));
    let beside = [ids, missing].into_iter().filter(|(_, file)| file.is_file());
    std::iter::once((format!("features {name}"), path.clone())).chain(beside).collect()
}

impl Data {
    /// What the table says of the items and where their pictures are, beside the data set.
    fn write_items(&self, set: &Path, context: &mut Context) -> Result<(), PipelineError> {
        let ids = item_ids(set)?.ids;
        let mut known = ItemKnowledge::nothing(ids.len());
        if let Some(items) = &self.items {
            let text = reading(context.config);
            let columns = ItemColumns { picture: items.image.clone(), text, ..ItemColumns::default() };
            known = ItemKnowledge::read(&items.path, &ids, &columns)?;
            known.notes.iter().for_each(|note| context.note(format!("  note: {note}")));
            context.note(format!("  titles and attributes of {} of {} items", known.len(), ids.len()));
        }
        if let Some(folder) = &self.pictures {
            let pictures = picture_paths(&ids, folder)?;
            let named = pictures.into_iter().enumerate().filter_map(|(item, path)| Some((item, path?)));
            let added = known.add_pictures(named);
            let folder = folder.display();
            context.note(format!("  pictures of {added} items, which `serve --pictures {folder}` shows"));
        }
        Ok(known.write(&set.join(ITEM_INFOS), &ids)?)
    }
}

impl Stage for Data {
    fn name(&self) -> String {
        layout::DATA.into()
    }

    fn title(&self) -> String {
        "data set and its check".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        let of = |items: &ItemTable| json!({ "picture": items.image, "reading": how(config) });
        let items = self.items.as_ref().map(of);
        // Without a folder it is what it was in earlier versions.
        Ok(match &self.pictures {
            None => json!(items),
            Some(folder) => json!({ "items": items, "pictures": folder }),
        })
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let data = config.data.iter().map(|path| ("data".to_owned(), path.clone()));
        let items = self.items.iter().map(|items| ("items".to_owned(), items.path.clone()));
        data.chain(items).chain(config.features.iter().flat_map(of_features)).collect()
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
            let options_of = ConvertOptions { overwrite: true, ..ConvertOptions::default() };
            convert(&layout::imported(context.config), &options, Target::Equipoise, &set, &options_of)?;
            if self.items.is_some() || self.pictures.is_some() {
                self.write_items(&set, context)?;
            }
        }
        let mut report = check(&set, &LoadOptions::default());
        if settings::compares_scales(context.config) {
            report.loudness = None;
        }
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
