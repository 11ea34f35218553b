//! `equipoise data convert`

use super::reading::ReadArgs;
use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_data::FeatureScale;
use equipoise_import::{Conversion, ConvertOptions, Target, convert};
use std::path::PathBuf;

/// Read a data set in any layout and write it in another.
///
/// Reads the layouts of LATTICE, MMSSL, MMRec and RecBole, sparse matrices of SciPy (.npz), tables (.csv, .tsv,
/// .parquet) and this project's own. The result is read back and compared before it is put in place; what was
/// merged, left out or filled in is said, and saved as conversion.json.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ConvertArgs {
    /// The data set: a directory, or a table.
    path: PathBuf,
    /// The layout to write.
    #[arg(long, value_name = "LAYOUT", value_enum)]
    to: To,
    /// Where it goes.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace what an earlier conversion wrote there.
    #[arg(long)]
    overwrite: bool,
    /// Scale the features for good: none, l2, standard, or pca:k with k components.
    #[arg(long, value_name = "SCALE", default_value = "none")]
    scale: FeatureScale,
    #[command(flatten)]
    reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  equipoise data convert data/baby --to equipoise --out data/baby-eq
  equipoise data convert ratings.csv --min-rating 4 --split ratio --seed 1 --features text=titles.npz \\
      --to equipoise --out my-data";

#[derive(Clone, Copy, clap::ValueEnum)]
enum To {
    /// 5-core/{train,val,test}.json, id lists and .npy.
    Lattice,
    /// <name>.inter with x_label, id mappings and .npy.
    Mmrec,
    /// <name>.{train,valid,test}.inter with typed columns, .user, .item and .npy.
    Recbole,
    /// Manifest, Parquet and .npy, which load in milliseconds.
    Equipoise,
}

pub fn run(args: &ConvertArgs, global: &Global) -> Result<(), Failure> {
    let target = match args.to {
        To::Lattice => Target::Lattice,
        To::Mmrec => Target::Mmrec,
        To::Recbole => Target::Recbole,
        To::Equipoise => Target::Equipoise,
    };
    let how = ConvertOptions { scale: args.scale, overwrite: args.overwrite };
    let done = convert(&args.path, &args.reading.options()?, target, &args.out, &how)?;
    if !global.quiet {
        done.notes.iter().for_each(|note| print::say(&format!("note: {note}")));
    }
    if global.json() {
        return print::json(&done);
    }
    print::out(&text(&done, args))
}

fn text(done: &Conversion, args: &ConvertArgs) -> String {
    let [train, validation, test] = done.interactions;
    format!(
        "{} ({}) written to {} ({})\n{} users, {} items; {train} train, {validation} validation, {test} test interactions\n\
         rows {}\nmodalities {}; scale {}; fingerprint {}\n",
        done.from,
        done.from_layout,
        args.out.display(),
        done.layout,
        done.users,
        done.items,
        done.rows,
        done.modalities.join(", "),
        done.scale,
        equipoise_data::first_digits(&done.fingerprint),
    )
}
