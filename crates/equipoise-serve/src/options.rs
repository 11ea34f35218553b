//! How a server is set up.

use crate::error::ServeError;
use crate::log::LogLevel;
use crate::page::Pictures;
use equipoise_data::MOST_THREADS;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Longest time that can be set: a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// Most connections that can be set.
const CONNECTIONS: usize = 1_000_000;

/// How a server is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeOptions {
    /// The models, the first of which answers what names no model and no user.
    pub models: Vec<ModelSource>,
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where the pictures of items on the page may come from.
    pub pictures: Pictures,
    /// A file with the tokens that are let in; without one everyone is.
    pub token_file: Option<PathBuf>,
    /// The SQLite file that feedback is kept in; without one none is taken.
    pub feedback: Option<PathBuf>,
    /// Least time between two flushes of feedback to the disk.
    pub flush_every: Duration,
    /// Threads that score; one for each core if it is left out.
    pub threads: Option<usize>,
    /// Requests that may wait to be scored, in each of the two queues.
    pub queue: usize,
    /// Connections that may be open at once.
    pub connections: usize,
    /// Longest time for a client to send the head of a request or its body, and to take a piece of the answer.
    pub read_timeout: Duration,
    /// Longest time to answer.
    pub timeout: Duration,
    /// Longest time for requests under way to end when the server is asked to stop.
    pub grace: Duration,
    /// Time between two looks at the files of the models; they are not watched if it is left out.
    pub watch: Option<Duration>,
    /// What is written to the log.
    pub log: LogLevel,
    /// Whether the log may name users and items.
    pub log_ids: bool,
}

/// A model that is served under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSource {
    /// The name in paths and answers: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// A run, or a served model.
    pub path: PathBuf,
    /// Its share of the requests that name no model; shares are compared with one another, they need not add up to 1.
    pub share: f64,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        ServeOptions {
            models: Vec::new(),
            bind,
            pictures: Pictures::default(),
            token_file: None,
            feedback: None,
            flush_every: Duration::from_secs(1),
            threads: None,
            queue: 1024,
            connections: 1024,
            read_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            grace: Duration::from_secs(30),
            watch: Some(Duration::from_secs(2)),
            log: LogLevel::default(),
            log_ids: false,
        }
    }
}

impl ModelSource {
    /// A model with a share of 1.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> ModelSource {
        ModelSource { name: name.into(), path: path.into(), share: 1.0 }
    }
}

impl ServeOptions {
    /// Checks numbers.
    ///
    /// # Errors
    /// A number that cannot be used.
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        let numbers = [
            ("--queue", self.queue),
            ("--connections", self.connections),
            ("--threads", self.threads.unwrap_or(1)),
        ];
        if let Some((field, _)) = numbers.into_iter().find(|&(_, number)| number == 0) {
            return Err(ServeError::setting(field, "0, expected at least 1"));
        }
        let times = [
            ("--timeout", self.timeout),
            ("--read-timeout", self.read_timeout),
            ("--watch", self.watch.unwrap_or(self.timeout)),
        ];
        if let Some(threads) = self.threads.filter(|&threads| threads > MOST_THREADS) {
            return Err(ServeError::setting(
                "--threads",
                format!("{threads}, expected at most {MOST_THREADS}"),
            ));
        }
        if self.connections > CONNECTIONS {
            let problem = format!("{}, expected at most {CONNECTIONS}", self.connections);
            return Err(ServeError::setting("--connections", problem));
        }
        match times.into_iter().find(|(_, time)| time.is_zero() || *time > LONGEST) {
            Some((field, time)) => {
                let problem = format!(
                    "{} seconds, expected more than 0, at most {}",
                    time.as_secs_f64(),
                    LONGEST.as_secs()
                );
                Err(ServeError::setting(field, problem))
            }
            None => Ok(()),
        }
    }
}
