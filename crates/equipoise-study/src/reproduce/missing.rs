//! Why a number is missing.

use equipoise_jobs::Fault;

/// Why a number is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingResult {
    /// It was not run, and must not be run now.
    #[error("not run yet")]
    NotRun,
    /// This program cannot do it.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// Its run has no result.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl MissingResult {
    /// A failure of its own.
    pub fn failed(why: impl ToString) -> MissingResult {
        MissingResult::Fault(Fault::Own(why.to_string()))
    }
}
