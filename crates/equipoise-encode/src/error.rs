//! What can go wrong on the way from content to features, each fault with its place and its remedy.

use std::path::{Path, PathBuf};

use equipoise_data::DataError;

/// Why features could not be made. The message names the file, what was expected, what was found and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A fault of the data set, or of a table of texts.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file system refused.
    #[error("{}: {source}; check that the path exists and is accessible", file.display())]
    Io {
        /// File or directory.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is damaged, or does not say what it must.
    #[error("{}: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Expected, found, remedy.
        problem: String,
    },
    /// A tensor of a model that is absent or unsuitable.
    #[error("{}: tensor {tensor:?}: {problem}", file.display())]
    Tensor {
        /// The file of weights.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Expected, found, remedy.
        problem: String,
    },
    /// A setting out of its range.
    #[error("{field} = {found}: expected {expected}")]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// Its value.
        found: String,
        /// The range.
        expected: String,
    },
    /// A model that is not on this machine.
    #[error("model {name:?} is not on this machine: {problem}")]
    NoModel {
        /// What was asked for.
        name: String,
        /// Where it was sought, and how to get it.
        problem: String,
    },
    /// Output that may not be written over, or that another run is writing.
    #[error("{}: {problem}", path.display())]
    Output {
        /// The file or directory.
        path: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// The machine's fault: what is done is kept.
    #[error(transparent)]
    Job(#[from] equipoise_jobs::Fault),
}

impl EncodeError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            EncodeError::Data(error) => error.is_input(),
            EncodeError::Io { source, .. } => equipoise_data::is_input_fault(source),
            EncodeError::Job(fault) => fault.is_input(),
            EncodeError::File { .. }
            | EncodeError::Tensor { .. }
            | EncodeError::Setting { .. }
            | EncodeError::NoModel { .. }
            | EncodeError::Output { .. } => true,
        }
    }

    /// An [`Io`](Self::Io) error about `file`.
    pub(crate) fn io(file: &Path) -> impl FnOnce(std::io::Error) -> EncodeError + '_ {
        move |source| EncodeError::Io { file: file.to_owned(), source }
    }

    /// A [`File`](Self::File) error.
    pub(crate) fn file(file: &Path, problem: impl Into<String>) -> EncodeError {
        EncodeError::File { file: file.to_owned(), problem: problem.into() }
    }
}
