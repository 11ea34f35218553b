//! Features of texts.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::stage::{Context, Stage};
use super::import;
use equipoise_encode::{EncodeReport, Progress, TextRequest, encode_texts};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Encodes the texts of the items.
pub(super) struct Text;

/// The stages that make features: of texts where there are any.
pub(super) fn all(config: &PipelineConfig) -> Vec<Box<dyn Stage>> {
    config.has_texts().then(|| Box::new(Text) as Box<dyn Stage>).into_iter().collect()
}

/// A model that is a folder is known by what is in it, one of the hub's cache by its name.
fn model(role: &str, model: &str) -> Option<(String, PathBuf)> {
    Path::new(model).is_dir().then(|| (role.to_owned(), PathBuf::from(model)))
}

impl Stage for Text {
    fn name(&self) -> String {
        "features/text".into()
    }

    fn title(&self) -> String {
        "features of texts".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        let named = if Path::new(&config.text_model).is_dir() { "folder" } else { &config.text_model };
        Ok(json!({ "model": named, "columns": config.text, "dims": config.text_dims }))
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
        let report = encode_texts(&request, &mut |p: Progress| watch.encoding(p.done, p.total))?;
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
