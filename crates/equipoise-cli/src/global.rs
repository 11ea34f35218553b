//! Flags that every command has.

use clap::ValueEnum;

/// Flags that every command has.
#[derive(clap::Args, Clone)]
pub struct Global {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: OutputFormat,
    /// No progress, only results and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Worker threads, at most 1,024 [default: one per core].
    #[arg(long, global = true, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=equipoise_data::MOST_THREADS as i64))]
    pub threads: Option<u16>,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables for people.
    Text,
    /// One JSON document.
    Json,
}

impl Global {
    /// Whether results are JSON.
    pub fn json(&self) -> bool {
        self.format == OutputFormat::Json
    }
}
