//! Progress on stderr: a bar on a terminal, plain lines otherwise, nothing when quiet.

mod pipeline;
mod span;
mod sweep;
mod training;

pub use pipeline::PipelineProgress;
pub use span::span;
pub use sweep::SweepProgress;
pub use training::Progress;
