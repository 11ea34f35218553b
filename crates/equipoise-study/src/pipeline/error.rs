//! Why a pipeline cannot start or go on.

use crate::sweep::SweepError;
use equipoise_data::{DataError, FileFault};
use equipoise_encode::EncodeError;
use equipoise_eval::EvalError;
use equipoise_jobs::Fault;
use equipoise_train::TrainError;
use equipoise_train::config::ConfigError;
use std::path::{Path, PathBuf};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A setting.
    #[error("{0}")]
    Setting(String),
    /// A setting of the runs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Features.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A search.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A comparison.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The machine's fault, or another process is at work on a stage: what is done is kept.
    #[error(transparent)]
    Job(#[from] Fault),
    /// A file cannot be read or written, or is not what it should be.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: FileFault,
    },
    /// Somebody asked to stop.
    #[error("stopped during {0}; what is done is kept, run the same command to go on")]
    Stopped(String),
}

impl PipelineError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            PipelineError::Config(error) => error.is_input(),
            PipelineError::Data(error) => error.is_input(),
            PipelineError::Encode(error) => error.is_input(),
            PipelineError::Sweep(error) => error.is_input(),
            PipelineError::Train(error) => error.is_input(),
            PipelineError::Eval(error) => error.is_input(),
            PipelineError::File { fault, .. } => fault.is_input(),
            PipelineError::Setting(_) => true,
            PipelineError::Stopped(_) | PipelineError::Job(_) => false,
        }
    }

    pub(super) fn file(path: &Path, fault: impl Into<FileFault>) -> PipelineError {
        PipelineError::File { path: path.to_owned(), fault: fault.into() }
    }
}
