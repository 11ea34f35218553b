//! The thread that writes feedback: events that come within a second share one flush to the disk.

use crate::feedback::event::FeedbackEvent;
use crate::feedback::file::FeedbackFile;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Events that came together.
pub(crate) struct Parcel {
    pub(crate) events: Vec<FeedbackEvent>,
    /// Who waits until they are on the disk.
    pub(crate) told: Option<oneshot::Sender<Result<(), String>>>,
}

/// Writes what comes until nobody can send any more.
pub(crate) struct Writer {
    pub(crate) file: FeedbackFile,
    /// Least time between two flushes.
    pub(crate) every: Duration,
    pub(crate) metrics: Arc<Metrics>,
    /// Events that are not on the disk yet.
    pub(crate) pending: Arc<AtomicUsize>,
}

impl Writer {
    pub(crate) fn run(mut self, parcels: &Receiver<Parcel>) {
        let mut kept: Vec<Parcel> = Vec::new();
        let mut due = Instant::now();
        loop {
            let next = if kept.is_empty() {
                parcels.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                parcels.recv_timeout(due.saturating_duration_since(Instant::now()))
            };
            let ended = match next {
                Ok(parcel) => {
                    kept.push(parcel);
                    kept.extend(parcels.try_iter());
                    if Instant::now() < due {
                        continue;
                    }
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.flush(&mut kept);
            due = Instant::now() + self.every;
            if ended {
                return;
            }
        }
    }

    /// Writes what is kept. What cannot be written stays and is tried again with the next flush; whoever waits for it is told.
    fn flush(&mut self, kept: &mut Vec<Parcel>) {
        if kept.is_empty() {
            return;
        }
        let result = self.file.append(kept.iter().flat_map(|parcel| &parcel.events));
        let told = match &result {
            Ok(()) => Ok(()),
            Err(fault) => Err(fault.to_string()),
        };
        for waits in kept.iter_mut().filter_map(|parcel| parcel.told.take()) {
            // Who asked may have gone.
            let _ = waits.send(told.clone());
        }
        match result {
            Ok(()) => {
                let count = kept.iter().map(|parcel| parcel.events.len()).sum();
                self.pending.fetch_sub(count, Ordering::SeqCst);
                self.metrics.flushes.inc();
                kept.clear();
            }
            Err(_) => {
                self.metrics.flush_faults.inc();
            }
        }
    }
}
