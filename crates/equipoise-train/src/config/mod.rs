//! The configuration of a run, from layers (defaults, a file, flags) to a checked one.

mod absolute;
mod check;
mod checked;
mod checkpoint_every;
mod derived;
mod error;
pub mod keys;
mod layers;
pub mod spans;
mod types;
mod written;

pub use checked::Checked;
pub use checkpoint_every::CheckpointEvery;
pub use error::{ConfigError, toml_fault};
pub use layers::Layers;
pub use types::{DataConfig, PatienceRule, RunConfig, TrainConfig};
