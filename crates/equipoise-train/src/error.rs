//! What can go wrong in a run.

use crate::config::ConfigError;
use crate::role::Role;
use equipoise_data::{DataError, FieldError, SamplerError, VocabularyError, is_input_fault};
use equipoise_eval::EvalError;
use equipoise_models::ModelError;
use equipoise_nn::ParameterError;
use std::path::{Path, PathBuf};

/// What can go wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Sampling.
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Parameters on disk.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// Evaluation.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// Raw ids on disk.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// A setting that does not go with the data set or with another setting.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Data that cannot be trained on.
    #[error("{0}")]
    Setting(String),
    /// The loss became NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}: training stopped and nothing of this epoch was kept; \
         try a smaller train.lr (now {lr}), a larger train.reg (now {reg}), or data.scale = \"standard\" where values are large"
    )]
    NotFinite {
        /// The loss.
        loss: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// Learning rate.
        lr: f64,
        /// L2 penalty.
        reg: f64,
    },
    /// The run directory is taken.
    #[error("{}: there is a run already; choose another --out, or pass --overwrite to replace it", .0.display())]
    Taken(PathBuf),
    /// The right to write the run, such as while another program is writing it.
    #[error(transparent)]
    Job(#[from] equipoise_jobs::Fault),
    /// The system refused to read or write a file of a run.
    #[error("{}: {source}", path.display())]
    RunFile {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a run is not what it should be.
    #[error("{}: {reason}", path.display())]
    RunFormat {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A saved teacher belongs to other data or another configuration.
    #[error(
        "{}: this teacher does not fit the run:\n{}\nuse another --teachers directory, or delete this one to train it anew",
        path.display(), differences.join("\n")
    )]
    TeacherMismatch {
        /// The teacher's run directory.
        path: PathBuf,
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// The saved plain model belongs to other data or another configuration.
    #[error(
        "{}: this plain model does not fit the run:\n{}\nname another run in balance.plain, or delete this one to train it anew",
        path.display(), differences.join("\n")
    )]
    PlainMismatch {
        /// The plain model's run directory.
        path: PathBuf,
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// Stopped by the user while that model was in training.
    #[error(
        "stopped while training {}; finished teachers are kept, run the same command to go on",
        .0.in_a_sentence()
    )]
    Interrupted(Role),
}

impl TrainError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            TrainError::Data(error) => error.is_input(),
            TrainError::Config(error) => error.is_input(),
            TrainError::Parameters(error) => error.is_input(),
            TrainError::Eval(error) => error.is_input(),
            TrainError::Vocabulary(error) => error.is_input(),
            TrainError::RunFile { source, .. } => is_input_fault(source),
            TrainError::Sampler(_)
            | TrainError::Model(_)
            | TrainError::Field(_)
            | TrainError::Setting(_)
            | TrainError::Taken(_)
            | TrainError::RunFormat { .. }
            | TrainError::TeacherMismatch { .. }
            | TrainError::PlainMismatch { .. } => true,
            TrainError::Job(fault) => fault.is_input(),
            TrainError::Interrupted(_) | TrainError::NotFinite { .. } => false,
        }
    }

    /// Whether somebody asked for a stop.
    pub fn is_interrupt(&self) -> bool {
        match self {
            TrainError::Interrupted(_) => true,
            TrainError::Job(fault) => fault.is_interrupt(),
            _ => false,
        }
    }

    /// An error about the model of that role, which was being built.
    pub(crate) fn model(error: ModelError, role: &Role) -> TrainError {
        match error {
            ModelError::Stopped => TrainError::Interrupted(role.clone()),
            error => TrainError::Model(error),
        }
    }

    /// A [`RunFile`](TrainError::RunFile) error about `path`.
    pub fn io(path: &Path, source: std::io::Error) -> TrainError {
        TrainError::RunFile { path: path.to_owned(), source }
    }

    /// A [`RunFormat`](TrainError::RunFormat) error about `path`.
    pub fn format(path: &Path, reason: impl ToString) -> TrainError {
        TrainError::RunFormat { path: path.to_owned(), reason: reason.to_string() }
    }
}
