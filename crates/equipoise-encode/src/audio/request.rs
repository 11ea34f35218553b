//! What is asked for, and how it is done.

use std::path::PathBuf;

use equipoise_data::{TextOptions, item_ids};
use equipoise_jobs::{Listener, Shard};
use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::whisper::Whisper;
use crate::error::EncodeError;
use crate::file_job::FileJob;
use crate::item_files::{ItemFiles, Kind, Source, find};
use crate::job::{EncodeProgress, EncodeReport, Place};
use crate::model_dir::ModelDir;
use crate::text::BUILTIN;

/// Files of sounds.
const SOUNDS: Kind = Kind {
    one: "sound",
    many: "sounds",
    option: "--audio",
    column: "audio",
    endings: &["wav", "flac", "aiff", "aif", "mp3", "ogg", "oga", "m4a", "mp4", "aac"],
};

/// Seconds of a sound that are read unless told otherwise.
const SECONDS: u32 = 120;
/// Most seconds that may be asked for: a day.
const MOST_SECONDS: u32 = 86_400;
/// Sounds of a batch, which one thread encodes.
const BATCH: usize = 4;

/// Sounds of the items of a data set, to be encoded.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `data` | - | the data set; it needs no features yet |
/// | `audio` | - | a folder of `<raw item id>.wav`, `.flac`, `.aiff`, `.aif`, `.mp3`, `.ogg`, `.oga`, `.m4a`, `.mp4` or `.aac`; or a table: `.csv`, `.tsv`, `.parquet`, `.jsonl` |
/// | `id_column` | guessed | the table's column of raw item ids |
/// | `column` | `audio` | its column of paths, relative to the table |
/// | `reading` | found out | how a table of text is read: [`TextOptions`] |
/// | `model` | `builtin` | `builtin` (levels of 64 mel bands over time), the folder of a Whisper model, or `org/name` in the hub's cache |
/// | `name` | `audio` | name of the modality |
/// | `out` | the data set's directory | where the features go |
/// | `overwrite` | `false` | replace features of this name |
/// | `seconds` | 120 | seconds of each sound that are read, from its start; 1 to 86400 |
/// | `shard` | - | encodes and keeps one part, `K/N` with `K` from 0; without it, all parts are put together and what is missing is encoded |
/// | `normalise` | `false` | divide each row by its Euclidean norm |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudioRequest {
    /// The data set.
    pub data: PathBuf,
    /// Folder or table of sounds.
    pub audio: PathBuf,
    /// Column of raw item ids.
    pub id_column: Option<String>,
    /// Column of paths.
    pub column: Option<String>,
    /// How a table of text is read, where finding it out is not enough.
    pub reading: TextOptions,
    /// The encoder; empty for `builtin`.
    pub model: String,
    /// Name of the modality; empty for `audio`.
    pub name: String,
    /// Where the features go.
    pub out: Option<PathBuf>,
    /// Whether features of this name may be replaced.
    pub overwrite: bool,
    /// Seconds of each sound that are read.
    pub seconds: Option<u32>,
    /// Whether rows are given norm 1.
    pub normalise: bool,
    /// The part to encode.
    pub shard: Option<Shard>,
}

/// Encodes the sounds of a data set and writes `<name>_feat.npy`, `<name>_feat_ids.json` (whose row is whose),
/// `<name>_missing.json` and `<name>_encoder.json`.
///
/// Items without a sound, and those whose sound is broken or silent, are marked missing; the latter are named in the
/// report. A run that was cut short is continued by the next with the same sounds, model and settings, to the same bits. Features
/// that such a run has written are not made again.
///
/// # Errors
/// [`EncodeError`] if the data set or the model cannot be used, no sound is of an item, or the features may not be written.
pub fn encode_audio(
    request: &AudioRequest,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    request.check()?;
    let seconds = request.seconds.unwrap_or(SECONDS);
    let items = item_ids(&request.data)?;
    let name = if request.name.is_empty() { "audio" } else { &request.name };
    let place = Place::of(&request.data, &items, request.out.as_deref(), name, request.overwrite)?;
    let found = request.sounds(&items.ids)?;
    let sources = EncodeReport {
        normalised: request.normalise,
        max_seconds: Some(seconds),
        source: request.audio.display().to_string(),
        ..found.report()
    };
    let how = format!("{} {seconds}", request.normalise);
    let job = |settings: String, report: EncodeReport| FileJob {
        kind: "audio",
        place: &place,
        ids: &items.ids,
        found: &found,
        shard: request.shard,
        settings,
        report,
    };
    if ["", BUILTIN].contains(&request.model.as_str()) {
        let architecture = "levels of mel bands".into();
        let report = EncodeReport { encoder: BUILTIN.to_owned(), architecture, ..sources };
        let job = job(format!("{BUILTIN} 1 {how}"), report);
        return job.run(&Builtin::new(seconds, request.normalise), 1, BATCH, listener);
    }
    let model = ModelDir::find(&request.model)?;
    let encoder = Whisper::open(&model.path, seconds, request.normalise)?;
    let files = model.hashes(&encoder.files)?;
    let hashes: Vec<&str> = files.iter().flat_map(|f| [&f.file[..], &f.blake3[..]]).collect();
    let settings = format!("whisper 1 {how} {}", hashes.join(" "));
    let report = EncodeReport {
        encoder: request.model.clone(),
        architecture: "whisper".into(),
        revision: model.revision.clone(),
        files,
        pooling: Some("mean".into()),
        ..sources
    };
    // A sound takes a thread many times as long as with the built-in encoder.
    job(settings, report).run(&encoder, 1, 1, listener)
}

impl AudioRequest {
    fn check(&self) -> Result<(), EncodeError> {
        match self.seconds {
            Some(seconds) if !(1..=MOST_SECONDS).contains(&seconds) => {
                let expected = format!("1 to {MOST_SECONDS}");
                Err(EncodeError::Setting { field: "seconds", found: seconds.to_string(), expected })
            }
            _ => Ok(()),
        }
    }

    fn sounds(&self, ids: &[String]) -> Result<ItemFiles, EncodeError> {
        let (id_column, column) = (self.id_column.as_deref(), self.column.as_deref());
        let source = Source { path: &self.audio, id_column, column, reading: &self.reading };
        find(ids, &source, &SOUNDS)
    }
}
