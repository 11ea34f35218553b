//! Features of texts and of pictures.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::stage::{Context, Stage};
use super::import;
use equipoise_data::formats::{Cells, read_cells};
use equipoise_encode::{
    EncodeProgress, EncodeReport, ImageRequest, TextRequest, encode_images, encode_texts,
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Encodes the texts of the items.
pub(super) struct Text;

/// Encodes the pictures of the items.
pub(super) struct Image;

/// The stages that make features: of texts and of pictures where there are any.
pub(super) fn all(config: &PipelineConfig) -> Vec<Box<dyn Stage>> {
    let text = config.has_texts().then(|| Box::new(Text) as Box<dyn Stage>);
    let image = config.image.is_some().then(|| Box::new(Image) as Box<dyn Stage>);
    text.into_iter().chain(image).collect()
}

/// A model that is a folder is known by what is in it, one of the hub's cache by its name.
fn model(role: &str, model: &str) -> Option<(String, PathBuf)> {
    Path::new(model).is_dir().then(|| (role.to_owned(), PathBuf::from(model)))
}

fn named(model: &str) -> &str {
    if Path::new(model).is_dir() { "folder" } else { model }
}

impl Stage for Text {
    fn name(&self) -> String {
        "features/text".into()
    }

    fn title(&self) -> String {
        "features of texts".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "model": named(&config.text_model), "columns": config.text, "dims": config.text_dims }))
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let items = config.items.iter().map(|items| ("items".to_owned(), items.clone()));
        items.chain(model("text_model", &config.text_model)).collect()
    }

    fn before(&self) -> Vec<String> {
        vec![import::NAME.into()]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let config = context.config;
        let request = TextRequest {
            data: import::place(config),
            model: config.text_model.clone(),
            name: "text".into(),
            texts: config.items.clone(),
            columns: config.text.clone(),
            out: Some(context.dir.clone()),
            overwrite: true,
            dims: config.text_dims,
            ..TextRequest::default()
        };
        let watch = &mut *context.watch;
        let report = encode_texts(&request, &mut |p: &EncodeProgress| watch.encoding(p.done, p.total))?;
        told(context, &report);
        Ok(())
    }
}

impl Image {
    /// The pictures that the table names and that are there: those that are not will be reported.
    fn pictures(config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let (Some(items), Some(column)) = (&config.items, &config.image) else { return Vec::new() };
        let folder = items.parent().unwrap_or(Path::new(""));
        let cells = Cells { id: None, columns: vec![column.clone()] };
        let mut found = Vec::new();
        // A table that cannot be read is refused by the stage itself, with its place.
        let _ = read_cells(items, &cells, &mut |_, path| {
            let file = folder.join(path);
            if !path.is_empty() && file.is_file() {
                found.push((format!("picture {path}"), file));
            }
            Ok(())
        });
        found
    }
}

impl Stage for Image {
    fn name(&self) -> String {
        "features/image".into()
    }

    fn title(&self) -> String {
        "features of pictures".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "model": named(&config.image_model), "column": config.image }))
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let items = config.items.iter().map(|items| ("items".to_owned(), items.clone()));
        items.chain(Image::pictures(config)).chain(model("image_model", &config.image_model)).collect()
    }

    fn before(&self) -> Vec<String> {
        vec![import::NAME.into()]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let config = context.config;
        let request = ImageRequest {
            data: import::place(config),
            images: config.items.clone().unwrap_or_default(),
            column: config.image.clone(),
            model: config.image_model.clone(),
            name: "image".into(),
            out: Some(context.dir.clone()),
            overwrite: true,
            ..ImageRequest::default()
        };
        let watch = &mut *context.watch;
        let report = encode_images(&request, &mut |p: &EncodeProgress| watch.encoding(p.done, p.total))?;
        told(context, &report);
        Ok(())
    }
}

/// What was encoded, and what is missing.
fn told(context: &mut Context, report: &EncodeReport) {
    let EncodeReport { rows, width, missing, unknown, broken, .. } = report;
    context.watch.say(&format!("  {rows} items, {width} columns by {}; {missing} without", report.encoder));
    if *unknown > 0 {
        context
            .watch
            .say(&format!("  note: {unknown} rows are about items that nobody met, and were left out"));
    }
    for item in broken.iter().take(5) {
        context.watch.say(&format!("  note: item {}: {}", item.item, item.reason));
    }
}
