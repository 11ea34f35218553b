//! Why a pipeline cannot start or go on.

use super::origins::Origins;
use crate::sweep::SweepError;
use equipoise_data::{DataError, FieldError, FileFault};
use equipoise_encode::EncodeError;
use equipoise_eval::EvalError;
use equipoise_jobs::Fault;
use equipoise_recommend::RecommendError;
use equipoise_train::TrainError;
use equipoise_train::config::ConfigError;
use std::path::{Path, PathBuf};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A setting.
    #[error(transparent)]
    Setting(#[from] FieldError),
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
    /// A model to be served.
    #[error(transparent)]
    Recommend(#[from] RecommendError),
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
            PipelineError::Recommend(error) => error.is_input(),
            PipelineError::File { fault, .. } => fault.is_input(),
            PipelineError::Setting(_) => true,
            PipelineError::Job(fault) => fault.is_input(),
            PipelineError::Stopped(_) => false,
        }
    }

    /// Whether somebody asked for a stop.
    pub fn is_interrupt(&self) -> bool {
        match self {
            PipelineError::Stopped(_) => true,
            PipelineError::Train(error) => error.is_interrupt(),
            PipelineError::Job(fault) => fault.is_interrupt(),
            _ => false,
        }
    }

    /// The same with the place where the setting stands.
    #[must_use]
    pub fn at(self, origins: &Origins) -> PipelineError {
        match self {
            PipelineError::Setting(error) => match origins.of(&error.key) {
                Some(origin) => ConfigError::Field { origin: origin.to_owned(), error }.into(),
                None => PipelineError::Setting(error),
            },
            PipelineError::Config(error) => {
                error.placed(|origin| origins.of(origin).map(str::to_owned)).into()
            }
            other => other,
        }
    }

    pub(super) fn file(path: &Path, fault: impl Into<FileFault>) -> PipelineError {
        PipelineError::File { path: path.to_owned(), fault: fault.into() }
    }
}
