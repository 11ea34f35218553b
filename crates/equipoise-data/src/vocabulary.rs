//! Raw identifiers and the indices that stand for them.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::write_atomic;
use crate::ids::{Ids, IndexedIds};
use crate::quoted::{quoted, short};

/// Format version written to `vocabulary.json`.
const VERSION: u32 = 1;

/// Raw user and item ids by index: `users()[u]` is the raw id of user `u`.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    users: IndexedIds,
    items: IndexedIds,
}

/// Why a vocabulary was refused.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// The file could not be read or written.
    #[error("{}: {source}; check that the path exists and is accessible", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not JSON of the expected shape.
    #[error(
        "{}: expected {{\"version\":1,\"users\":[..],\"items\":[..]}}: {}; copy the file \
         from the run again",
        path.display(), short(&source.to_string())
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: serde_json::Error,
    },
    /// A version this program does not know.
    #[error("{}: version {found}, expected 1; read it with the program that wrote it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: u32,
    },
    /// One raw id stands for two indices.
    #[error("raw {kind} id {} occurs twice; give every {kind} an id of its own", quoted(id))]
    Repeated {
        /// `user` or `item`.
        kind: &'static str,
        /// The id.
        id: String,
    },
}

impl VocabularyError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            VocabularyError::Io { source, .. } => crate::is_input_fault(source),
            VocabularyError::Json { .. }
            | VocabularyError::Version { .. }
            | VocabularyError::Repeated { .. } => true,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk<S> {
    version: u32,
    users: S,
    items: S,
}

impl Vocabulary {
    /// A vocabulary from raw ids in index order.
    ///
    /// # Errors
    /// [`VocabularyError::Repeated`] if a user id or an item id occurs twice.
    pub fn new(users: Ids, items: Ids) -> Result<Vocabulary, VocabularyError> {
        let side = |kind, ids| IndexedIds::new(ids).map_err(|id| VocabularyError::Repeated { kind, id });
        Ok(Vocabulary { users: side("user", users)?, items: side("item", items)? })
    }

    /// Raw user ids by index.
    pub fn users(&self) -> &Ids {
        self.users.ids()
    }

    /// Raw item ids by index.
    pub fn items(&self) -> &Ids {
        self.items.ids()
    }

    /// Index of a raw user id.
    pub fn user(&self, raw: &str) -> Option<u32> {
        self.users.index_of(raw)
    }

    /// Index of a raw item id.
    pub fn item(&self, raw: &str) -> Option<u32> {
        self.items.index_of(raw)
    }

    /// Writes `{"version":1,"users":[..],"items":[..]}`, atomically.
    ///
    /// # Errors
    /// [`VocabularyError::Io`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), VocabularyError> {
        let contents = OnDisk { version: VERSION, users: self.users(), items: self.items() };
        write_atomic(path, |file| {
            serde_json::to_writer(&mut *file, &contents)?;
            file.write_all(b"\n")
        })
        .map_err(|source| VocabularyError::Io { path: path.into(), source })
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`VocabularyError`] if the file is absent, malformed, of another version or repeats an id.
    pub fn read(path: &Path) -> Result<Vocabulary, VocabularyError> {
        let io = |source| VocabularyError::Io { path: path.into(), source };
        let text = std::fs::read(path).map_err(io)?;
        let contents: OnDisk<Ids> = serde_json::from_slice(&text)
            .map_err(|source| VocabularyError::Json { path: path.into(), source })?;
        if contents.version != VERSION {
            let (path, found) = (path.into(), contents.version);
            return Err(VocabularyError::Version { path, found });
        }
        Vocabulary::new(contents.users, contents.items)
    }
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        self.users() == other.users() && self.items() == other.items()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Ids {
        names.iter().collect()
    }

    #[test]
    fn ids_survive_a_trip_through_the_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("vocabulary.json");
        let users = ids(&["Ann \"A\"", "Béla\t", "7"]);
        let written = Vocabulary::new(users, ids(&["x", "y"])).expect("distinct");
        written.write(&path).expect("write");
        let read = Vocabulary::read(&path).expect("read");
        assert_eq!(read, written);
        assert_eq!((read.user("7"), read.item("y"), read.item("z")), (Some(2), Some(1), None));
    }

    #[test]
    fn repeated_ids_and_other_versions_are_refused() {
        let repeated = Vocabulary::new(ids(&["a"]), ids(&["x", "y", "x"]));
        let message = repeated.expect_err("x occurs twice").to_string();
        assert!(message.contains("item id \"x\""), "{message}");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("vocabulary.json");
        std::fs::write(&path, r#"{"version":9,"users":[],"items":[]}"#).expect("write");
        let message = Vocabulary::read(&path).expect_err("version 9").to_string();
        assert!(message.contains("version 9, expected 1"), "{message}");
    }
}
