//! `equipoise features`: features from the content of items.

mod progress;
mod text;

use super::{Failure, Global};

/// Make features from the texts of items.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Encode the texts of a data set, with a sentence encoder or without any model.
    Text(Box<text::Args>),
}

pub fn run(command: &Command, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Text(args) => text::run(args, global),
    }
}
