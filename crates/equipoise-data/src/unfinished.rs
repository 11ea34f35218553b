//! Files and directories in the making, which a program that ends at once takes with it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Paths are added and removed in one step: the set is sound whatever its last holder did.
fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or a directory in the making. It is removed when this is dropped, and by [`remove_unfinished`], unless it was
/// [published](Unfinished::publish) or [kept](Unfinished::keep) before.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Notes that `path` is in the making.
    pub fn new(path: PathBuf) -> Unfinished {
        unfinished().insert(path.clone());
        Unfinished { path }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `publish`, which gives it its final name, while nobody can remove it.
    ///
    /// # Errors
    /// Those of `publish`; it is then removed.
    pub fn publish<E>(self, publish: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        let mut paths = unfinished();
        publish(&self.path)?;
        paths.remove(&self.path);
        drop(paths);
        std::mem::forget(self);
        Ok(())
    }

    /// Leaves it where it is.
    pub fn keep(self) {
        unfinished().remove(&self.path);
        std::mem::forget(self);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if unfinished().remove(&self.path) {
            // What cannot be removed is found and removed by the next call of the same command.
            let _ = remove(&self.path);
        }
    }
}

/// Removes everything in the making, for a program that ends now: whoever would publish or begin something from here on waits
/// for ever.
pub fn remove_unfinished() {
    let paths = unfinished();
    remove_all(&paths);
    std::mem::forget(paths);
}

fn remove_all(paths: &BTreeSet<PathBuf>) {
    for path in paths {
        // A directory that is still written to may need a second attempt; what stays is removed by the next call.
        if remove(path).is_err() {
            let _ = remove(path);
        }
    }
}

/// Removes a file or a directory with all that is in it; one that is not there is no fault.
fn remove(path: &Path) -> io::Result<()> {
    let about = std::fs::symlink_metadata(path);
    match about {
        Ok(about) if about.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_removed_and_what_is_published_or_kept_stays() {
        let dir = tempfile::tempdir().unwrap();
        let made = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, name).unwrap();
            Unfinished::new(path)
        };
        drop(made("dropped"));
        made("kept").keep();
        let end = dir.path().join("end");
        made("published").publish(|path| std::fs::rename(path, &end)).unwrap();
        assert!(made("failed").publish(|_| Err(())).is_err());
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["end", "kept"]);
    }

    #[test]
    fn a_program_that_ends_removes_files_and_directories() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join("file"), dir.path().join("folder"));
        std::fs::write(&file, "half").unwrap();
        std::fs::create_dir_all(folder.join("below")).unwrap();
        remove_all(&[file, folder, dir.path().join("gone")].into());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
