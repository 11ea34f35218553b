//! `equipoise data import`: raw files to a data set.

use super::splits;
use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_data::{Shares, SplitRule};
use equipoise_import::{AmazonConfig, BadLines, TextRule, import_amazon};
use std::path::PathBuf;

/// Make a data set from raw files.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Amazon reviews, metadata and image features, as released in 2014, 2018 and 2023.
    Amazon(Box<AmazonArgs>),
}

/// Amazon reviews, metadata and image features, as released in 2014, 2018 and 2023.
#[derive(clap::Args)]
#[command(after_help = "\
Writes a data set that --data reads: splits, raw ids, categories, texts.jsonl for a text encoder, image_feat.npy and
image_missing.json, and import.json with the settings and the count of everything kept and left out. The directory
appears when it is whole; what a killed import left beside it is removed by the next one.")]
pub struct AmazonArgs {
    /// Reviews (JSON lines, such as reviews_Baby_5.json.gz) or ratings (CSV), plain or gzip.
    #[arg(long, value_name = "FILE")]
    reviews: PathBuf,
    /// Metadata, such as meta_Baby.json.gz: texts and categories come from it.
    #[arg(long, value_name = "FILE")]
    meta: Option<PathBuf>,
    /// Image features, such as image_features_Baby.b, plain or gzip.
    #[arg(long, value_name = "FILE")]
    image_features: Option<PathBuf>,
    /// Where the data set goes.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How reviews are divided.
    #[arg(long, value_name = "RULE", default_value = "lattice", value_parser = splits::rule())]
    split: SplitRule,
    /// Shares of train, validation and test for --split ratio and time.
    #[arg(long, value_name = "A,B,C", default_value_t = Shares::default())]
    shares: Shares,
    /// Least reviews of a user and of an item; 0 keeps all.
    #[arg(long, value_name = "K", default_value_t = AmazonConfig::default().core)]
    core: u32,
    /// How the text of an item is put together.
    #[arg(long, value_name = "RULE", default_value = "paper", value_parser = TextRule::ALL.map(TextRule::name))]
    text: String,
    /// Seed of splits by chance.
    #[arg(long, value_name = "N", default_value_t = AmazonConfig::default().seed)]
    seed: u64,
    /// Leave out lines that cannot be understood, and count them, instead of giving up.
    #[arg(long)]
    skip_bad_lines: bool,
    /// Replace the import that is there.
    #[arg(long)]
    overwrite: bool,
}

impl AmazonArgs {
    fn config(&self) -> AmazonConfig {
        let text = TextRule::ALL.into_iter().find(|rule| rule.name() == self.text);
        AmazonConfig {
            reviews: self.reviews.clone(),
            meta: self.meta.clone(),
            image_features: self.image_features.clone(),
            split: self.split,
            shares: self.shares,
            core: self.core,
            text: text.expect("one of the names that the parser allows"),
            seed: self.seed,
            bad_lines: if self.skip_bad_lines { BadLines::Skip } else { BadLines::Refuse },
        }
    }
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    let Command::Amazon(args) = command;
    let mut progress = |sentence: &str| {
        if !global.quiet {
            print::say(sentence);
        }
    };
    let report =
        import_amazon(&args.config(), &args.out, args.overwrite, &mut progress).map_err(Failure::of_flags)?;
    if global.json() {
        return print::json(&report);
    }
    print::out(&format!("{report}\ndata set written to {}\n", args.out.display()))?;
    if args.image_features.is_none() {
        print::say(
            "no features yet: equipoise features text makes them from the texts; or add a <modality>_feat.npy with one row for each line of 5-core/item_list.txt",
        );
    }
    Ok(())
}
