//! What is asked for, and how it is done.

use std::path::{Path, PathBuf};
use std::time::Instant;

use equipoise_data::formats::Cells;
use equipoise_data::{ItemIds, TextOptions, item_ids, quoted};
use equipoise_jobs::{Key, Listener, Shard};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::builtin::Counts;
use super::embedder::{Asked, Embedder};
use super::pooling::Pooling;
use super::tokenizer::Tokens;
use crate::entities;
use crate::error::EncodeError;
use crate::item_texts::{self, ItemTexts};
use crate::job::{
    EncodeProgress, EncodeReport, Job, Memory, Place, Prepared, Store, VERSION, batches, key, run,
    there_already,
};
use crate::model_dir::ModelDir;

/// The encoder that needs no model.
pub(crate) const BUILTIN: &str = "builtin";

/// Columns of the built-in encoder's features unless told otherwise.
const DIMS: usize = 64;

/// Version of how texts become words: the features of another are not those of this one.
const WORDS: &str = "words 2";

/// Tokens of a batch unless told otherwise: the rows of a layer then stay in the processor's cache.
const BATCH_TOKENS: usize = 1024;

/// Texts of the items of a data set, to be encoded.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `data` | - | the data set; it needs no features yet |
/// | `model` | `builtin` | `builtin`, the folder of a model, or `org/name` in the hub's cache |
/// | `name` | `text` | name of the modality |
/// | `texts` | `<data>/texts.jsonl` | table of texts: `.csv`, `.tsv`, `.parquet`, `.jsonl` |
/// | `id_column` | guessed | its column of raw item ids |
/// | `columns` | `text` | its columns of texts, joined by blanks |
/// | `reading` | found out | how a table of text is read: [`TextOptions`] |
/// | `out` | the data set's directory | where the features go |
/// | `overwrite` | `false` | replace features of this name |
/// | `batch_tokens` | 1024 | tokens encoded at a time by each thread; at least 1 |
/// | `max_length` | the model's | most tokens of a text, special tokens included |
/// | `pooling` | as the model's files say | how rows of tokens become one: `cls`, `max`, `mean`, `mean_sqrt_len_tokens`, `weightedmean`, `lasttoken`, or several joined by `+` |
/// | `prompt` | the model's default | put before each text: `passage: ` for E5, `search_document: ` for Nomic's models |
/// | `shard` | - | encodes and keeps one part, `K/N` with `K` from 0; without it, all parts are put together and what is missing is encoded; not with `builtin` |
/// | `dims` | 64, or as many as the texts give | columns of the features of `builtin`; a number that is asked for is an error where the texts give fewer |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextRequest {
    /// The data set.
    pub data: PathBuf,
    /// The encoder; empty for `builtin`.
    pub model: String,
    /// Name of the modality; empty for `text`.
    pub name: String,
    /// Table of texts.
    pub texts: Option<PathBuf>,
    /// Column of raw item ids.
    pub id_column: Option<String>,
    /// Columns of texts.
    pub columns: Vec<String>,
    /// How a table of text is read, where finding it out is not enough.
    pub reading: TextOptions,
    /// Where the features go.
    pub out: Option<PathBuf>,
    /// Whether features of this name may be replaced.
    pub overwrite: bool,
    /// Tokens of a batch.
    pub batch_tokens: Option<usize>,
    /// Most tokens of a text.
    pub max_length: Option<usize>,
    /// How rows of tokens become one.
    pub pooling: Option<String>,
    /// What is put before each text.
    pub prompt: Option<String>,
    /// Columns of the built-in encoder's features.
    pub dims: Option<usize>,
    /// The part to encode.
    pub shard: Option<Shard>,
}

/// Encodes the texts of a data set and writes `<name>_feat.npy`, `<name>_feat_ids.json` (whose row is whose),
/// `<name>_missing.json` and `<name>_encoder.json`. HTML entities in texts are decoded.
///
/// A run that was cut short is continued by the next with the same contents, model and settings, to the same bits.
/// Features that such a run has written are not made again.
///
/// # Errors
/// [`EncodeError`] if the data set, the texts or the model cannot be used, or the features may not be written.
pub fn encode_texts(
    request: &TextRequest,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    request.check()?;
    let items = item_ids(&request.data)?;
    let name = if request.name.is_empty() { "text" } else { &request.name };
    let place = Place::of(&request.data, &items, request.out.as_deref(), name, request.overwrite)?;
    place.check()?;
    let (source, cells) = request.source()?;
    let mut found = item_texts::read(&items.ids, &source, &cells)?;
    let decoded = entities::decode(&mut found);
    let report = EncodeReport {
        encoder: request.model().to_owned(),
        source: source.display().to_string(),
        unknown: found.unknown,
        repeated: found.repeated,
        decoded,
        notes: std::mem::take(&mut found.notes),
        ..EncodeReport::default()
    };
    match request.model() {
        BUILTIN => with_counts(request, &place, &items, &found, report, listener),
        _ => with_model(request, &place, &items, &found, report, listener),
    }
}

impl TextRequest {
    fn model(&self) -> &str {
        if self.model.is_empty() { BUILTIN } else { &self.model }
    }

    fn check(&self) -> Result<(), EncodeError> {
        let builtin = self.model() == BUILTIN;
        let settings = [
            ("batch_tokens", self.batch_tokens, !builtin),
            ("max_length", self.max_length, !builtin),
            ("dims", self.dims, builtin),
        ];
        for (field, value, has) in settings {
            let Some(value) = value else { continue };
            let expected = match (has, value) {
                (false, _) => format!("nothing, since {} has no such setting", self.model()),
                (true, 0) => "1 or more".to_owned(),
                (true, _) => continue,
            };
            return Err(EncodeError::Setting { field, found: value.to_string(), expected });
        }
        if let Some(shard) = self.shard.filter(|_| builtin) {
            let expected = format!("nothing, since {BUILTIN} looks at all texts together");
            return Err(EncodeError::Setting { field: "shard", found: shard.to_string(), expected });
        }
        let words = [
            ("pooling", &self.pooling, "has no rows of tokens"),
            ("prompt", &self.prompt, "would take it for words of every text"),
        ];
        match words.into_iter().find_map(|(field, found, why)| Some((field, found.as_ref()?, why))) {
            Some((field, found, why)) if builtin => {
                let expected = format!("nothing, since {BUILTIN} {why}");
                Err(EncodeError::Setting { field, found: found.clone(), expected })
            }
            _ => Ok(()),
        }
    }

    /// The poolings that are asked for.
    fn poolings(&self) -> Result<Option<Vec<Pooling>>, EncodeError> {
        let Some(asked) = &self.pooling else { return Ok(None) };
        let poolings = Pooling::list(asked).map_err(|known| {
            let (found, expected) = (asked.clone(), format!("one of {known}, or several joined by +"));
            EncodeError::Setting { field: "pooling", found, expected }
        });
        poolings.map(Some)
    }

    fn source(&self) -> Result<(PathBuf, Cells), EncodeError> {
        let cells =
            Cells { id: self.id_column.clone(), columns: self.columns.clone(), text: self.reading.clone() };
        if let Some(texts) = &self.texts {
            if texts.is_dir() {
                let problem =
                    "a folder, expected a table: .csv, .tsv, .parquet or .jsonl; name the file in it";
                return Err(EncodeError::file(texts, problem));
            }
            return Ok((texts.clone(), cells));
        }
        let file = self.data.join("texts.jsonl");
        if file.is_file() {
            return Ok((file, cells));
        }
        let problem = "no texts.jsonl; name a table of texts with --texts";
        Err(EncodeError::file(&self.data, problem))
    }
}

/// A hash of the texts and of what is done with them.
fn fingerprint(items: &ItemIds, found: &ItemTexts, settings: &str) -> Key {
    let mut fingerprint = key("text");
    fingerprint.add(settings.as_bytes());
    for (id, text) in items.ids.iter().zip(&found.texts) {
        fingerprint.add(id.as_bytes());
        fingerprint.add(text.as_deref().unwrap_or_default().as_bytes());
    }
    fingerprint
}

fn with_model(
    request: &TextRequest,
    place: &Place,
    items: &ItemIds,
    found: &ItemTexts,
    report: EncodeReport,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    let model = ModelDir::find(&request.model)?;
    let asked = Asked {
        max_length: request.max_length,
        pooling: request.poolings()?,
        prompt: request.prompt.clone(),
    };
    let embedder = Embedder::open(&model, &asked)?;
    let files = model.hashes(&embedder.files)?;
    let most = request.batch_tokens.unwrap_or(BATCH_TOKENS);
    let hashes: Vec<&str> = files.iter().flat_map(|f| [&f.file[..], &f.blake3[..]]).collect();
    let pooling = request.pooling.as_ref().map(|_| format!(" {}", embedder.pooling())).unwrap_or_default();
    let prompt = request.prompt.as_ref().map(|prompt| format!(" prompt {prompt:?}")).unwrap_or_default();
    let settings = format!("{} {most} {}{pooling}{prompt}", embedder.max_length, hashes.join(" "));
    let job = Job {
        place,
        fingerprint: fingerprint(items, found, &settings).hex(),
        shard: request.shard,
        ids: &items.ids,
        report: EncodeReport {
            architecture: embedder.architecture.clone(),
            revision: model.revision.clone(),
            files,
            pooling: Some(embedder.pooling()),
            pooling_from: Some(embedder.pooling_from()),
            prompt: Some(embedder.prompt().to_owned()).filter(|prompt| !prompt.is_empty()),
            normalised: embedder.normalises(),
            max_length: Some(embedder.max_length),
            ..report
        },
        prepare: Box::new(|report| prepare(&embedder, items, found, most, report)),
    };
    run(&embedder, job, listener)
}

/// Tokens of every text, the longest first: the last batches are then short, and no thread is left with a long one.
fn prepare(
    embedder: &Embedder,
    items: &ItemIds,
    found: &ItemTexts,
    most: usize,
    report: &mut EncodeReport,
) -> Result<Prepared<Vec<u32>>, EncodeError> {
    let tokens = |(item, text): (usize, &Option<String>)| {
        let tokens = embedder.tokens(text.as_deref()?);
        let tokens = tokens.map_err(|problem| {
            let problem = format!("the text of item {}: {problem}", quoted(&items.ids[item]));
            EncodeError::file(Path::new(&report.source), problem)
        });
        Some(tokens.map(|tokens| (item as u32, tokens)))
    };
    let mut all: Vec<(u32, Tokens)> =
        found.texts.par_iter().enumerate().filter_map(tokens).collect::<Result<_, _>>()?;
    all.retain(|(_, tokens)| !tokens.ids.is_empty());
    report.truncated = all.iter().filter(|(_, tokens)| tokens.truncated).count();
    all.sort_by_key(|(item, tokens)| (std::cmp::Reverse(tokens.ids.len()), *item));
    let batches = batches(all.iter().map(|(_, tokens)| tokens.ids.len()), most);
    let (items, inputs) = all.into_iter().map(|(item, tokens)| (item, tokens.ids)).unzip();
    Ok(Prepared { items, inputs, batches })
}

fn with_counts(
    request: &TextRequest,
    place: &Place,
    items: &ItemIds,
    found: &ItemTexts,
    report: EncodeReport,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    let start = Instant::now();
    let asked = request.dims.map_or("usual".to_owned(), |dims| dims.to_string());
    let fingerprint = fingerprint(items, found, &format!("{BUILTIN} {WORDS} {asked}")).hex();
    if let Some(report) = there_already(place, &fingerprint, &items.ids)? {
        return Ok(report);
    }
    let (of, texts): (Vec<u32>, Vec<&str>) =
        found.texts.iter().zip(0..).filter_map(|(text, item)| Some((item, text.as_deref()?))).unzip();
    if texts.is_empty() {
        return Err(place.no_content(&report));
    }
    listener.event(&EncodeProgress { done: 0, total: texts.len(), before: 0 });
    let counts = Counts::of(&texts);
    let dims = columns(request.dims, &counts, &report.source)?;
    let rows = counts.features(dims);
    listener.event(&EncodeProgress { done: texts.len(), total: texts.len(), before: 0 });
    let seconds = start.elapsed().as_secs_f64();
    let mut report = EncodeReport {
        version: VERSION,
        name: place.name.clone(),
        architecture: "tf-idf with truncated singular value decomposition".into(),
        unshared: texts.len() - counts.texts().len(),
        rows: items.ids.len(),
        width: dims,
        usual_width: Some(DIMS).filter(|usual| request.dims.is_none() && dims < *usual),
        seconds,
        rate: texts.len() as f64 / seconds.max(1e-9),
        fingerprint,
        ..report
    };
    let store = Store::open(&place.dir, &place.name, &report.fingerprint, None)?;
    store.publishing()?;
    let of_rows = counts.texts().iter().map(|&text| of[text]).collect();
    place.write(&mut Memory { items: of_rows, rows, width: dims }, &items.ids, &mut report)?;
    store.finish()?;
    Ok(report)
}

/// Columns of the features: those asked for, or the usual number as far as the texts give so many.
fn columns(asked: Option<usize>, counts: &Counts, source: &str) -> Result<usize, EncodeError> {
    let most = counts.most();
    if most == 0 {
        let problem = "no word occurs in two texts, so that no two items are alike; give longer texts, or a model with \
                       --model";
        return Err(EncodeError::file(Path::new(source), problem));
    }
    match asked {
        None => Ok(DIMS.min(most)),
        Some(dims) if dims <= most => Ok(dims),
        Some(dims) => {
            let expected = format!(
                "at most {most}, since {} texts share a word with another and {} words and pairs of words occur in two \
                 texts; leave the setting out, or give more texts",
                counts.texts().len(),
                counts.terms()
            );
            Err(EncodeError::Setting { field: "dims", found: dims.to_string(), expected })
        }
    }
}
