//! What is asked for, and how it is done.

use std::fs::File;
use std::path::{Path, PathBuf};

use equipoise_data::formats::Cells;
use equipoise_data::{TextOptions, item_ids};
use equipoise_jobs::Listener;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::encoder::ImageEncoder;
use super::model::ImagePooling;
use super::sources::{Pictures, in_folder, in_table};
use crate::error::EncodeError;
use crate::job::{EncodeProgress, EncodeReport, Encoder, Job, Place, Prepared, batches, key, run};
use crate::model_dir::ModelDir;
use crate::text::BUILTIN;

/// Tokens of a batch unless told otherwise: five pictures of ViT-B/16, twenty of CLIP ViT-B/32.
const BATCH_TOKENS: usize = 1024;

/// Pictures of the items of a data set, to be encoded.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `data` | - | the data set; it needs no features yet |
/// | `images` | - | a folder of `<raw item id>.jpg`, `.jpeg`, `.jfif`, `.png`, `.webp` or `.gif`; or a table: `.csv`, `.tsv`, `.parquet`, `.jsonl` |
/// | `id_column` | guessed | the table's column of raw item ids |
/// | `column` | `image` | its column of paths, relative to the table |
/// | `reading` | found out | how a table of text is read: encoding, separator, quotes |
/// | `model` | - | `builtin` (colours, layout and edges), the folder of a model, or `org/name` in the hub's cache |
/// | `name` | `image` | name of the modality |
/// | `out` | the data set's directory | where the features go |
/// | `overwrite` | `false` | replace features of this name |
/// | `pooling` | `model` | which row stands for a picture, see [`ImagePooling`] |
/// | `normalise` | `false` | divide each row by its Euclidean norm |
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
        unknown: found.unknown,
        repeated: found.repeated,
        notes: found.notes.clone(),
        broken: found.unusable.clone(),
        passed_over: found.passed_over.clone(),
        ..EncodeReport::default()
    };
    let most = request.batch_tokens.unwrap_or(BATCH_TOKENS);
    let (settings, report);
    if request.model == BUILTIN {
        let encoder = Builtin { normalise: request.normalise };
        settings = format!("{BUILTIN} 1 {} {most}", request.normalise);
        report = EncodeReport { architecture: "colours, layout and edges".into(), ..sources };
        let described = Described { place: &place, ids: &items.ids, found: &found, settings, report };
        return described.encoded(&encoder, 1, most, listener);
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
    let described = Described { place: &place, ids: &items.ids, found: &found, settings, report };
    described.encoded(&encoder, encoder.tokens(), most, listener)
}

/// A job but for its encoder.
struct Described<'a> {
    place: &'a Place,
    ids: &'a [String],
    found: &'a Pictures,
    /// What decides the result beside the pictures.
    settings: String,
    report: EncodeReport,
}

impl Described<'_> {
    /// Runs it with pictures of `tokens` tokens in batches of at most `most`.
    fn encoded(
        self,
        encoder: &impl Encoder<Input = PathBuf>,
        tokens: usize,
        most: usize,
        listener: &mut dyn Listener<EncodeProgress>,
    ) -> Result<EncodeReport, EncodeError> {
        let found = self.found;
        let job = Job {
            place: self.place,
            fingerprint: fingerprint(self.ids, found, &self.settings),
            ids: self.ids,
            report: self.report,
            prepare: Box::new(move |_| Ok(prepare(found, tokens, most))),
        };
        run(encoder, job, listener)
    }
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

    fn pictures(&self, ids: &[String]) -> Result<Pictures, EncodeError> {
        // Says that there is no such file rather than what is wrong with its name.
        std::fs::metadata(&self.images).map_err(EncodeError::io(&self.images))?;
        if self.images.is_dir() {
            if let Some(column) = self.column.as_ref().or(self.id_column.as_ref()) {
                let expected = format!("no column, since {} is a folder", self.images.display());
                return Err(EncodeError::Setting { field: "column", found: column.clone(), expected });
            }
            return in_folder(ids, &self.images);
        }
        let column = self.column.clone().unwrap_or_else(|| "image".to_owned());
        let cells = Cells { id: self.id_column.clone(), columns: vec![column], text: self.reading.clone() };
        in_table(ids, &self.images, &cells)
    }
}

/// Pictures in the order of the items, in batches of equal size.
fn prepare(found: &Pictures, tokens: usize, most: usize) -> Prepared<PathBuf> {
    let there = found.files.iter().zip(0u32..).filter_map(|(file, item)| Some((item, file.clone()?)));
    let (items, inputs): (Vec<u32>, Vec<PathBuf>) = there.unzip();
    let batches = batches(inputs.iter().map(|_| tokens), most);
    Prepared { items, inputs, batches }
}

/// A hash of the pictures and of what is done with them.
fn fingerprint(ids: &[String], found: &Pictures, settings: &str) -> String {
    let mut fingerprint = key("image");
    fingerprint.add(settings.as_bytes());
    let hashes: Vec<Option<blake3::Hash>> =
        found.files.par_iter().map(|file| hash(file.as_deref()?)).collect();
    for (id, hash) in ids.iter().zip(hashes) {
        fingerprint.add(id.as_bytes());
        fingerprint.add(hash.as_ref().map_or(&[][..], |hash| &hash.as_bytes()[..]));
    }
    fingerprint.hex()
}

/// BLAKE3 of a file; `None` where it cannot be read, which its item will be told.
fn hash(file: &Path) -> Option<blake3::Hash> {
    if !file.is_file() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(file).ok()?).ok()?;
    Some(hasher.finalize())
}
