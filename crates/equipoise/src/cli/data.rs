//! `equipoise data`

use super::convert::{self, ConvertArgs};
use super::reading::ReadArgs;
use super::{Failure, Global, fake, import, print};
use equipoise_data::{DemoConfig, check, write_demo};
use std::path::PathBuf;

/// Check, convert or import a data set, or make one up.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Read a data set and say what is in it and every fault that is found.
    Check(CheckArgs),
    Convert(ConvertArgs),
    /// Write the made-up data set of the demo: a strong, a weak and a worthless modality.
    Generate(GenerateArgs),
    /// Make a data set from raw files.
    #[command(subcommand)]
    Import(import::Command),
    /// Write made-up files in exactly the formats of the Amazon releases, of a given size.
    #[command(hide = true)]
    FakeAmazon(Box<fake::Args>),
}

/// Read a data set and say what is in it and every fault that is found.
#[derive(clap::Args)]
pub struct CheckArgs {
    /// The data set: a directory, or a table (.csv, .tsv, .parquet).
    path: PathBuf,
    #[command(flatten)]
    reading: ReadArgs,
}

/// Write the made-up data set of the demo.
#[derive(clap::Args)]
pub struct GenerateArgs {
    /// Which one.
    #[arg(default_value = "demo", value_parser = ["demo"])]
    name: String,
    /// Where it goes.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of users.
    #[arg(long, default_value_t = DemoConfig::default().users)]
    users: usize,
    /// Number of items.
    #[arg(long, default_value_t = DemoConfig::default().items)]
    items: usize,
    /// Seed from which everything follows.
    #[arg(long, default_value_t = DemoConfig::default().seed)]
    seed: u64,
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check_data(args, global),
        Command::Convert(args) => convert::run(args, global),
        Command::Generate(args) => generate(args, global),
        Command::Import(command) => import::run(command, global),
        Command::FakeAmazon(args) => fake::run(args, global),
    }
}

fn check_data(args: &CheckArgs, global: &Global) -> Result<(), Failure> {
    let report = check(&args.path, &args.reading.options()?);
    if global.json() {
        print::json(&report)?;
    } else {
        print::out(&report.to_string())?;
    }
    match report.faults.len() {
        0 => Ok(()),
        1 => Err(Failure::input(format!("{}: 1 fault", args.path.display()))),
        n => Err(Failure::input(format!("{}: {n} faults", args.path.display()))),
    }
}

fn generate(args: &GenerateArgs, global: &Global) -> Result<(), Failure> {
    write_demo(&args.out, &DemoConfig { users: args.users, items: args.items, seed: args.seed })?;
    if global.json() {
        return print::json(&serde_json::json!({ "name": args.name, "path": args.out }));
    }
    print::out(&format!("{} data written to {}\n", args.name, args.out.display()))
}
