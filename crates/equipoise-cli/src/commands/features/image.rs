//! `equipoise features image`

use super::progress::Shown;
use super::show::show;
use crate::commands::table_flags::TextFlags;
use crate::failure::Failure;
use crate::global::Global;
use clap::ValueEnum;
use equipoise_encode::{EncodeReport, ImagePooling, ImageRequest, encode_images};
use equipoise_jobs::Shard;
use std::path::PathBuf;

/// Encode the pictures of items: ViT, DINOv2, CLIP and SigLIP, or without a model.
///
/// Reads JPEG, PNG, WebP and GIF (the first frame), prepares them as the model's preprocessor_config.json says, and writes
/// NAME_feat.npy, NAME_feat_ids.json (whose row is whose), NAME_missing.json and NAME_encoder.json beside the data. Items without a picture, or with a broken one, are marked
/// missing. A run that is cut short goes on where it was when the same command is given again. Nothing is
/// downloaded.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data set; it needs no features yet.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of pictures named <raw item id>.jpg, .jpeg, .jfif, .png, .webp or .gif; or a table (.csv, .tsv, .parquet, .jsonl)
    /// with a column of paths.
    #[arg(long, value_name = "PATH")]
    images: PathBuf,
    /// Column of the table with paths, relative to the table [default: image].
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Column of the table with raw item ids [default: guessed].
    #[arg(long, value_name = "COLUMN")]
    id_column: Option<String>,
    #[command(flatten)]
    reading: TextFlags,
    /// Encoder: builtin (colours, layout and edges), the folder of a model, or org/name in the hub's cache.
    #[arg(long, value_name = "MODEL")]
    model: String,
    /// Name of the modality.
    #[arg(long, default_value = "image")]
    name: String,
    /// Which row stands for a picture.
    #[arg(long, value_enum, default_value = "model")]
    pooling: Pooling,
    /// Divide each row by its Euclidean norm.
    #[arg(long)]
    normalise: bool,
    /// Where the features go [default: the data set's directory].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace features of this name.
    #[arg(long)]
    overwrite: bool,
    /// Encode one part of the items and keep it, counted from 0: 3/64. The command without --shard puts the parts together.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Tokens that each thread encodes at a time: more take more memory [default: 1024].
    #[arg(long, value_name = "N")]
    batch_tokens: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  equipoise features image --data my-data --images photos --model builtin
  equipoise features image --data my-data --images photos --model openai/clip-vit-base-patch32
  equipoise features image --data my-data --images items.csv --column photo --model ./dinov2-small --name photo";

#[derive(Clone, Copy, ValueEnum)]
enum Pooling {
    /// What the model's authors use: the class token, CLIP's projection, SigLIP's attention head.
    Model,
    /// The class token.
    Cls,
    /// The mean of the patches.
    Mean,
    /// The class token through the pooler of a ViT.
    Pooler,
}

impl Args {
    fn request(&self) -> ImageRequest {
        ImageRequest {
            data: self.data.clone(),
            images: self.images.clone(),
            id_column: self.id_column.clone(),
            column: self.column.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            reading: self.reading.options(),
            out: self.out.clone(),
            overwrite: self.overwrite,
            shard: self.shard,
            pooling: match self.pooling {
                Pooling::Model => ImagePooling::Model,
                Pooling::Cls => ImagePooling::Cls,
                Pooling::Mean => ImagePooling::Mean,
                Pooling::Pooler => ImagePooling::Pooler,
            },
            normalise: self.normalise,
            batch_tokens: self.batch_tokens,
        }
    }
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let mut shown = Shown::new(global.quiet);
    let report = encode_images(&args.request(), &mut shown)?;
    show(&report, &notes(&report), 1, global)
}

fn notes(report: &EncodeReport) -> [(usize, &'static str); 5] {
    [
        (report.missing, "items without a usable picture were given the mean row and are listed as missing"),
        (report.unknown, "pictures of items that are not in the data set were left out"),
        (report.repeated, "further pictures of an item were left out"),
        (report.resumed, "items had been encoded by an earlier run"),
        (report.broken.len(), "pictures were broken, all named in the report:"),
    ]
}
