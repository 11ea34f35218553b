//! What is known of a search, on disk after every evaluation: a small SQLite database.
//!
//! | table | columns |
//! |---|---|
//! | `study` | `name`, `value`: what makes this search this search |
//! | `evaluations` | `number`, `rung`, `point`, `budget`, `value`, `best_epoch`, `epochs`, `seconds`, `complete`, `failure`, `seal` |
//!
//! `seal` is the BLAKE3 hash of the rest of a row. A file whose pages or rows are damaged is refused when it is opened. Version 1 had
//! no seals; its rows are given theirs when the file is first opened.
//!
//! Each record is one transaction, flushed before the next trial is counted: a process that is killed at any moment loses only
//! the trials under way. A [`Lock`] beside the file is held while a search uses it; the same records lie in `trials.jsonl` for
//! other programs to read meanwhile.

use super::error::SearchError;
use super::trial::{Measured, Proposal, Record};
use equipoise_data::{parent, remove_parts};
use equipoise_jobs::{Key, Lock};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Version of the database.
const VERSION: u32 = 2;

const TABLES: &str = "
    CREATE TABLE study (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE evaluations (
        number INTEGER NOT NULL, rung INTEGER NOT NULL, point TEXT NOT NULL, budget INTEGER,
        value REAL, best_epoch INTEGER, epochs INTEGER, seconds REAL, complete INTEGER, failure TEXT,
        seal TEXT NOT NULL DEFAULT '',
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
    /// [`SearchError::Other`] if it belongs to another search; file faults, a damaged file, and a search at work on it.
    pub fn open(path: &Path, identity: &Identity) -> Result<Journal, SearchError> {
        let lock = Lock::take(&lock_file(path)).map_err(SearchError::Lock)?;
        remove_parts(parent(path));
        // SQLite takes a file that is shorter than a header for an empty one.
        if std::fs::metadata(path).is_ok_and(|about| (1..HEADER).contains(&about.len())) {
            return Err(SearchError::file(path, format!("damaged (cut short); {RESTORE}")));
        }
        let connection = Connection::open(path).map_err(|e| SearchError::file(path, e.to_string()))?;
        let mut journal = Journal { connection, path: path.to_owned(), _lock: Some(lock) };
        journal.prepare(identity).map_err(|e| journal.fault(&e))?;
        journal.compare(identity)?;
        journal.verify()?;
        Ok(journal)
    }

    /// A journal that is forgotten with the process.
    pub fn in_memory() -> Journal {
        let connection = Connection::open_in_memory().expect("memory needs no file");
        let mut journal = Journal { connection, path: "memory".into(), _lock: None };
        journal.prepare(&Identity::new()).expect("an empty database in memory");
        journal
    }

    /// Makes the tables where there are none, and gives seals to the rows of an earlier version.
    fn prepare(&mut self, identity: &Identity) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => {
                transaction.execute_batch(TABLES)?;
                for (name, value) in identity {
                    transaction.execute("INSERT INTO study VALUES (?1, ?2)", params![name, value])?;
                }
            }
            1 => {
                transaction
                    .execute("ALTER TABLE evaluations ADD COLUMN seal TEXT NOT NULL DEFAULT ''", [])?;
                for row in rows(&transaction)? {
                    let values = params![row.seal(), row.number, row.rung];
                    transaction.execute(
                        "UPDATE evaluations SET seal = ?1 WHERE number = ?2 AND rung = ?3",
                        values,
                    )?;
                }
            }
            _ => return Ok(()),
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    }

    /// Refuses a file whose pages or rows are not what was written.
    fn verify(&self) -> Result<(), SearchError> {
        let check = "PRAGMA integrity_check(1)";
        let found: String =
            self.connection.query_row(check, [], |row| row.get(0)).map_err(|e| self.fault(&e))?;
        let broken =
            rows(&self.connection).map_err(|e| self.fault(&e))?.into_iter().find(|row| !row.is_whole());
        let reason = match (found.as_str(), broken) {
            ("ok", None) => return Ok(()),
            ("ok", Some(row)) => {
                format!("the record of trial {} is not the one that was written", row.number)
            }
            (fault, _) => fault.lines().next().unwrap_or_default().to_owned(),
        };
        Err(SearchError::file(&self.path, format!("damaged ({reason}); {RESTORE}")))
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
        let sql = format!("{SELECT} WHERE number = ?1 AND rung = ?2");
        let key = params![proposal.number, proposal.rung];
        let row = self.connection.query_row(&sql, key, Row::read).optional();
        let Some(row) = row.map_err(|e| self.fault(&e))? else { return Ok(None) };
        if (&row.point, row.budget) != (&proposal.point.to_string(), proposal.budget.epochs) {
            let reason = format!(
                "trial {} is {} here, and would be {} now: another version of the program made it; give another --out",
                proposal.number, row.point, proposal.point
            );
            return Err(SearchError::file(&self.path, reason));
        }
        Ok(Some(Record { proposal: proposal.clone(), outcome: row.outcome }))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, record: &Record) -> Result<(), SearchError> {
        let row = Row::of(record);
        let m = row.outcome.as_ref().ok();
        let values = params![
            row.number,
            row.rung,
            row.point,
            row.budget,
            m.map(|m| m.value),
            m.map(|m| m.best_epoch),
            m.map(|m| m.epochs),
            m.map(|m| m.seconds),
            m.map(|m| m.complete),
            row.outcome.as_ref().err(),
            row.seal(),
        ];
        let sql = "INSERT INTO evaluations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
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
            _ => SearchError::file(
                &self.path,
                format!("damaged, or no journal of a search ({error}); {RESTORE}"),
            ),
        }
    }
}

const SELECT: &str = "SELECT number, rung, point, budget, value, best_epoch, epochs, seconds, complete, failure, seal FROM evaluations";

/// Bytes of the header of a database, and more.
const HEADER: u64 = 512;

/// What to do about a damaged file.
const RESTORE: &str = "restore the file, or search anew with another --out";

/// A row of `evaluations`.
struct Row {
    number: usize,
    rung: usize,
    point: String,
    budget: Option<usize>,
    outcome: Result<Measured, String>,
    /// The seal that the file has.
    sealed: String,
}

impl Row {
    fn of(record: &Record) -> Row {
        let p = &record.proposal;
        Row {
            number: p.number,
            rung: p.rung,
            point: p.point.to_string(),
            budget: p.budget.epochs,
            outcome: record.outcome.clone(),
            sealed: String::new(),
        }
    }

    fn read(row: &rusqlite::Row) -> rusqlite::Result<Row> {
        let outcome = match row.get::<_, Option<f64>>(4)? {
            Some(value) => Ok(Measured {
                value,
                best_epoch: row.get(5)?,
                epochs: row.get(6)?,
                seconds: row.get(7)?,
                complete: row.get(8)?,
            }),
            None => Err(row.get(9)?),
        };
        Ok(Row {
            number: row.get(0)?,
            rung: row.get(1)?,
            point: row.get(2)?,
            budget: row.get(3)?,
            outcome,
            sealed: row.get(10)?,
        })
    }

    /// The hash of everything in the row.
    fn seal(&self) -> String {
        let mut key = Key::new("equipoise search record 1");
        let number = |n: usize| (n as u64).to_le_bytes();
        key.add(&number(self.number)).add(&number(self.rung)).add(self.point.as_bytes());
        key.add(&self.budget.map_or_else(Vec::new, |epochs| number(epochs).to_vec()));
        match &self.outcome {
            Ok(m) => key
                .add(&m.value.to_bits().to_le_bytes())
                .add(&number(m.best_epoch))
                .add(&number(m.epochs))
                .add(&m.seconds.to_bits().to_le_bytes())
                .add(&[u8::from(m.complete)]),
            Err(failure) => key.add(failure.as_bytes()),
        };
        key.hex()
    }

    fn is_whole(&self) -> bool {
        self.sealed == self.seal()
    }
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(SELECT)?;
    let rows = statement.query_map([], Row::read)?;
    rows.collect()
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

    /// A journal with a good record and a failed one, closed; its path.
    fn written(dir: &Path) -> PathBuf {
        let path = dir.join("sweep.sqlite");
        let journal = Journal::open(&path, &identity("1")).unwrap();
        let measured = Measured { value: 0.25, best_epoch: 3, epochs: 5, seconds: 1.5, complete: true };
        journal.add(&Record { proposal: proposal(0, 0.5), outcome: Ok(measured) }).unwrap();
        journal.add(&Record { proposal: proposal(1, 0.5), outcome: Err("diverged".into()) }).unwrap();
        path
    }

    #[test]
    fn a_changed_record_and_a_damaged_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        for change in ["value = 0.26", "failure = 'stopped'", "point = 'x = 0.6'", "seconds = NULL"] {
            let whole = std::fs::read(&path).unwrap();
            let change = format!(
                "UPDATE evaluations SET {change} WHERE number = {}",
                usize::from(change.contains("fail"))
            );
            Connection::open(&path).unwrap().execute(&change, []).unwrap();
            let told = Journal::open(&path, &identity("1")).err().expect(&change).to_string();
            assert!(told.contains("sweep.sqlite") && told.contains("damaged"), "{change}: {told}");
            std::fs::write(&path, &whole).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 100, 4096, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Journal::open(&path, &identity("1")).is_err(), "cut to {cut}");
        }
    }

    #[test]
    fn no_damaged_byte_changes_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let whole = std::fs::read(&path).unwrap();
        let read = |journal: &Journal| {
            let both = [proposal(0, 0.5), proposal(1, 0.5)];
            both.map(|proposal| journal.outcome(&proposal).unwrap().expect("recorded").outcome)
        };
        let expected = read(&Journal::open(&path, &identity("1")).unwrap());
        let (mut refused, mut spare) = (0, 0);
        for at in (0..whole.len()).step_by(31) {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            std::fs::write(&path, &changed).unwrap();
            match Journal::open(&path, &identity("1")) {
                Ok(journal) => {
                    assert!(read(&journal) == expected, "byte {at}");
                    spare += 1;
                }
                Err(_) => refused += 1,
            }
        }
        // Most of a small file are bytes that no page uses.
        assert!(refused > 10 && spare > 10, "{refused} {spare}");
    }

    #[test]
    fn a_journal_of_version_1_is_taken_up_and_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let old = "ALTER TABLE evaluations DROP COLUMN seal; PRAGMA user_version = 1;";
        Connection::open(&path).unwrap().execute_batch(old).unwrap();
        for _ in 0..2 {
            let journal = Journal::open(&path, &identity("1")).unwrap();
            assert_eq!(journal.last().unwrap(), Some(1));
        }
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
