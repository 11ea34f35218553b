//! The log: a line of JSON on stderr for each request and each thing that happens.
//!
//! A thread of its own writes it, so that whoever reads it slowly, or not at all, holds up no request: lines beyond
//! [`ROOM`] are dropped and counted.

use chrono::{DateTime, SecondsFormat, Utc};
use prometheus_client::metrics::counter::Counter;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// Lines that wait to be written.
const ROOM: usize = 4096;

/// What is written to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What goes wrong, and what happens to models.
    #[default]
    Events,
    /// Every request as well.
    Requests,
}

/// The log.
pub(crate) struct Log {
    level: LogLevel,
    lines: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
    dropped: Counter,
}

impl Log {
    /// Starts the thread that writes.
    pub(crate) fn new(level: LogLevel, dropped: Counter) -> Log {
        if level == LogLevel::Off {
            return Log { level, lines: None, writer: None, dropped };
        }
        let (lines, waiting) = sync_channel(ROOM);
        let writer = std::thread::Builder::new().name("log".into()).spawn(move || write(&waiting));
        // Without a thread for it there is no log; the server can do without.
        Log { level, lines: writer.is_ok().then_some(lines), writer: writer.ok(), dropped }
    }

    /// Whether lines of this level are written.
    pub(crate) fn takes(&self, level: LogLevel) -> bool {
        level <= self.level && self.lines.is_some()
    }

    /// Writes a line of something that happened.
    pub(crate) fn event(&self, level: &str, event: &str, about: Value) {
        if self.takes(LogLevel::Events) {
            self.line(level, event, about);
        }
    }

    /// Writes a line of a request.
    pub(crate) fn request(&self, about: impl FnOnce() -> Value) {
        if self.takes(LogLevel::Requests) {
            self.line("info", "request", about());
        }
    }

    fn line(&self, level: &str, event: &str, about: Value) {
        let Some(lines) = &self.lines else { return };
        let time = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = Map::new();
        line.extend(
            [("time", json!(time)), ("level", json!(level)), ("event", json!(event))]
                .map(|(k, v)| (k.to_owned(), v)),
        );
        if let Value::Object(about) = about {
            line.extend(about);
        }
        if lines.try_send(Value::Object(line).to_string()).is_err() {
            self.dropped.inc();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to say.
            let _ = writer.join();
        }
    }
}

fn write(lines: &Receiver<String>) {
    for line in lines {
        // Nobody listening is no failure.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
