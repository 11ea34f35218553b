//! `equipoise items`

use super::reading::source;
use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_data::FeatureSource;
use equipoise_recommend::{AddItems, AddedReport, BlockMapKind, add_items, read_new_items};
use std::path::PathBuf;

/// Change the items of a served model.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Add items that were not in training, by their features alone.
    Add(AddArgs),
}

/// Add items that were not in training, by their features alone.
///
/// Writes a new version of the served model with the new items at the end. Their features go through what training ended with: the
/// trained projection where the model is a sum over modalities, else a linear map that was fitted to the items of the training. The part
/// of the ids is the mean over items.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddArgs {
    /// A run, or a served model.
    model: PathBuf,
    /// The new items: .csv, .tsv, .jsonl or .parquet with a column of ids; title, picture and other columns are kept.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// Features of a modality, made as those of the training were: .npy, .npz, .safetensors, .parquet, .csv, or a folder.
    #[arg(long, value_name = "NAME=FILE", value_parser = source)]
    features: Vec<FeatureSource>,
    /// Where the new version goes.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a served model that is there, which may be MODEL itself.
    #[arg(long)]
    overwrite: bool,
}

const EXAMPLES: &str = "\
Rows of features find their items by raw id (see docs/data-formats.md, Features); rows without ids are taken in the order of the
items if there are as many. The encoder of the training makes the vectors: equipoise features text --data DIR --model MODEL.

Example:
  equipoise items add served/ckd --items new.csv --features image=new/image_feat.npy --features text=new/text_feat.npy \\
      --out served/ckd-2";

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args, global),
    }
}

fn add(args: &AddArgs, global: &Global) -> Result<(), Failure> {
    let mut notes = Vec::new();
    let request = AddItems {
        model: args.model.clone(),
        items: read_new_items(&args.items, &mut notes)?,
        features: args.features.clone(),
        out: args.out.clone(),
        overwrite: args.overwrite,
    };
    let mut report = add_items(&request)?;
    report.notes.splice(0..0, notes);
    if !global.quiet {
        report.notes.iter().for_each(|note| print::say(&format!("note: {note}")));
    }
    if global.json() { print::json(&report) } else { print::out(&shown(&report, args)) }
}

fn shown(report: &AddedReport, args: &AddArgs) -> String {
    let way = |kind: &BlockMapKind| match kind {
        BlockMapKind::Mean => "the mean of the items in training",
        BlockMapKind::Projection => "the trained projection",
        BlockMapKind::ProjectionAndCategory => "the trained projection less the vector of the category",
        BlockMapKind::ProjectionAndMean => "the trained projection less the mean vector of an item",
        BlockMapKind::Ridge => "a linear map of the features",
    };
    let rows: Vec<Vec<String>> =
        report.placed.blocks.iter().map(|(name, kind)| vec![name.clone(), way(kind).to_owned()]).collect();
    format!(
        "{}{} items added, {} in all (version {}) written to {}\n",
        print::table(&["part of the score", "row of a new item"], &rows),
        report.added,
        report.items,
        report.version,
        args.out.display()
    )
}
