//! `equipoise data fake-amazon`: files to try imports with.

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_import::Release;
use equipoise_import::synthetic::{RawAmazonConfig, write_amazon};
use std::path::PathBuf;

/// Write made-up files in exactly the formats of the Amazon releases, of a given size.
#[derive(clap::Args)]
pub struct Args {
    /// Where they go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Users.
    #[arg(long, default_value_t = RawAmazonConfig::default().users)]
    users: usize,
    /// Items with reviews.
    #[arg(long, default_value_t = RawAmazonConfig::default().items)]
    items: usize,
    /// Reviews, at least 5 for each user and each item.
    #[arg(long, default_value_t = RawAmazonConfig::default().reviews)]
    reviews: usize,
    /// Items in the metadata.
    #[arg(long, default_value_t = RawAmazonConfig::default().catalogue)]
    catalogue: usize,
    /// Records of image features; 0 for no such file.
    #[arg(long, default_value_t = RawAmazonConfig::default().images)]
    images: usize,
    /// Items with reviews but without image.
    #[arg(long, default_value_t = RawAmazonConfig::default().without_image)]
    without_image: usize,
    /// Release.
    #[arg(long, default_value = "2014", value_parser = ["2014", "2018", "2023"])]
    release: String,
    /// Do not compress.
    #[arg(long)]
    plain: bool,
    /// Seed from which everything follows.
    #[arg(long, default_value_t = RawAmazonConfig::default().seed)]
    seed: u64,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let release = match args.release.as_str() {
        "2014" => Release::Amazon2014,
        "2018" => Release::Amazon2018,
        _ => Release::Amazon2023,
    };
    let config = RawAmazonConfig {
        users: args.users,
        items: args.items,
        reviews: args.reviews,
        catalogue: args.catalogue,
        images: args.images,
        without_image: args.without_image,
        release,
        gzip: !args.plain,
        seed: args.seed,
    };
    let files = write_amazon(&args.out, &config).map_err(Failure::of_flags)?;
    if global.json() {
        return print::json(&files);
    }
    let image = files.image_features.iter();
    let named: Vec<String> =
        [&files.reviews, &files.meta].into_iter().chain(image).map(|f| f.display().to_string()).collect();
    print::out(&format!("{}\n", named.join("\n")))
}
