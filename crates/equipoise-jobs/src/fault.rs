//! Kinds of failure.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a unit of work has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// A stop was asked for.
    #[error("stopped")]
    Interrupted,
    /// Another process, or another part of this one, works in the same place.
    #[error("{}: {by} is at work here; wait for it to end", dir.display())]
    Held {
        /// The directory.
        dir: PathBuf,
        /// Who holds the lock.
        by: String,
    },
    /// The machine's fault, such as a full disk.
    #[error(transparent)]
    Machine(Arc<dyn Error + Send + Sync>),
    /// The unit's own fault, such as a loss that became infinite: the same settings fail again.
    #[error("{0}")]
    Own(String),
}

/// What the system refused.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Refused {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

impl Fault {
    /// Whether the same work may succeed later, without any change to its settings and inputs.
    pub fn may_pass(&self) -> bool {
        match self {
            Fault::Interrupted | Fault::Held { .. } | Fault::Machine(_) => true,
            Fault::Own(_) => false,
        }
    }

    /// Whether the cause is what the user gave rather than the machine: a place that does not exist or is something else.
    pub fn is_input(&self) -> bool {
        self.refused().is_some_and(|refused| equipoise_data::is_input_fault(&refused.source))
    }

    /// Whether somebody asked for a stop.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Fault::Interrupted)
    }

    /// What the system refused, if that is the cause.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Fault::Machine(error) => error.downcast_ref(),
            Fault::Interrupted | Fault::Held { .. } | Fault::Own(_) => None,
        }
    }

    /// The machine's fault; a text or an error.
    pub fn machine(error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::Machine(error.into().into())
    }

    /// A fault of the file system.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Fault + '_ {
        move |source| Fault::machine(Refused { path: path.to_owned(), source })
    }
}

/// Faults are equal if they are of one kind and say the same.
impl PartialEq for Fault {
    fn eq(&self, other: &Fault) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.to_string() == other.to_string()
    }
}

impl Eq for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn the_machine_keeps_what_it_said() {
        let full = Fault::io(Path::new("run"))(ErrorKind::StorageFull.into());
        assert!(full.to_string().starts_with("run: ") && full.may_pass() && !full.is_input(), "{full}");
        assert_eq!(full.refused().map(|r| r.source.kind()), Some(ErrorKind::StorageFull));
        assert!(full.source().is_some_and(|source| source.is::<std::io::Error>()));
        assert!(Fault::io(Path::new("run"))(ErrorKind::NotADirectory.into()).is_input());
        assert_eq!(Fault::machine("no power"), Fault::machine("no power".to_owned()));
        assert_ne!(Fault::machine("no power"), Fault::Own("no power".into()));
    }
}
