//! What happens in a run, for progress bars and log files.

use crate::error::TrainError;
use crate::role::Role;
use equipoise_balance::{HeadLosses, ModalityStep};
pub use equipoise_jobs::{Listener, Silent};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Version of the log. Logs of version 1 have 0 where a balancer measured nothing.
const VERSION: u32 = 2;

/// One modality's numbers, averaged over the steps of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModalityRecord {
    /// Its name.
    pub modality: String,
    /// Means over the steps.
    #[serde(flatten)]
    pub numbers: ModalityStep,
}

/// One epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its number, from 1; 0 is the model before training.
    pub epoch: usize,
    /// Mean loss of its steps.
    pub loss: f64,
    /// Mean BPR loss.
    pub bpr: f64,
    /// Mean penalty on final rows.
    pub penalty: f64,
    /// Mean of the balancer's loss: what it added, or put in the place of BPR.
    pub balance: f64,
    /// Mean of what the backbone added of its own.
    #[serde(default)]
    pub extra: f64,
    /// Seconds spent in steps.
    pub train_seconds: f64,
    /// Seconds spent in evaluation.
    pub eval_seconds: f64,
    /// The selection metric on validation, when evaluated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation: Option<f64>,
    /// The same of each modality's channel, when evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub channels: Vec<(String, f64)>,
    /// The same of the ids, when evaluated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ids_channel: Option<f64>,
    /// The balancer's numbers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub modalities: Vec<ModalityRecord>,
    /// The same of the ids, where the balancer treats them as a channel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ids: Option<Box<ModalityStep>>,
}

/// What the teachers know together and how far it may be taught: see [`robust`](equipoise_balance::robust). Metrics are means over users of
/// one half of validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StackRecord {
    /// How far teaching is open, 0 (not at all) to 1.
    pub gate: f64,
    /// Metric of the sum of teachers.
    pub teachers: f64,
    /// Metric of the plain model.
    pub plain: f64,
    /// Standard error of their difference, paired over users.
    pub error: f64,
    /// What the sum is worth beside the plain model, in nats of the ranking loss on held-out triples.
    #[serde(default)]
    pub gain: f64,
    /// Standard error of that over users.
    #[serde(default)]
    pub gain_error: f64,
    /// Weights of the two ids teachers.
    pub ids: [f64; 2],
    /// What each modality has in the sum.
    pub modalities: Vec<ContentRecord>,
}

/// What a modality has in the sum of teachers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContentRecord {
    /// Name of the modality.
    pub modality: String,
    /// Weight of what its teacher knows of ids.
    pub ids: f64,
    /// Weight of its content; 0 if it adds nothing.
    pub content: f64,
    /// What its content adds to everything else, in nats of the ranking loss on held-out triples.
    pub gain: f64,
    /// Standard error of that over users.
    pub gain_error: f64,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// No improvement for long enough.
    EarlyStop,
    /// The last epoch.
    LastEpoch,
    /// The user asked for it.
    Interrupted,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Training of one model begins.
    Started {
        /// Which model.
        #[serde(rename = "what")]
        role: Role,
        /// Trainable values.
        parameters: usize,
        /// Most epochs.
        epochs: usize,
        /// Steps in one epoch.
        steps_per_epoch: usize,
        /// The selection metric.
        metric: String,
    },
    /// A step is done. Not written to files.
    Step {
        /// Epoch, from 1.
        epoch: usize,
        /// Step within it, from 1.
        step: usize,
        /// Mean loss of the epoch so far.
        loss: f64,
    },
    /// An epoch is done.
    Epoch(EpochRecord),
    /// A training that was interrupted goes on from its checkpoint. What the log has before this line is that of a training
    /// that was not.
    Resumed {
        /// Which model.
        #[serde(rename = "what")]
        role: Role,
        /// The epoch in which it goes on, from 1.
        epoch: usize,
        /// Steps of that epoch that are done.
        steps: usize,
        /// Its best selection metric on validation so far.
        best: f64,
        /// The epoch of that.
        best_epoch: usize,
        /// The kind of processor that it began on, where that is another than this one: the last digits of its numbers then
        /// may differ from those of a training that was not interrupted.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        began_on: Option<String>,
    },
    /// Training of one model ended.
    Finished {
        /// Which model.
        #[serde(rename = "what")]
        role: Role,
        /// Why.
        ending: Ending,
        /// Epochs done.
        epochs: usize,
        /// Epoch of the model that is kept.
        best_epoch: usize,
        /// Its selection metric on validation.
        best: f64,
        /// Wall time.
        seconds: f64,
    },
    /// A saved teacher is used again.
    TeacherReused {
        /// Its modality.
        modality: String,
        /// Where it lies.
        path: String,
    },
    /// A saved plain model is used again.
    PlainReused {
        /// Where it lies.
        path: String,
    },
    /// A saved teacher of the ids is used again.
    IdsReused {
        /// Which of them.
        #[serde(rename = "what")]
        role: Role,
        /// Where it lies.
        path: String,
    },
    /// What the teachers know together.
    Stack {
        /// Their weights and what is open to teaching.
        #[serde(flatten)]
        record: StackRecord,
    },
    /// The losses of a model that was trained alone, from which the balancer starts.
    Head {
        /// Its modality; absent for the plain model.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        modality: Option<String>,
        /// Before and after its training.
        #[serde(flatten)]
        losses: HeadLosses,
    },
    /// Something worth saying.
    Note {
        /// In a sentence.
        text: String,
    },
}

/// Writes events, but for single steps, as JSON lines, and passes all on.
pub struct EventLog<'a> {
    written: Arc<Mutex<Written>>,
    next: &'a mut dyn Listener<Event>,
    failed: Option<std::io::Error>,
    /// Whether the log has the beginning of this training already.
    begun: bool,
}

/// What a log has been given so far.
struct Written {
    file: File,
    bytes: u64,
    hash: blake3::Hasher,
}

impl Written {
    fn line(&mut self, line: &str) -> std::io::Result<()> {
        let line = format!("{line}\n");
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        self.hash.update(line.as_bytes());
        Ok(())
    }
}

/// How far a log had come: its length in bytes and the BLAKE3 hash of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogMark {
    bytes: u64,
    hash: String,
}

/// Tells how far a log has come while events are written to it.
#[derive(Clone)]
pub(crate) struct LogMarker(Arc<Mutex<Written>>);

impl LogMarker {
    /// How far it has come. All of that is on the disk then.
    pub(crate) fn mark(&self) -> std::io::Result<LogMark> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.file.sync_data()?;
        Ok(LogMark { bytes: written.bytes, hash: written.hash.finalize().to_hex().to_string() })
    }
}

impl<'a> EventLog<'a> {
    /// A log at `path`, replacing what is there.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path, next: &'a mut dyn Listener<Event>) -> std::io::Result<EventLog<'a>> {
        let mut written = Written { file: File::create(path)?, bytes: 0, hash: blake3::Hasher::new() };
        written.line(&format!(r#"{{"event":"log","version":{VERSION}}}"#))?;
        Ok(EventLog { written: Arc::new(Mutex::new(written)), next, failed: None, begun: false })
    }

    /// The log at `path` as it was at that mark, which it [fits](LogMark::fits), to be gone on with: what was written after
    /// the mark is cut off.
    ///
    /// # Errors
    /// If the file cannot be read and changed.
    pub(crate) fn resume(
        path: &Path,
        mark: &LogMark,
        next: &'a mut dyn Listener<Event>,
    ) -> std::io::Result<EventLog<'a>> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let (bytes, hash) = hashed(&mut file, mark.bytes)?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        let written = Arc::new(Mutex::new(Written { file, bytes, hash }));
        Ok(EventLog { written, next, failed: None, begun: true })
    }

    /// Tells how far it has come.
    pub(crate) fn marker(&self) -> LogMarker {
        LogMarker(self.written.clone())
    }

    /// Whether every line was written.
    ///
    /// # Errors
    /// The first failure.
    pub fn finish(self) -> std::io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

/// The first bytes of a file, at most so many, and their hash.
fn hashed(file: &mut File, most: u64) -> std::io::Result<(u64, blake3::Hasher)> {
    let mut hash = blake3::Hasher::new();
    let bytes = std::io::copy(&mut file.take(most), &mut hash)?;
    Ok((bytes, hash))
}

impl LogMark {
    /// Whether the log at `path` was at this mark once.
    pub(crate) fn fits(&self, path: &Path) -> bool {
        let found = File::open(path).and_then(|mut file| hashed(&mut file, self.bytes));
        let same = |(bytes, hash): (u64, blake3::Hasher)| {
            bytes == self.bytes && hash.finalize().to_hex().as_str() == self.hash
        };
        found.is_ok_and(same)
    }
}

impl Listener<Event> for EventLog<'_> {
    fn event(&mut self, event: &Event) {
        let known = self.begun && matches!(event, Event::Started { .. });
        if !known && !matches!(event, Event::Step { .. }) && self.failed.is_none() {
            let line = serde_json::to_string(event).expect("events are plain data");
            // A panic elsewhere leaves whole lines, or one that was cut short: the next mark leaves that out.
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            self.failed = written.line(&line).err();
        }
        self.next.event(event);
    }
}

/// The epochs of a log written by [`EventLog`].
///
/// # Errors
/// If the file cannot be read or a line is no event; the message names the line.
pub fn read_epochs(path: &Path) -> Result<Vec<EpochRecord>, TrainError> {
    let text = std::fs::read_to_string(path).map_err(|e| TrainError::io(path, e))?;
    let mut epochs = Vec::new();
    let zeros_are_absent = text.lines().next().is_some_and(|line| line.contains(r#""version":1}"#));
    for (k, line) in text.lines().enumerate().skip(1) {
        match serde_json::from_str(line) {
            Ok(Event::Epoch(record)) if zeros_are_absent => epochs.push(without_zeros(record)),
            Ok(Event::Epoch(record)) => epochs.push(record),
            Ok(_) => {}
            Err(e) => return Err(TrainError::format(path, format!("line {}: {e}", k + 1))),
        }
    }
    Ok(epochs)
}

/// The same epoch without numbers that are 0 for every modality: what version 1 of the log wrote for what a balancer did not
/// measure.
fn without_zeros(mut record: EpochRecord) -> EpochRecord {
    let fields: [fn(&mut ModalityStep) -> &mut Option<f64>; 6] = [
        |m| &mut m.rho,
        |m| &mut m.effect,
        |m| &mut m.teacher_margin,
        |m| &mut m.clamped,
        |m| &mut m.specific,
        |m| &mut m.generic,
    ];
    for field in fields {
        if record.modalities.iter_mut().all(|m| *field(&mut m.numbers) == Some(0.0)) {
            record.modalities.iter_mut().for_each(|m| *field(&mut m.numbers) = None);
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_version_1_has_no_number_where_all_are_0() {
        let epoch = r#"{"event":"epoch","epoch":1,"loss":0.5,"bpr":0.5,"penalty":0.0,"balance":0.0,"train_seconds":1.0,
            "eval_seconds":1.0,"modalities":[{"modality":"text","weight":0.5,"rho":0.0,"effect":0.0},
            {"modality":"image","weight":0.5,"rho":0.0,"effect":0.25}]}"#.replace('\n', "");
        let dir = tempfile::tempdir().unwrap();
        let read = |version: u32| {
            let path = dir.path().join("events.jsonl");
            std::fs::write(&path, format!("{{\"event\":\"log\",\"version\":{version}}}\n{epoch}\n")).unwrap();
            let numbers = read_epochs(&path).unwrap().remove(0).modalities[0].numbers;
            (numbers.rho, numbers.effect, numbers.clamped)
        };
        assert_eq!(read(1), (None, Some(0.0), None));
        assert_eq!(read(2), (Some(0.0), Some(0.0), None));
    }
}
