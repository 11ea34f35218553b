//! `equipoise feedback`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_serve::export;
use std::path::PathBuf;

/// What users did since training, as a server kept it.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Write feedback as a table for the next training.
    Export(ExportArgs),
}

/// Write feedback as a table for the next training.
///
/// The columns are user_id, item_id, rating (the weight of the event), timestamp (seconds since 1970) and kind, a row for each event in
/// the order of arrival. The server may go on meanwhile.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  equipoise feedback export shop.sqlite --out feedback.parquet
  equipoise data convert feedback.parquet --split time --features image=image.parquet --to equipoise --out next")]
pub struct ExportArgs {
    /// The file that `equipoise serve --feedback` writes.
    file: PathBuf,
    /// The table, .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write events of weight 0 as well. A training takes every row for a positive, so they are left out otherwise.
    #[arg(long)]
    all: bool,
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    let Command::Export(args) = command;
    let exported = export(&args.file, &args.out, args.all)?;
    if global.json() {
        return print::json(&exported);
    }
    let left_out = match exported.left_out {
        0 => String::new(),
        events => format!(" Left out: {events} of weight 0 (--all writes them)."),
    };
    let events = if exported.rows == 1 { "1 event".to_owned() } else { format!("{} events", exported.rows) };
    print::out(&format!("{}: {events}.{left_out}\n", args.out.display()))
}
