//! Arguments that all commands of `features` share.

use crate::commands::table_flags::TextFlags;
use equipoise_data::TextOptions;
use equipoise_jobs::Shard;
use std::path::PathBuf;

/// Whose content is encoded, how a table of it is read, and where the features go.
#[derive(clap::Args)]
pub struct Common {
    /// The data set; it needs no features yet.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Column of the table with raw item ids [default: guessed].
    #[arg(long, value_name = "COLUMN")]
    pub id_column: Option<String>,
    #[command(flatten)]
    reading: TextFlags,
    /// Names of the columns of the table, where its first line is data.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    names: Vec<String>,
    /// Where the features go [default: the data set's directory].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace features of this name.
    #[arg(long)]
    pub overwrite: bool,
    /// Encode one part of the items and keep it, counted from 0: 3/64. The command without --shard puts the parts together.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
}

impl Common {
    /// How a table of text is read.
    pub fn reading(&self) -> TextOptions {
        TextOptions { names: self.names.clone(), ..self.reading.options() }
    }
}
