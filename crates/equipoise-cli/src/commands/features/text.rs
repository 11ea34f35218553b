//! `equipoise features text`

use super::common::Common;
use super::progress::Shown;
use super::show::show;
use crate::failure::Failure;
use crate::global::Global;
use equipoise_encode::{EncodeReport, TextRequest, encode_texts};
use std::path::PathBuf;

/// Encode the texts of a data set, with a sentence encoder or without any model.
///
/// Writes NAME_feat.npy (one row for each item), NAME_feat_ids.json (whose row is whose), NAME_missing.json (the items
/// without text, which have the mean row) and NAME_encoder.json (model, hashes, counts, times). A run that was cut short is
/// continued by the same command.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// The encoder: builtin, the folder of a model, or org/name in the hub's cache. Nothing is downloaded.
    #[arg(long, value_name = "MODEL", default_value = "builtin")]
    model: String,
    /// Name of the modality.
    #[arg(long, value_name = "NAME", default_value = "text")]
    name: String,
    /// Table of texts (.csv, .tsv, .parquet, .jsonl) with a column of item ids [default: texts.jsonl of the data set].
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// A column of texts; several are joined by blanks [default: text].
    #[arg(long = "column", value_name = "COLUMN")]
    columns: Vec<String>,
    /// Tokens that each thread encodes at a time [default: 1024].
    #[arg(long, value_name = "N")]
    batch_tokens: Option<usize>,
    /// Most tokens of a text, special tokens included [default: the model's].
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// How rows of tokens become one: cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken, or several joined by +
    /// [default: as the model's files say].
    #[arg(long, value_name = "POOLING")]
    pooling: Option<String>,
    /// Put before each text, as E5 ("passage: ") and Nomic's models ("search_document: ") want it [default: as the model's files say].
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Columns of the features of builtin [default: 64, or as many as the texts give].
    #[arg(long, value_name = "N")]
    dims: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  equipoise features text --data baby
  equipoise features text --data baby --model sentence-transformers/all-MiniLM-L6-v2
  equipoise features text --data baby --model models/minilm --texts items.csv --column title --column brand";

impl Args {
    fn request(&self) -> TextRequest {
        TextRequest {
            data: self.common.data.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            texts: self.texts.clone(),
            id_column: self.common.id_column.clone(),
            columns: self.columns.clone(),
            reading: self.common.reading(),
            out: self.common.out.clone(),
            overwrite: self.common.overwrite,
            shard: self.common.shard,
            batch_tokens: self.batch_tokens,
            max_length: self.max_length,
            pooling: self.pooling.clone(),
            prompt: self.prompt.clone(),
            dims: self.dims,
        }
    }
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let mut shown = Shown::new(global.quiet);
    let report = encode_texts(&args.request(), &mut shown)?;
    show(&report, &notes(&report), 0, global)
}

fn notes(report: &EncodeReport) -> [(usize, &'static str); 5] {
    [
        (report.missing, "items without text were given the mean row and are listed as missing"),
        (report.truncated, "texts were cut to the model's length"),
        (report.unknown, "texts of items that are not in the data set were left out"),
        (report.repeated, "further texts of an item were left out: the first is kept"),
        (report.resumed, "items had been encoded by an earlier run"),
    ]
}
