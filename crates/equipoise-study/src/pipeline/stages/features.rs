//! Features of texts, of pictures and of sounds.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::event::PipelineEvent;
use super::super::source::{ItemFiles, Source};
use super::super::stage::{Context, Stage};
use super::layout;
use equipoise_data::TextOptions;
use equipoise_data::formats::{Cells, read_cells};
use equipoise_encode::{
    AudioRequest, EncodeProgress, EncodeReport, ImageRequest, TextRequest, encode_audio, encode_images,
    encode_texts,
};
use equipoise_jobs::Listener;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Raised when texts, pictures or sounds come to be read in another way: features of the way before are made anew.
const READING: u32 = 2;

/// Encodes the texts of the items: columns of a table, or what was imported.
pub(super) struct Text {
    table: Option<PathBuf>,
    columns: Vec<String>,
}

/// Encodes the pictures of the items.
pub(super) struct Image(Files);

/// Encodes the sounds of the items.
pub(super) struct Audio(Files);

/// Where files of items are: in a folder, or where a column of a table says, relative to it.
struct Files {
    /// The table or the folder.
    place: PathBuf,
    column: Option<String>,
}

/// The stages that make features: of texts, of pictures and of sounds where there are any.
pub(super) fn all(source: &Source) -> Vec<Box<dyn Stage>> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    if source.has_texts() {
        let items = source.items();
        let table = items.map(|items| items.path.clone());
        let columns = items.map_or_else(Vec::new, |items| items.text.clone());
        stages.push(Box::new(Text { table, columns }));
    }
    if let Some(pictures) = source.pictures() {
        stages.push(Box::new(Image(pictures.into())));
    }
    if let Some(sounds) = source.sounds() {
        stages.push(Box::new(Audio(sounds.into())));
    }
    stages
}

/// A model that is a folder is known by what is in it, one of the hub's cache by its name.
fn model(role: &str, model: &str) -> Option<(String, PathBuf)> {
    Path::new(model).is_dir().then(|| (role.to_owned(), PathBuf::from(model)))
}

fn named(model: &str) -> &str {
    if Path::new(model).is_dir() { "folder" } else { model }
}

/// How the table of items is read: encoding and quotes as in the interactions; the separator may be another.
pub(super) fn reading(config: &PipelineConfig) -> TextOptions {
    let (encoding, quotes) = (config.columns.encoding, config.columns.quotes);
    TextOptions { encoding, quotes, separator: None, names: config.item_names.clone() }
}

/// The way of reading, as a setting of the stage.
pub(super) fn how(config: &PipelineConfig) -> serde_json::Value {
    let reading = reading(config);
    if reading == TextOptions::default() { json!(READING) } else { json!([READING, reading]) }
}

impl Stage for Text {
    fn name(&self) -> String {
        layout::TEXT.into()
    }

    fn title(&self) -> String {
        "features of texts".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        let mut settings = json!({
            "model": named(&config.text_model),
            "columns": self.columns,
            "dims": config.text_dims,
            "pooling": config.text_pooling,
            "reading": how(config),
        });
        // Left out where there is none: features of earlier versions stay up to date.
        if let Some(prompt) = &config.text_prompt {
            settings["prompt"] = prompt.as_str().into();
        }
        Ok(settings)
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let items = self.table.iter().map(|items| ("items".to_owned(), items.clone()));
        items.chain(model("text_model", &config.text_model)).collect()
    }

    fn before(&self) -> Vec<String> {
        vec![layout::IMPORT.into()]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let config = context.config;
        let request = TextRequest {
            data: layout::imported(config),
            model: config.text_model.clone(),
            name: "text".into(),
            texts: self.table.clone(),
            columns: self.columns.clone(),
            out: Some(context.dir.clone()),
            overwrite: true,
            reading: reading(config),
            pooling: config.text_pooling.clone(),
            prompt: config.text_prompt.clone(),
            dims: config.text_dims,
            ..TextRequest::default()
        };
        let report = encode_texts(&request, &mut encoding(context))?;
        tell(context, &report);
        Ok(())
    }
}

impl From<ItemFiles<'_>> for Files {
    fn from(files: ItemFiles<'_>) -> Files {
        match files {
            ItemFiles::Column(table, column) => {
                Files { place: table.to_owned(), column: Some(column.to_owned()) }
            }
            ItemFiles::Folder(folder) => Files { place: folder.to_owned(), column: None },
        }
    }
}

impl Files {
    /// The folder; or the table, and the files that it names and that are there: those that are not will be reported.
    fn files(&self, kind: &str, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let Some(column) = &self.column else { return vec![(format!("{kind}s"), self.place.clone())] };
        let folder = self.place.parent().unwrap_or(Path::new(""));
        let cells = Cells { id: None, columns: vec![column.clone()], text: reading(config) };
        let mut found = vec![("items".to_owned(), self.place.clone())];
        // A table that cannot be read is refused by the stage itself, with its place.
        let _ = read_cells(&self.place, &cells, &mut |_, path| {
            let file = folder.join(path);
            if !path.is_empty() && file.is_file() {
                found.push((format!("{kind} {path}"), file));
            }
            Ok(())
        });
        found
    }
}

impl Stage for Image {
    fn name(&self) -> String {
        layout::IMAGE.into()
    }

    fn title(&self) -> String {
        "features of pictures".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "model": named(&config.image_model), "column": self.0.column, "reading": how(config) }))
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let files = self.0.files("picture", config).into_iter();
        files.chain(model("image_model", &config.image_model)).collect()
    }

    fn before(&self) -> Vec<String> {
        vec![layout::IMPORT.into()]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let config = context.config;
        let request = ImageRequest {
            data: layout::imported(config),
            images: self.0.place.clone(),
            column: self.0.column.clone(),
            model: config.image_model.clone(),
            name: "image".into(),
            out: Some(context.dir.clone()),
            overwrite: true,
            reading: reading(config),
            ..ImageRequest::default()
        };
        let report = encode_images(&request, &mut encoding(context))?;
        tell(context, &report);
        Ok(())
    }
}

impl Stage for Audio {
    fn name(&self) -> String {
        layout::AUDIO.into()
    }

    fn title(&self) -> String {
        "features of sounds".into()
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({
            "model": named(&config.audio_model),
            "seconds": config.audio_seconds,
            "column": self.0.column,
            "reading": how(config),
        }))
    }

    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        let files = self.0.files("sound", config).into_iter();
        files.chain(model("audio_model", &config.audio_model)).collect()
    }

    fn before(&self) -> Vec<String> {
        vec![layout::IMPORT.into()]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let config = context.config;
        let request = AudioRequest {
            data: layout::imported(config),
            audio: self.0.place.clone(),
            column: self.0.column.clone(),
            model: config.audio_model.clone(),
            name: "audio".into(),
            out: Some(context.dir.clone()),
            overwrite: true,
            reading: reading(config),
            seconds: config.audio_seconds,
            ..AudioRequest::default()
        };
        let report = encode_audio(&request, &mut encoding(context))?;
        tell(context, &report);
        Ok(())
    }
}

/// A listener for an encoding of this stage.
fn encoding<'c>(context: &'c mut Context) -> impl Listener<EncodeProgress> + 'c {
    |progress: &EncodeProgress| context.listener.event(&PipelineEvent::Encoding(*progress))
}

/// Says what was encoded and what is missing.
fn tell(context: &mut Context, report: &EncodeReport) {
    let EncodeReport { rows, width, missing, unknown, broken, .. } = report;
    context.note(format!("  {rows} items, {width} columns by {}; {missing} without", report.encoder));
    if *unknown > 0 {
        context
            .note(format!("  note: {unknown} rows are about items without interactions, and were left out"));
    }
    for remark in report.remarks() {
        context.note(format!("  note: {remark}"));
    }
    for item in broken.iter().take(5) {
        context.note(format!("  note: item {}: {}", item.item, item.reason));
    }
}
