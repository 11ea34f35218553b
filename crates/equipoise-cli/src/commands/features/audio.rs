//! `equipoise features audio`

use super::common::Common;
use super::progress::Shown;
use super::show::show;
use crate::failure::Failure;
use crate::global::Global;
use equipoise_encode::{AudioRequest, EncodeReport, encode_audio};
use std::path::PathBuf;

/// Encode the sounds of items: with Whisper's encoder, or without a model.
///
/// Reads WAV, AIFF, FLAC, MP3, Ogg Vorbis, MP4 and AAC, whatever their rate and their number of channels, and writes
/// NAME_feat.npy, NAME_feat_ids.json (whose row is whose), NAME_missing.json and NAME_encoder.json beside the data. Items without a
/// sound, or with a broken or silent one, are marked missing. A run that is cut short goes on where it was when the same command is
/// given again. Nothing is downloaded.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder of sounds named <raw item id>.wav, .flac, .aiff, .aif, .mp3, .ogg, .oga, .m4a, .mp4 or .aac; or a table (.csv, .tsv,
    /// .parquet, .jsonl) with a column of paths.
    #[arg(long, value_name = "PATH")]
    audio: PathBuf,
    /// Column of the table with paths, relative to the table [default: audio].
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Encoder: builtin (how loud each of 64 mel bands is, how much that varies and how fast), the folder of a Whisper model, or org/name
    /// in the hub's cache.
    #[arg(long, value_name = "MODEL", default_value = "builtin")]
    model: String,
    /// Name of the modality.
    #[arg(long, default_value = "audio")]
    name: String,
    /// Seconds of each sound that are read, from its start [default: 120].
    #[arg(long, value_name = "N")]
    seconds: Option<u32>,
    /// Divide each row by its Euclidean norm.
    #[arg(long)]
    normalise: bool,
}

const EXAMPLES: &str = "\
Examples:
  equipoise features audio --data my-data --audio sounds
  equipoise features audio --data my-data --audio tracks.csv --column preview --seconds 30
  equipoise features audio --data my-data --audio sounds --name speech --model openai/whisper-tiny";

impl Args {
    fn request(&self) -> AudioRequest {
        AudioRequest {
            data: self.common.data.clone(),
            audio: self.audio.clone(),
            id_column: self.common.id_column.clone(),
            column: self.column.clone(),
            reading: self.common.reading(),
            model: self.model.clone(),
            name: self.name.clone(),
            out: self.common.out.clone(),
            overwrite: self.common.overwrite,
            shard: self.common.shard,
            seconds: self.seconds,
            normalise: self.normalise,
        }
    }
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let mut shown = Shown::new(global.quiet);
    let report = encode_audio(&args.request(), &mut shown)?;
    show(&report, &notes(&report), 1, global)
}

fn notes(report: &EncodeReport) -> [(usize, &'static str); 5] {
    [
        (report.missing, "items without a usable sound were given the mean row and are listed as missing"),
        (report.unknown, "sounds of items that are not in the data set were left out"),
        (report.repeated, "further sounds of an item were left out"),
        (report.resumed, "items had been encoded by an earlier run"),
        (report.broken.len(), "sounds were broken or silent, all named in the report:"),
    ]
}
