//! Kinds of failure.

use std::path::{Path, PathBuf};

/// Why a unit of work has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A stop was asked for.
    #[error("stopped")]
    Interrupted,
    /// Another process, or another part of this one, works on the same unit.
    #[error("{}: {by} is at work here; wait for it to end", dir.display())]
    Held {
        /// The unit's directory.
        dir: PathBuf,
        /// Who holds the lock.
        by: String,
    },
    /// The machine's fault, such as a full disk.
    #[error("{0}")]
    Machine(String),
    /// The unit's own fault, such as a loss that became infinite: the same settings fail again.
    #[error("{0}")]
    Own(String),
}

impl Fault {
    /// Whether the same work may succeed later, without any change to its settings and inputs.
    pub fn may_pass(&self) -> bool {
        match self {
            Fault::Interrupted | Fault::Held { .. } | Fault::Machine(_) => true,
            Fault::Own(_) => false,
        }
    }

    /// A fault of the file system.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Fault + '_ {
        move |error| Fault::Machine(format!("{}: {error}", path.display()))
    }
}
