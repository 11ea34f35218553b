//! The right to work somewhere, for one process at a time.

use crate::{Fault, StopFlag};
use equipoise_data::{Unfinished, is_at, make_dirs, not_writable, parent};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two attempts to take a lock that is held.
const PAUSE: Duration = Duration::from_millis(50);

/// A lock on a file, among processes and among the parts of one. The operating system releases it when the process ends,
/// however that happens.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The file itself, where it goes with the lock.
    passing: Option<Unfinished>,
}

impl Lock {
    /// Takes the lock on the file at `path`, which is made if there is none.
    ///
    /// # Errors
    /// [`Fault::Held`] if another holds it; file system faults.
    pub fn take(path: &Path) -> Result<Lock, Fault> {
        Lock::on(path, parent(path))
    }

    /// The same, but the file is removed with the lock. `dir` is what the lock is about.
    ///
    /// # Errors
    /// As [`take`](Lock::take).
    pub fn passing(path: &Path, dir: &Path) -> Result<Lock, Fault> {
        let mut lock = Lock::on(path, dir)?;
        lock.passing = Some(Unfinished::new(path.to_owned()));
        Ok(lock)
    }

    fn on(path: &Path, dir: &Path) -> Result<Lock, Fault> {
        make_dirs(parent(path)).map_err(Fault::io(parent(path)))?;
        let refused = |error| Fault::io(path)(not_writable(error));
        loop {
            let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path);
            let file = file.map_err(refused)?;
            match file.try_lock() {
                // Its last holder has removed the file in between: this lock keeps nobody out.
                Ok(()) if !is_at(&file, path) => {}
                Ok(()) => {
                    sign(&file).map_err(refused)?;
                    return Ok(Lock { file, passing: None });
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Fault::Held { dir: dir.to_owned(), by: holder(file) });
                }
                Err(TryLockError::Error(error)) => return Err(refused(error)),
            }
        }
    }

    /// The same, but waits while another holds it: until `stop` is raised, and for at most `patience`, if given.
    ///
    /// # Errors
    /// [`Fault::Interrupted`] if `stop` was raised; [`Fault::Held`] when patience ended; file system faults.
    pub fn wait(path: &Path, stop: &StopFlag, patience: Option<Duration>) -> Result<Lock, Fault> {
        waiting(|| Lock::take(path), stop, patience)
    }
}

/// Tries until the lock is free, `stop` is raised, or `patience` ends.
pub(crate) fn waiting<T>(
    take: impl Fn() -> Result<T, Fault>,
    stop: &StopFlag,
    patience: Option<Duration>,
) -> Result<T, Fault> {
    let _attended = stop.attend();
    let start = Instant::now();
    loop {
        match take() {
            Err(Fault::Held { .. }) if stop.is_raised() => return Err(Fault::Interrupted),
            Err(held @ Fault::Held { .. }) if patience.is_some_and(|p| start.elapsed() >= p) => {
                return Err(held);
            }
            Err(Fault::Held { .. }) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is held: whoever opens the next file of this name is kept out by that one alone.
        drop(self.passing.take());
        // Closing the file releases the lock as well.
        let _ = self.file.unlock();
    }
}

/// Writes into the file of the lock who holds it.
fn sign(mut file: &File) -> std::io::Result<()> {
    let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let name = program.file_name().map_or_else(String::new, |name| format!(" ({})", name.to_string_lossy()));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { String::new() } else { format!(" on {}", host.trim()) };
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("process {}{name}{host}", std::process::id()).as_bytes())
}

/// Who holds the lock, as far as its file says so.
fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if text.starts_with("process ") => text,
        _ => "another process".into(),
    }
}
