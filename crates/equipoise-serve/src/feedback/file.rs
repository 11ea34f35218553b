//! The SQLite file of feedback.
//!
//! | column of `feedback` | what |
//! |---|---|
//! | `number` | 1, 2, .. in the order of arrival |
//! | `user`, `item`, `kind` | raw ids, and what happened |
//! | `weight` | how much it counts, from 0 |
//! | `time` | seconds since 1970 |
//! | `event` | the event's own id, if it has one: no two are equal |
//!
//! Commits go to a write-ahead log and are flushed to the disk before they are acknowledged, so that a reader may look on and a
//! process that is killed loses nothing that was.

use crate::feedback::event::FeedbackEvent;
use crate::feedback::fault::FeedbackError;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tells the file from other databases: `Eqpf` in ASCII.
const APPLICATION: i32 = 0x4571_7066;
/// Version of the file.
const VERSION: i32 = 1;

const TABLE: &str = "
    CREATE TABLE feedback (
        number INTEGER PRIMARY KEY, user TEXT NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL,
        weight REAL NOT NULL CHECK (weight >= 0), time REAL NOT NULL, event TEXT UNIQUE
    ) STRICT;
";

/// An open file of feedback.
pub(crate) struct FeedbackFile {
    connection: Connection,
    path: PathBuf,
}

impl FeedbackFile {
    /// Opens the file to write, and makes it if there is none.
    ///
    /// # Errors
    /// A file of something else, of another version, or damaged; file system faults.
    pub(crate) fn open(path: &Path) -> Result<FeedbackFile, FeedbackError> {
        let connection = Connection::open(path).map_err(|e| fault(path, e))?;
        let mut file = FeedbackFile { connection, path: path.to_owned() };
        file.prepare()?;
        Ok(file)
    }

    /// Opens the file to read.
    ///
    /// # Errors
    /// As [`open`](Self::open); if there is no file.
    pub(crate) fn read_only(path: &Path) -> Result<FeedbackFile, FeedbackError> {
        if let Err(source) = std::fs::metadata(path) {
            return Err(FeedbackError::Io { path: path.to_owned(), source });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| fault(path, e))?;
        let file = FeedbackFile { connection, path: path.to_owned() };
        file.check()?;
        Ok(file)
    }

    fn prepare(&mut self) -> Result<(), FeedbackError> {
        let path = self.path.clone();
        let failed = |e| fault(&path, e);
        self.connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        let tables: i64 = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        if tables > 0 {
            self.check()?;
        }
        self.connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        if tables == 0 {
            let transaction = self.connection.transaction().map_err(failed)?;
            transaction.execute_batch(TABLE).map_err(failed)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
            transaction.commit().map_err(failed)?;
        }
        Ok(())
    }

    /// Refuses what is no file of feedback, or is damaged.
    fn check(&self) -> Result<(), FeedbackError> {
        let pragma = |name: &str| {
            self.connection
                .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
                .map_err(|e| fault(&self.path, e))
        };
        let wrong = |reason: String| FeedbackError::File { path: self.path.clone(), reason };
        if pragma("application_id")? != APPLICATION {
            return Err(wrong("a database of something else; give another file".into()));
        }
        match pragma("user_version")? {
            VERSION => {}
            version => {
                let reason = format!("version {version} of feedback, this program reads version {VERSION}");
                return Err(wrong(format!("{reason}; use the program that wrote it")));
            }
        }
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|e| fault(&self.path, e))?;
        match found.as_str() {
            "ok" => Ok(()),
            what => Err(wrong(format!(
                "damaged ({}); restore it from a copy",
                what.lines().next().unwrap_or_default()
            ))),
        }
    }

    /// Adds events and flushes them to the disk. One whose id is there already is left out.
    ///
    /// # Errors
    /// Faults of the file system, after which none of them is kept.
    pub(crate) fn append<'a>(
        &mut self,
        events: impl Iterator<Item = &'a FeedbackEvent>,
    ) -> Result<(), FeedbackError> {
        let path = &self.path;
        let failed = |e| fault(path, e);
        let transaction = self.connection.transaction().map_err(failed)?;
        {
            let text = "INSERT OR IGNORE INTO feedback (user, item, kind, weight, time, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let mut insert = transaction.prepare(text).map_err(failed)?;
            for FeedbackEvent { user, item, kind, weight, time, id } in events {
                insert.execute(params![user, item, kind, weight, time.unwrap_or(0.0), id]).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    /// Hands over every event, in the order of arrival.
    ///
    /// # Errors
    /// Faults of the file, and what `each` says.
    pub(crate) fn each<E: From<FeedbackError>>(
        &self,
        mut each: impl FnMut(FeedbackEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |e| fault(&self.path, e);
        let text = "SELECT user, item, kind, weight, time, event FROM feedback ORDER BY number";
        let mut select = self.connection.prepare(text).map_err(failed)?;
        let mut rows = select.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let event = || -> rusqlite::Result<FeedbackEvent> {
                Ok(FeedbackEvent {
                    user: row.get(0)?,
                    item: row.get(1)?,
                    kind: row.get(2)?,
                    weight: row.get(3)?,
                    time: Some(row.get(4)?),
                    id: row.get(5)?,
                })
            };
            each(event().map_err(failed)?)?;
        }
        Ok(())
    }
}

/// What SQLite says: of the file, or of the machine.
fn fault(path: &Path, source: rusqlite::Error) -> FeedbackError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => FeedbackError::File {
            path,
            reason: format!("no file of feedback, or damaged ({source}); give another file"),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            if !path.is_file() =>
        {
            FeedbackError::File {
                path,
                reason: format!("{source}; check that the folder exists and may be written"),
            }
        }
        _ => FeedbackError::Sqlite { path, source },
    }
}
