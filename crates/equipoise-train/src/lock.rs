//! The right to write a run directory, so that two programs do not write one run.

use crate::error::TrainError;
use std::path::{Path, PathBuf};

/// Held while a run is written. Its file is removed afterwards.
pub(crate) struct RunLock {
    path: PathBuf,
    _held: equipoise_jobs::Lock,
}

impl RunLock {
    /// Takes the right, and makes the directory where it is not there yet.
    ///
    /// # Errors
    /// [`TrainError::Job`] if another program has it; file system faults.
    pub(crate) fn take(dir: &Path) -> Result<RunLock, TrainError> {
        std::fs::create_dir_all(dir).map_err(|e| TrainError::io(dir, e))?;
        let path = dir.join(".training");
        let _held = equipoise_jobs::Lock::take(&path)?;
        Ok(RunLock { path, _held })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A file that stays behind is no obstacle: the right is the lock on it.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_jobs::Fault;

    #[test]
    fn a_run_is_written_by_one_at_a_time_and_no_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let held = RunLock::take(&run).unwrap();
        assert!(matches!(RunLock::take(&run), Err(TrainError::Job(Fault::Held { dir, .. })) if dir == run));
        drop(held);
        drop(RunLock::take(&run).unwrap());
        assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0);
    }
}
