//! `equipoise export`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;
use equipoise_data::read_text;

use equipoise_recommend::{ExportOptions, ExportReport, ExportTarget, TARGETS, Upload, export};
use std::path::PathBuf;

/// Write a model for others: a served model of its own, tables, or points and rows for vector databases.
#[derive(clap::Args)]
#[command(after_help = after_help())]
pub struct Args {
    /// A run, or a served model.
    model: PathBuf,
    /// The form.
    #[arg(long, value_name = "TARGET", value_parser = targets())]
    to: String,
    /// A new directory.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace an earlier export of this form.
    #[arg(long)]
    overwrite: bool,
    /// serving: store tables as float16, half the size, and say what that changes on validation.
    #[arg(long)]
    half: bool,
    /// serving: name of the model from now on [default: that of the run].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// qdrant: give every point a vector for each part of the score as well.
    #[arg(long)]
    named_vectors: bool,
    /// qdrant, postgres: name of the collection or schema [default: equipoise].
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// qdrant: upload to the server at this address, such as http://localhost:6333.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File that holds the server's key [default: the variable QDRANT_API_KEY, if it is set].
    #[arg(long, value_name = "FILE", requires = "url")]
    api_key_file: Option<PathBuf>,
}

fn targets() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(TARGETS.iter().map(|target| target.name))
}

fn after_help() -> String {
    let width = TARGETS.iter().map(|target| target.name.len()).max().unwrap_or_default();
    let lines = TARGETS.iter().map(|target| format!("  {:width$}  {}\n", target.name, target.summary));
    format!(
        "Targets:\n{}\nExamples:\n  equipoise export runs/ckd --to serving --half --out served/ckd\n  \
         equipoise export runs/ckd --to qdrant --url http://localhost:6333 --out points",
        lines.collect::<String>()
    )
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let options = options(args)?;
    let target: &ExportTarget =
        TARGETS.iter().find(|target| target.name == args.to).expect("clap lets no other pass");
    let report = export(&args.model, target, &args.out, &options)?;
    if !global.quiet {
        report.notes.iter().for_each(|note| print::say(&format!("note: {note}")));
    }
    if global.json() { print::json(&report) } else { print::out(&shown(&report)) }
}

fn options(args: &Args) -> Result<ExportOptions, Failure> {
    let upload = match &args.url {
        Some(url) => Some(Upload { url: url.clone(), api_key: api_key(args)? }),
        None => None,
    };
    Ok(ExportOptions {
        overwrite: args.overwrite,
        half: args.half,
        name: args.name.clone(),
        named_vectors: args.named_vectors,
        into: args.into.clone(),
        upload,
    })
}

/// The key of the server: never from the command line, which every user of the machine can read.
fn api_key(args: &Args) -> Result<Option<String>, Failure> {
    let key = match &args.api_key_file {
        Some(path) => Some(read_text(path).map_err(|error| Failure::file(path, &error))?),
        None => std::env::var("QDRANT_API_KEY").ok(),
    };
    let key = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    match (&args.api_key_file, &key) {
        (Some(path), None) => Err(Failure::input(format!("{}: empty, expected a key", path.display()))),
        (_, Some(key)) if !key.chars().all(|c| c.is_ascii_graphic()) => {
            Err(Failure::input("the API key: expected one word of ASCII characters"))
        }
        _ => Ok(key),
    }
}

fn shown(report: &ExportReport) -> String {
    let size = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let rows: Vec<Vec<String>> =
        report.files.iter().map(|file| vec![file.name.clone(), size(file.bytes)]).collect();
    let mut text = print::table(&["file", "size"], &rows);
    if let Some(change) = &report.half {
        text.push_str(&format!(
            "{} on validation: {:.4} with float32, {:.4} with float16 ({:+.4})\n",
            change.metric,
            change.float32,
            change.float16,
            change.float16 - change.float32
        ));
    }
    if let Some(points) = report.uploaded {
        text.push_str(&format!("{points} points uploaded\n"));
    }
    text.push_str(&format!(
        "{} (version {}) written to {}\n",
        report.model.name,
        report.model.version,
        report.out.display()
    ));
    text
}
