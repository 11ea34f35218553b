//! Whether a fault of a file is due to the input or to the machine.
//!
//! Input that cannot be used ends a command with exit code 2: the user has to change it. A full disk ends it with exit
//! code 1: the same command works once there is room.

use std::fmt::{self, Display};
use std::io::{self, ErrorKind};

use crate::quoted::clipped;

/// Whether the system refused for a reason that lies in what the user named: a path that does not exist, that may not be
/// accessed, or that leads to something else than expected. All else is a fault of the machine, such as a full disk, a
/// quota, a read-only file system or a file larger than the system allows.
pub fn is_input_fault(error: &io::Error) -> bool {
    use ErrorKind::{
        AlreadyExists, DirectoryNotEmpty, InvalidData, InvalidFilename, InvalidInput, IsADirectory,
        NotADirectory, NotFound, PermissionDenied, UnexpectedEof,
    };
    matches!(
        error.kind(),
        AlreadyExists
            | DirectoryNotEmpty
            | InvalidData
            | InvalidFilename
            | InvalidInput
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | UnexpectedEof
    )
}

/// Why a file cannot be read or written, or does not serve.
#[derive(Debug)]
pub enum FileFault {
    /// The system refused.
    System(io::Error),
    /// The contents are not what they should be: what is wrong and what to do.
    Contents(String),
}

impl FileFault {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            FileFault::System(error) => is_input_fault(error),
            FileFault::Contents(_) => true,
        }
    }
}

impl Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileFault::System(error) => error.fmt(f),
            FileFault::Contents(reason) => f.write_str(&clipped(reason, 600)),
        }
    }
}

impl From<io::Error> for FileFault {
    fn from(error: io::Error) -> FileFault {
        FileFault::System(error)
    }
}

impl From<String> for FileFault {
    fn from(reason: String) -> FileFault {
        FileFault::Contents(reason)
    }
}

impl From<&str> for FileFault {
    fn from(reason: &str) -> FileFault {
        FileFault::Contents(reason.to_owned())
    }
}

impl From<serde_json::Error> for FileFault {
    fn from(error: serde_json::Error) -> FileFault {
        FileFault::Contents(error.to_string())
    }
}

impl From<toml::de::Error> for FileFault {
    fn from(error: toml::de::Error) -> FileFault {
        FileFault::Contents(error.to_string())
    }
}

impl From<toml::ser::Error> for FileFault {
    fn from(error: toml::ser::Error) -> FileFault {
        FileFault::Contents(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_room_is_no_fault_of_the_input() {
        let machine = [
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::FileTooLarge,
            ErrorKind::OutOfMemory,
            ErrorKind::Other,
        ];
        assert!(machine.iter().all(|&kind| !is_input_fault(&kind.into())));
        let input = [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::IsADirectory];
        assert!(input.iter().all(|&kind| is_input_fault(&kind.into())));
        assert!(FileFault::from("no JSON").is_input());
        assert!(!FileFault::from(io::Error::from(ErrorKind::StorageFull)).is_input());
    }
}
