//! `equipoise features`: features from the content of items.

mod image;
mod progress;
mod show;
mod text;

pub use progress::Shown;

use crate::failure::Failure;
use crate::global::Global;

/// Make features from the texts and pictures of items.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Encode the texts of a data set, with a sentence encoder or without any model.
    Text(Box<text::Args>),
    /// Encode the pictures of a data set, with ViT, DINOv2, CLIP or SigLIP.
    Image(Box<image::Args>),
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Text(args) => text::run(args, global),
        Command::Image(args) => image::run(args, global),
    }
}
