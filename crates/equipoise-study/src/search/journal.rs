//! What is known of a search, on disk after every evaluation: a small SQLite database.
//!
//! | table | columns |
//! |---|---|
//! | `study` | `name`, `value`: what makes this search this search |
//! | `evaluations` | `number`, `rung`, `point`, `budget`, `value`, `best_epoch`, `epochs`, `seconds`, `complete`, `failure` |
//!
//! Each record is one transaction, flushed before the next trial is counted: a process that is killed at any moment loses only
//! the trials under way. A [`Lock`] beside the file is held while a search uses it; the same records lie in `trials.jsonl` for
//! other programs to read meanwhile.

use super::error::SearchError;
use super::trial::{Measured, Proposal, Record};
use equipoise_jobs::Lock;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Version of the database.
const VERSION: u32 = 1;

const TABLES: &str = "
    CREATE TABLE study (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE evaluations (
        number INTEGER NOT NULL, rung INTEGER NOT NULL, point TEXT NOT NULL, budget INTEGER,
        value REAL, best_epoch INTEGER, epochs INTEGER, seconds REAL, complete INTEGER, failure TEXT,
        PRIMARY KEY (number, rung), CHECK ((value IS NULL) <> (failure IS NULL))
    ) STRICT;
";

/// What identifies a search: two with equal entries are the same.
pub type Identity = BTreeMap<String, String>;

/// The records of a search on disk.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    _lock: Option<Lock>,
}

impl Journal {
    /// The journal at `path`, made if there is none.
    ///
    /// # Errors
    /// [`SearchError::Other`] if it belongs to another search; file faults, and a search at work on it.
    pub fn open(path: &Path, identity: &Identity) -> Result<Journal, SearchError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| SearchError::file(parent, e))?;
        }
        let lock = Lock::take(&lock_file(path))
            .map_err(|fault| SearchError::Lock { path: path.to_owned(), fault })?;
        let connection = Connection::open(path).map_err(|e| SearchError::file(path, e.to_string()))?;
        let mut journal = Journal { connection, path: path.to_owned(), _lock: Some(lock) };
        journal.prepare(identity).map_err(|e| journal.fault(&e))?;
        journal.compare(identity)?;
        Ok(journal)
    }

    /// A journal that is forgotten with the process.
    pub fn in_memory() -> Journal {
        let connection = Connection::open_in_memory().expect("memory needs no file");
        let mut journal = Journal { connection, path: "memory".into(), _lock: None };
        journal.prepare(&Identity::new()).expect("an empty database in memory");
        journal
    }

    /// Makes the tables where there are none.
    fn prepare(&mut self, identity: &Identity) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            transaction.execute_batch(TABLES)?;
            for (name, value) in identity {
                transaction.execute("INSERT INTO study VALUES (?1, ?2)", params![name, value])?;
            }
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()
    }

    fn compare(&self, identity: &Identity) -> Result<(), SearchError> {
        let read = || -> rusqlite::Result<(u32, Identity)> {
            let version = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let mut rows = self.connection.prepare("SELECT name, value FROM study")?;
            let pairs = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((version, pairs.collect::<Result<_, _>>()?))
        };
        let (version, saved) = read().map_err(|e| self.fault(&e))?;
        if version != VERSION {
            let reason = format!("version {version} of a journal, this program reads version {VERSION}");
            return Err(SearchError::file(&self.path, reason));
        }
        let differences = differences(&saved, identity);
        if differences.is_empty() {
            return Ok(());
        }
        let path = self.path.parent().unwrap_or(&self.path).to_owned();
        Err(SearchError::Other { path, differences })
    }

    /// The outcome of a proposal, if it was evaluated before.
    ///
    /// # Errors
    /// If the journal has another point under this number, or cannot be read.
    pub fn outcome(&self, proposal: &Proposal) -> Result<Option<Record>, SearchError> {
        let sql = "SELECT point, budget, value, best_epoch, epochs, seconds, complete, failure
                   FROM evaluations WHERE number = ?1 AND rung = ?2";
        let key = params![proposal.number, proposal.rung];
        let row = self.connection.query_row(sql, key, |row| {
            let outcome = match row.get::<_, Option<f64>>(2)? {
                Some(value) => Ok(Measured {
                    value,
                    best_epoch: row.get(3)?,
                    epochs: row.get(4)?,
                    seconds: row.get(5)?,
                    complete: row.get(6)?,
                }),
                None => Err(row.get(7)?),
            };
            Ok(((row.get::<_, String>(0)?, row.get::<_, Option<usize>>(1)?), outcome))
        });
        let Some((found, outcome)) = row.optional().map_err(|e| self.fault(&e))? else { return Ok(None) };
        if found != (proposal.point.to_string(), proposal.budget.epochs) {
            let reason = format!(
                "trial {} is {} here, and would be {} now: another version of the program made it; give another --out",
                proposal.number, found.0, proposal.point
            );
            return Err(SearchError::file(&self.path, reason));
        }
        Ok(Some(Record { proposal: proposal.clone(), outcome }))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, record: &Record) -> Result<(), SearchError> {
        let (p, m) = (&record.proposal, record.outcome.as_ref().ok());
        let values = params![
            p.number,
            p.rung,
            p.point.to_string(),
            p.budget.epochs,
            m.map(|m| m.value),
            m.map(|m| m.best_epoch),
            m.map(|m| m.epochs),
            m.map(|m| m.seconds),
            m.map(|m| m.complete),
            record.outcome.as_ref().err(),
        ];
        let sql = "INSERT INTO evaluations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.connection.execute(sql, values).map_err(|e| self.fault(&e))?;
        Ok(())
    }

    /// Number of the last trial that has a record.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last(&self) -> Result<Option<usize>, SearchError> {
        let sql = "SELECT max(number) FROM evaluations";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|e| self.fault(&e))
    }

    fn fault(&self, error: &rusqlite::Error) -> SearchError {
        use rusqlite::ErrorCode::{DiskFull, ReadOnly, SystemIoFailure};
        let refused = |kind| std::io::Error::new(kind, error.to_string());
        match error.sqlite_error_code() {
            Some(DiskFull) => SearchError::file(&self.path, refused(ErrorKind::StorageFull)),
            Some(ReadOnly) => SearchError::file(&self.path, refused(ErrorKind::ReadOnlyFilesystem)),
            Some(SystemIoFailure) => SearchError::file(&self.path, refused(ErrorKind::Other)),
            _ => SearchError::file(&self.path, error.to_string()),
        }
    }
}

/// The file of the lock: hidden, beside the journal and named after it.
fn lock_file(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock"))
}

fn differences(saved: &Identity, wanted: &Identity) -> Vec<String> {
    let of = |identity: &Identity, name: &str| identity.get(name).cloned().unwrap_or("nothing".into());
    let names: std::collections::BTreeSet<&String> = saved.keys().chain(wanted.keys()).collect();
    let differ = names.into_iter().filter(|name| saved.get(*name) != wanted.get(*name));
    differ.map(|name| format!("  {name}: there {}, now {}", of(saved, name), of(wanted, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Point, TrialBudget};

    fn proposal(number: usize, x: f64) -> Proposal {
        let point = Point::new(vec![("x".into(), toml::Value::Float(x))]);
        Proposal { number, rung: 0, point, budget: TrialBudget { epochs: Some(7) } }
    }

    fn identity(seed: &str) -> Identity {
        [("seed".to_owned(), seed.to_owned())].into()
    }

    #[test]
    fn records_come_back_bit_for_bit_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/sweep.sqlite");
        let value = 0.1 + 0.2;
        let measured = Measured { value, best_epoch: 3, epochs: 5, seconds: 1.0 / 3.0, complete: true };
        let good = Record { proposal: proposal(0, value), outcome: Ok(measured) };
        let bad = Record { proposal: proposal(1, 0.5), outcome: Err("the loss became NaN".into()) };
        let journal = Journal::open(&path, &identity("1")).unwrap();
        journal.add(&good).unwrap();
        journal.add(&bad).unwrap();
        assert!(journal.add(&good).is_err(), "nothing is recorded twice");
        drop(journal);
        let journal = Journal::open(&path, &identity("1")).unwrap();
        assert_eq!(journal.outcome(&good.proposal).unwrap(), Some(good));
        assert_eq!(journal.outcome(&bad.proposal).unwrap(), Some(bad));
        assert_eq!(journal.outcome(&proposal(2, 0.5)).unwrap(), None);
        assert_eq!(journal.last().unwrap(), Some(1));
        let other = journal.outcome(&proposal(1, 0.6)).unwrap_err().to_string();
        assert!(other.contains("trial 1 is x = 0.5 here"), "{other}");
    }

    #[test]
    fn another_search_and_one_at_work_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sweep.sqlite");
        let journal = Journal::open(&path, &identity("1")).unwrap();
        let busy = Journal::open(&path, &identity("1")).err().unwrap().to_string();
        assert!(busy.contains("process ") && busy.contains("is at work here"), "{busy}");
        drop(journal);
        let other = Journal::open(&path, &identity("2")).err().unwrap().to_string();
        assert!(other.contains("seed: there 1, now 2"), "{other}");
        std::fs::write(&path, "no database, but long enough to look at").unwrap();
        assert!(Journal::open(&path, &identity("1")).err().unwrap().to_string().contains("sweep.sqlite"));
    }
}
