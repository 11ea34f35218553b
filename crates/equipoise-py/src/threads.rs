//! Work on rayon's threads, without the interpreter's lock.

use crate::errors::raised;
use equipoise::{Error, on_threads};
use pyo3::prelude::*;

/// Does `work` on a pool of `threads` threads, or on rayon's own, while other threads of Python go on.
pub(crate) fn without_lock<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    py.detach(|| on_threads(threads, work)).map_err(|error| raised(py, error))
}
