//! `equipoise features image`

use super::common::Common;
use super::progress::Shown;
use super::show::show;
use crate::failure::Failure;
use crate::global::Global;
use clap::ValueEnum;
use equipoise_encode::{EncodeReport, ImagePooling, ImageRequest, encode_images};
use std::path::PathBuf;

/// Encode the pictures of items: ViT, DINOv2, CLIP, SigLIP, ResNet and ConvNeXt, or without a model.
///
/// Reads JPEG, PNG, WebP and GIF (the first frame), prepares them as the model's preprocessor_config.json says, and writes
/// NAME_feat.npy, NAME_feat_ids.json (whose row is whose), NAME_missing.json and NAME_encoder.json beside the data. Items without a picture, or with a broken one, are marked
/// missing. A run that is cut short goes on where it was when the same command is given again. Nothing is
/// downloaded.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder of pictures named <raw item id>.jpg, .jpeg, .jfif, .png, .webp or .gif; or a table (.csv, .tsv, .parquet, .jsonl)
    /// with a column of paths.
    #[arg(long, value_name = "PATH")]
    images: PathBuf,
    /// Column of the table with paths, relative to the table [default: image].
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
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
    /// What the model's authors use: the class token, CLIP's projection, SigLIP's attention head, the mean over pixels of a
    /// convolutional network.
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
            data: self.common.data.clone(),
            images: self.images.clone(),
            id_column: self.common.id_column.clone(),
            column: self.column.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            reading: self.common.reading(),
            out: self.common.out.clone(),
            overwrite: self.common.overwrite,
            shard: self.common.shard,
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
