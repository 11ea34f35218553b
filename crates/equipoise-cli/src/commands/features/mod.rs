//! `equipoise features`: features from the content of items.

mod audio;
mod common;
mod image;
mod progress;
mod show;
mod text;

pub use progress::Shown;

use crate::failure::Failure;
use crate::global::Global;

/// Make features from the texts, pictures and sounds of items.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Encode the texts of a data set, with a sentence encoder or without any model.
    Text(Box<text::Args>),
    /// Encode the pictures of a data set, with a pretrained model or without any.
    Image(Box<image::Args>),
    /// Encode the sounds of a data set, with Whisper or without any model.
    Audio(Box<audio::Args>),
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Text(args) => text::run(args, global),
        Command::Image(args) => image::run(args, global),
        Command::Audio(args) => audio::run(args, global),
    }
}
