//! What is asked for, and how it is done.

use std::path::{Path, PathBuf};

use equipoise_data::{TextOptions, item_ids};
use equipoise_jobs::{Listener, Shard};
use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::encoder::ImageEncoder;
use super::pooling::ImagePooling;
use crate::error::EncodeError;
use crate::file_job::FileJob;
use crate::item_files::{ItemFiles, Kind, Source, find};
use crate::job::{EncodeProgress, EncodeReport, Place};
use crate::model_dir::ModelDir;
use crate::text::BUILTIN;

/// Files of pictures.
const PICTURES: Kind = Kind {
    one: "picture",
    many: "pictures",
    option: "--images",
    column: "image",
    endings: &["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif"],
};

/// Where the picture of each of these items lies within a folder of files `<raw item id>.jpg` and so on, in its folders or itself:
/// the paths that [`encode_images`] reads, relative to the folder and with `/`. `None` where an item has none,
/// or its path is no text.
///
/// # Errors
/// If the folder cannot be read or has no picture of any item, or two of its folders have pictures of one.
pub fn picture_paths(ids: &[String], folder: &Path) -> Result<Vec<Option<String>>, EncodeError> {
    let reading = TextOptions::default();
    let source = Source { path: folder, id_column: None, column: None, reading: &reading };
    let within = |path: PathBuf| {
        let parts = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str());
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    };
    let found = find(ids, &source, &PICTURES)?;
    Ok(found.files.into_iter().map(|path| path.and_then(within)).collect())
}

/// Tokens of a batch unless told otherwise: five pictures of ViT-B/16, twenty of CLIP ViT-B/32.
const BATCH_TOKENS: usize = 1024;
/// What a picture of the built-in encoder counts as: batches of sixteen keep every thread at work.
const BUILTIN_TOKENS: usize = 64;

/// Pictures of the items of a data set, to be encoded.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `data` | - | the data set; it needs no features yet |
/// | `images` | - | a folder of `<raw item id>.jpg`, `.jpeg`, `.jfif`, `.png`, `.webp` or `.gif`; or a table: `.csv`, `.tsv`, `.parquet`, `.jsonl` |
/// | `id_column` | guessed | the table's column of raw item ids |
/// | `column` | `image` | its column of paths, relative to the table |
/// | `reading` | found out | how a table of text is read: [`TextOptions`] |
/// | `model` | - | `builtin` (colours, layout and edges), the folder of a model, or `org/name` in the hub's cache |
/// | `name` | `image` | name of the modality |
/// | `out` | the data set's directory | where the features go |
/// | `overwrite` | `false` | replace features of this name |
/// | `pooling` | `model` | which row stands for a picture, see [`ImagePooling`] |
/// | `normalise` | `false` | divide each row by its Euclidean norm |
/// | `shard` | - | encodes and keeps one part, `K/N` with `K` from 0; without it, all parts are put together and what is missing is encoded |
/// | `batch_tokens` | 1024 | tokens encoded at a time by each thread; at least 1 |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageRequest {
    /// The data set.
    pub data: PathBuf,
    /// Folder or table of pictures.
    pub images: PathBuf,
    /// Column of raw item ids.
    pub id_column: Option<String>,
    /// Column of paths.
    pub column: Option<String>,
    /// How a table of text is read, where finding it out is not enough.
    pub reading: TextOptions,
    /// The encoder.
    pub model: String,
    /// Name of the modality; empty for `image`.
    pub name: String,
    /// Where the features go.
    pub out: Option<PathBuf>,
    /// Whether features of this name may be replaced.
    pub overwrite: bool,
    /// Which row stands for a picture.
    pub pooling: ImagePooling,
    /// Whether rows are given norm 1.
    pub normalise: bool,
    /// Tokens of a batch.
    pub batch_tokens: Option<usize>,
    /// The part to encode.
    pub shard: Option<Shard>,
}

/// Encodes the pictures of a data set and writes `<name>_feat.npy`, `<name>_feat_ids.json` (whose row is whose),
/// `<name>_missing.json` and `<name>_encoder.json`.
///
/// Items without a picture, and those whose picture is broken, are marked missing; the broken ones are named in the
/// report. A run that was cut short is continued by the next with the same pictures, model and settings, to the same
/// bits. Features that such a run has written are not made again.
///
/// # Errors
/// [`EncodeError`] if the data set or the model cannot be used, no picture is of an item, or the features may not be
/// written.
pub fn encode_images(
    request: &ImageRequest,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    request.check()?;
    let items = item_ids(&request.data)?;
    let name = if request.name.is_empty() { "image" } else { &request.name };
    let place = Place::of(&request.data, &items, request.out.as_deref(), name, request.overwrite)?;
    let found = request.pictures(&items.ids)?;
    let sources = EncodeReport {
        encoder: request.model.clone(),
        normalised: request.normalise,
        source: request.images.display().to_string(),
        ..found.report()
    };
    let most = request.batch_tokens.unwrap_or(BATCH_TOKENS);
    let (settings, report);
    if request.model == BUILTIN {
        let encoder = Builtin { normalise: request.normalise };
        settings = format!("{BUILTIN} 1 {} {most}", request.normalise);
        report = EncodeReport { architecture: "colours, layout and edges".into(), ..sources };
        let (ids, shard) = (&items.ids, request.shard);
        let job = FileJob { kind: "image", place: &place, ids, found: &found, shard, settings, report };
        return job.run(&encoder, BUILTIN_TOKENS, most, listener);
    }
    let model = ModelDir::find(&request.model)?;
    let encoder = ImageEncoder::open(&model.path, request.pooling, request.normalise)?;
    let files = model.hashes(&encoder.files)?;
    let hashes: Vec<&str> = files.iter().flat_map(|f| [&f.file[..], &f.blake3[..]]).collect();
    settings = format!("{} {} {most} {}", encoder.pooling(), request.normalise, hashes.join(" "));
    report = EncodeReport {
        architecture: encoder.architecture.clone(),
        revision: model.revision.clone(),
        files,
        pooling: Some(encoder.pooling().to_owned()),
        ..sources
    };
    let (ids, shard) = (&items.ids, request.shard);
    let job = FileJob { kind: "image", place: &place, ids, found: &found, shard, settings, report };
    job.run(&encoder, encoder.tokens(), most, listener)
}

impl ImageRequest {
    fn check(&self) -> Result<(), EncodeError> {
        if self.model.is_empty() {
            let expected = "builtin, the folder of a model, or org/name in the hub's cache".into();
            return Err(EncodeError::Setting { field: "model", found: "\"\"".into(), expected });
        }
        if self.model == BUILTIN && self.pooling != ImagePooling::Model {
            let expected = "model, since the built-in encoder has no tokens".into();
            let found = self.pooling.name().to_owned();
            return Err(EncodeError::Setting { field: "pooling", found, expected });
        }
        match self.batch_tokens {
            Some(0) => {
                let expected = "1 or more".into();
                Err(EncodeError::Setting { field: "batch_tokens", found: "0".into(), expected })
            }
            _ => Ok(()),
        }
    }

    fn pictures(&self, ids: &[String]) -> Result<ItemFiles, EncodeError> {
        let (id_column, column) = (self.id_column.as_deref(), self.column.as_deref());
        let source = Source { path: &self.images, id_column, column, reading: &self.reading };
        find(ids, &source, &PICTURES)
    }
}
