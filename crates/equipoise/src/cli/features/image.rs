//! `equipoise features image`

use super::show;
use crate::cli::{Failure, Global};
use clap::ValueEnum;
use equipoise_encode::{ImagePooling, ImageRequest, encode_images};
use std::path::PathBuf;

/// Encode the pictures of items: ViT, DINOv2, CLIP and SigLIP.
///
/// Reads JPEG, PNG and WebP, prepares them as the model's preprocessor_config.json says, and writes NAME_feat.npy,
/// NAME_missing.json and NAME_encoder.json beside the data. Items without a picture, or with a broken one, are marked
/// missing. A run that is cut short goes on where it was when the same command is given again. Nothing is
/// downloaded.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ImageArgs {
    /// The data set; it needs no features yet.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of pictures named <raw item id>.jpg, .jpeg, .png or .webp; or a table (.csv, .tsv, .parquet, .jsonl)
    /// with a column of paths.
    #[arg(long, value_name = "PATH")]
    images: PathBuf,
    /// Column of the table with paths, relative to the table [default: image].
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Column of the table with raw item ids [default: guessed].
    #[arg(long, value_name = "COLUMN")]
    id_column: Option<String>,
    /// Folder of the model, or org/name in the hub's cache.
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
    /// Tokens that each thread encodes at a time: more take more memory [default: 1024].
    #[arg(long, value_name = "N")]
    batch_tokens: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
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

pub fn run(args: &ImageArgs, global: &Global) -> Result<(), Failure> {
    let request = ImageRequest {
        data: args.data.clone(),
        images: args.images.clone(),
        id_column: args.id_column.clone(),
        column: args.column.clone(),
        model: args.model.clone(),
        name: args.name.clone(),
        out: args.out.clone(),
        overwrite: args.overwrite,
        pooling: match args.pooling {
            Pooling::Model => ImagePooling::Model,
            Pooling::Cls => ImagePooling::Cls,
            Pooling::Mean => ImagePooling::Mean,
            Pooling::Pooler => ImagePooling::Pooler,
        },
        normalise: args.normalise,
        batch_tokens: args.batch_tokens,
    };
    show(global, |progress| encode_images(&request, progress))
}
