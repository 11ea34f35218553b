//! `equipoise data`

use super::convert::{self, ConvertArgs};
use super::reading::ReadArgs;
use super::{fake, import};
use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_data::check;
use equipoise_import::synthetic::{DemoConfig, ShopConfig, write_demo, write_shop};
use std::path::PathBuf;

/// Check, convert or import a data set, or make one up.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Read a data set and say what is in it and every fault that is found.
    Check(CheckArgs),
    Convert(ConvertArgs),
    /// Write made-up data: the data set of the demo, or the tables and pictures of a shop.
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
    /// The data set: a directory, or a table (.csv, .tsv, .txt, .jsonl, .parquet).
    path: PathBuf,
    #[command(flatten)]
    reading: ReadArgs,
}

/// Write made-up data.
///
/// `demo` is a data set with a strong, a weak and a worthless modality; `shop` is raw: interactions.csv, items.csv with
/// titles, and pictures.
#[derive(clap::Args)]
pub struct GenerateArgs {
    /// Which one.
    #[arg(default_value = "demo", value_parser = ["demo", "shop"])]
    name: String,
    /// Where it goes.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of users [default: 2000 of the demo, 600 of the shop].
    #[arg(long)]
    users: Option<usize>,
    /// Number of items [default: 1000 of the demo, 300 of the shop].
    #[arg(long)]
    items: Option<usize>,
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
    let seed = args.seed;
    if args.name == "shop" {
        let ShopConfig { users, items, .. } = ShopConfig::default();
        let (users, items) = (args.users.unwrap_or(users), args.items.unwrap_or(items));
        write_shop(&args.out, &ShopConfig { users, items, seed }).map_err(Failure::of_flags)?;
    } else {
        let DemoConfig { users, items, .. } = DemoConfig::default();
        let (users, items) = (args.users.unwrap_or(users), args.items.unwrap_or(items));
        write_demo(&args.out, &DemoConfig { users, items, seed }).map_err(Failure::of_flags)?;
    }
    if global.json() {
        return print::json(&serde_json::json!({ "name": args.name, "path": args.out }));
    }
    print::out(&format!("{} data written to {}\n", args.name, args.out.display()))
}
