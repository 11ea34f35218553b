//! Work on rayon's threads, without the interpreter's lock.

use crate::errors::{config_error, raised};
use equipoise::Error;
use pyo3::prelude::*;

/// Does `work` on a pool of `threads` threads, or on rayon's own, while other threads of Python go on.
pub(crate) fn without_lock<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    if threads == Some(0) {
        return Err(config_error(py, "threads = 0, expected at least 1, or None for every processor"));
    }
    py.detach(|| on_pool(threads, work)).map_err(|error| raised(py, error))
}

fn on_pool<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let Some(threads) = threads else { return work() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| Error::System(format!("{threads} threads: {e}")))?.install(work)
}
