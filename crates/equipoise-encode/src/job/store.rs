//! The rows that are done, kept so that a run that is killed can be taken up.
//!
//! `.equipoise-<name>.part/` stands beside the features until they are whole. It is a unit of work ([`Unit`]) whose key is the
//! hash of contents, model and settings, with two files of its own:
//!
//! ```text
//! rows          a record for each batch: number, length of the list of remarks on inputs (u32, little-endian), the rows
//!               (f32), that list (JSON), the first 16 bytes of the BLAKE3 hash of all of it
//! publishing    there once the files of the features are being replaced
//! ```
//!
//! A record that was cut short, or does not match its hash, is dropped with all that follow it.
//!
//! `.equipoise-<name>.K-of-N.part/` is the same for one of several parts of the job, which another process or machine encodes. The
//! run that writes the features takes the records of every part, and removes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Remark;
use crate::error::EncodeError;
use equipoise_data::parent;
use equipoise_jobs::{Claim, Fault, Shard, Standing, Unit};

const HASH: usize = 16;
const HEAD: usize = 8;

/// Work under way.
pub(crate) struct Store {
    dir: PathBuf,
    _claim: Claim,
}

/// The records of a job.
pub(crate) struct Rows {
    file: File,
    path: PathBuf,
    width: usize,
    /// Where the record of each batch starts, and how long its list of remarks is.
    found: Vec<Option<(u64, usize)>>,
    lengths: Vec<usize>,
    end: u64,
}

impl Store {
    /// Takes the place beside the features of `name` in `dir`. What is there of another job is removed.
    ///
    /// # Errors
    /// If another run holds it, or the file system refuses.
    pub(crate) fn open(
        dir: &Path,
        name: &str,
        fingerprint: &str,
        shard: Option<Shard>,
    ) -> Result<Store, EncodeError> {
        let unit = match shard {
            None => unit(dir, name, fingerprint),
            Some(shard) => Unit::new(dir.join(part(name, shard)), fingerprint),
        };
        let claim = unit.claim().map_err(fault(&unit))?;
        if unit.standing().map_err(fault(&unit))? != Standing::Begun {
            claim.clear().map_err(fault(&unit))?;
            claim.begin(&name).map_err(fault(&unit))?;
        }
        Ok(Store { dir: unit.dir().to_owned(), _claim: claim })
    }

    /// Takes the records of the parts of this job that are there into `rows`, and removes these parts and those of another job of
    /// this name.
    ///
    /// # Errors
    /// If somebody is at work on a part, or the file system refuses.
    pub(crate) fn adopt(&self, name: &str, fingerprint: &str, rows: &mut Rows) -> Result<(), EncodeError> {
        let beside = parent(&self.dir);
        for entry in std::fs::read_dir(beside).map_err(EncodeError::io(beside))? {
            let dir = entry.map_err(EncodeError::io(beside))?.path();
            if !is_part(&dir, name) {
                continue;
            }
            let unit = Unit::new(&dir, fingerprint);
            let part = Store { _claim: unit.claim().map_err(fault(&unit))?, dir };
            if unit.standing().map_err(fault(&unit))? == Standing::Begun {
                rows.take(&mut Rows::open(part.dir.join("rows"), rows.lengths.clone(), rows.width)?)?;
            }
            part.finish()?;
        }
        Ok(())
    }

    /// Whether the job of this fingerprint had begun to replace the files of the features when it ended.
    pub(crate) fn was_publishing(dir: &Path, name: &str, fingerprint: &str) -> bool {
        let unit = unit(dir, name, fingerprint);
        unit.standing() == Ok(Standing::Begun) && unit.dir().join("publishing").exists()
    }

    /// Removes what a job that made these features, which are whole, left when it was stopped after its last file. What another job
    /// keeps there stays, and so does what another process works on.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn tidy(dir: &Path, name: &str, fingerprint: &str) -> Result<(), EncodeError> {
        let unit = unit(dir, name, fingerprint);
        if !unit.dir().exists() || unit.standing().map_err(fault(&unit))? == Standing::Other {
            return Ok(());
        }
        match unit.claim() {
            Err(Fault::Held { .. }) => Ok(()),
            Err(other) => Err(fault(&unit)(other)),
            Ok(claim) => Store { dir: unit.dir().to_owned(), _claim: claim }.finish(),
        }
    }

    /// Notes that the files of the features are about to be replaced.
    ///
    /// # Errors
    /// If that cannot be written.
    pub(crate) fn publishing(&self) -> Result<(), EncodeError> {
        let file = self.dir.join("publishing");
        std::fs::write(&file, b"").map_err(EncodeError::io(&file))
    }

    /// The records of batches of so many inputs, and those that are there.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn rows(&self, batches: &[Range<usize>], width: usize) -> Result<Rows, EncodeError> {
        Rows::open(self.dir.join("rows"), batches.iter().map(ExactSizeIterator::len).collect(), width)
    }

    /// Removes what is kept: the features are whole.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn finish(self) -> Result<(), EncodeError> {
        std::fs::remove_dir_all(&self.dir).map_err(EncodeError::io(&self.dir))
    }
}

fn unit(dir: &Path, name: &str, fingerprint: &str) -> Unit {
    Unit::new(dir.join(format!(".equipoise-{name}.part")), fingerprint)
}

/// The name of the directory of a part.
fn part(name: &str, shard: Shard) -> String {
    format!(".equipoise-{name}.{}-of-{}.part", shard.number(), shard.of())
}

/// Whether a directory is that of a part of the features of `name`.
fn is_part(dir: &Path, name: &str) -> bool {
    let found = dir.file_name().and_then(|found| found.to_str()).unwrap_or_default();
    let within =
        found.strip_prefix(&format!(".equipoise-{name}.")).and_then(|rest| rest.strip_suffix(".part"));
    let shard = within.and_then(|within| within.replacen("-of-", "/", 1).parse::<Shard>().ok());
    shard.is_some_and(|shard| part(name, shard) == found)
}

/// Whoever works beside the features works on them.
fn fault(unit: &Unit) -> impl FnOnce(Fault) -> EncodeError + '_ {
    |fault| match fault {
        Fault::Held { by, .. } => {
            let dir = parent(unit.dir()).to_owned();
            EncodeError::Job(Fault::Held { dir, by })
        }
        fault => EncodeError::Job(fault),
    }
}

impl Rows {
    /// The whole records of batches of so many inputs that a file holds; it is made if it is not there.
    fn open(path: PathBuf, lengths: Vec<usize>, width: usize) -> Result<Rows, EncodeError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(EncodeError::io(&path))?;
        let mut rows = Rows { file, width, found: vec![None; lengths.len()], lengths, end: 0, path };
        rows.scan().map_err(EncodeError::io(&rows.path.clone()))?;
        Ok(rows)
    }

    /// Adds the records of others that are not here.
    fn take(&mut self, others: &mut Rows) -> Result<(), EncodeError> {
        for batch in 0..self.found.len() {
            if others.has(batch) && !self.has(batch) {
                let (rows, remarks) = others.read(batch).map_err(EncodeError::io(&others.path))?;
                self.add(batch, &rows, &remarks)?;
            }
        }
        Ok(())
    }

    /// Whether the batch is done.
    pub(crate) fn has(&self, batch: usize) -> bool {
        self.found[batch].is_some()
    }

    /// Adds the record of a batch.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn add(&mut self, batch: usize, rows: &[f32], remarks: &[Remark]) -> Result<(), EncodeError> {
        let remarks = serde_json::to_vec(remarks).expect("places and reasons are JSON");
        let mut record = Vec::with_capacity(HEAD + 4 * rows.len() + remarks.len() + HASH);
        record.extend((batch as u32).to_le_bytes());
        record.extend((remarks.len() as u32).to_le_bytes());
        record.extend(rows.iter().flat_map(|v| v.to_le_bytes()));
        record.extend(&remarks);
        let hash = blake3::hash(&record);
        record.extend(&hash.as_bytes()[..HASH]);
        let at = self.end;
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(&record));
        written.map_err(EncodeError::io(&self.path))?;
        self.end += record.len() as u64;
        self.found[batch] = Some((at, remarks.len()));
        Ok(())
    }

    /// The rows of a batch that is done, and its remarks.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn read(&mut self, batch: usize) -> io::Result<(Vec<f32>, Vec<Remark>)> {
        let (at, remarks) = self.found[batch].ok_or_else(|| io::Error::other("a batch is not done"))?;
        let mut bytes = vec![0; self.lengths[batch] * self.width * 4 + remarks];
        self.file.seek(SeekFrom::Start(at + HEAD as u64))?;
        self.file.read_exact(&mut bytes)?;
        let (rows, remarks) = bytes.split_at(bytes.len() - remarks);
        let rows = rows.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        Ok((rows, serde_json::from_slice(remarks)?))
    }

    /// Finds the whole records; the rest is cut off.
    fn scan(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        while let Some((batch, remarks, size)) = self.record(length)? {
            self.found[batch] = Some((self.end, remarks));
            self.end += size;
        }
        self.file.set_len(self.end)
    }

    /// Batch, length of the list of remarks and size of the record at the end of those found, if it is whole.
    fn record(&mut self, length: u64) -> io::Result<Option<(usize, usize, u64)>> {
        let mut head = [0; HEAD];
        if length - self.end < HEAD as u64 {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.read_exact(&mut head)?;
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (batch, remarks) = (number(0), number(4));
        let Some(&inputs) = self.lengths.get(batch) else {
            return Ok(None);
        };
        let body = inputs * self.width * 4 + remarks;
        let size = (HEAD + body + HASH) as u64;
        if length - self.end < size {
            return Ok(None);
        }
        let mut bytes = vec![0; body + HASH];
        self.file.read_exact(&mut bytes)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head).update(&bytes[..body]);
        let whole = hasher.finalize().as_bytes()[..HASH] == bytes[body..];
        Ok(whole.then_some((batch, remarks, size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_what_was_cut_short_is_dropped() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let batches = [0..2, 2..3, 3..5];
        let remarks =
            vec![Remark::Broken { place: 1, reason: "no picture".into() }, Remark::Cut { place: 0 }];
        let store = Store::open(dir.path(), "text", "f", None).expect("free");
        let mut rows = store.rows(&batches, 2).expect("new");
        rows.add(2, &[5.0; 4], &remarks).expect("added");
        rows.add(0, &[1.0, 2.0, 3.0, 4.0], &[]).expect("added");
        let whole = rows.end;
        rows.add(1, &[9.0; 2], &[]).expect("added");
        rows.file.set_len(rows.end - 1).expect("cut");
        drop((rows, store));
        let store = Store::open(dir.path(), "text", "f", None).expect("free again");
        let mut rows = store.rows(&batches, 2).expect("read");
        assert_eq!((rows.has(0), rows.has(1), rows.has(2), rows.end), (true, false, true, whole));
        assert_eq!(rows.read(0).expect("whole"), (vec![1.0, 2.0, 3.0, 4.0], vec![]));
        assert_eq!(rows.read(2).expect("whole"), (vec![5.0; 4], remarks));
        assert!(rows.read(1).is_err());
    }

    #[test]
    fn what_a_job_left_beside_its_features_goes_and_what_another_keeps_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let left = dir.path().join(".equipoise-text.part");
        let tidy =
            |fingerprint: &str| Store::tidy(dir.path(), "text", fingerprint).expect("it can be removed");
        tidy("f");
        let at_work = Store::open(dir.path(), "text", "f", None).expect("free");
        tidy("f");
        assert!(left.exists(), "somebody works on it");
        drop(at_work);
        tidy("g");
        assert!(left.exists(), "it is another job's");
        tidy("f");
        assert!(!left.exists());
        // Stopped while it was removed.
        std::fs::create_dir(&left).expect("free");
        tidy("f");
        assert!(!left.exists());
    }

    #[test]
    fn another_job_starts_anew_and_a_second_run_is_kept_out() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let batches = [0..1, 1..2];
        let store = Store::open(dir.path(), "text", "f", None).expect("free");
        store.rows(&batches, 1).expect("new").add(0, &[1.0], &[]).expect("added");
        let message = Store::open(dir.path(), "text", "f", None).map(|_| ()).expect_err("held").to_string();
        assert!(message.contains("is at work here"), "{message}");
        drop(store);
        let store = Store::open(dir.path(), "text", "g", None).expect("free");
        assert!(!store.rows(&batches, 1).expect("anew").has(0));
    }
}
