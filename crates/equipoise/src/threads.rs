//! Work on a thread pool of a size of one's own.

use crate::Error;
use equipoise_data::MOST_THREADS;
use equipoise_train::config::ConfigError;

/// A pool of so many threads.
///
/// # Errors
/// A number that is 0 or larger than [`MOST_THREADS`]; threads that the system does not grant.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    if !(1..=MOST_THREADS).contains(&threads) {
        let reason = format!("expected 1 to {MOST_THREADS}, or none for every processor");
        return Err(ConfigError::Value { origin: format!("threads = {threads}"), reason }.into());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| Error::System(format!("{threads} threads: {e}")))
}

/// Does `work` on a thread pool of this size, or where it is called and on rayon's own pool.
///
/// ```
/// use equipoise::on_threads;
/// let sum = on_threads(Some(2), || Ok(1 + 1))?;
/// assert_eq!(sum, 2);
/// let error = on_threads(Some(1_000_000), || Ok(())).unwrap_err();
/// assert_eq!(error.to_string(), "threads = 1000000: expected 1 to 1024, or none for every processor");
/// # Ok::<(), equipoise::Error>(())
/// ```
///
/// # Errors
/// A number that is 0 or larger than 1,024; threads that the system does not grant; whatever `work` reports.
pub fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    match threads {
        Some(threads) => pool(threads)?.install(work),
        None => work(),
    }
}
