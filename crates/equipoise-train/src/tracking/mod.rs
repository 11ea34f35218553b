//! Numbers of a training, handed to programs that draw curves while it runs.
//!
//! A tracker is chosen by a text `KIND:PLACE`, such as `tensorboard:curves`. Each model of a run, teachers included, has series of
//! its own; their steps are epochs:
//!
//! | series | what |
//! |---|---|
//! | `loss/total`, `loss/bpr`, `loss/penalty`, `loss/balance`, `loss/extra` | means over the steps of the epoch, see [`EpochRecord`] |
//! | `validation/whole`, `validation/<modality>`, `validation/ids` | the selection metric of the model, of each channel, of the ids, when evaluated |
//! | `<quantity>/<modality>` | what the balancer says of a modality: `weight`, `rho`, `effect`, ... |
//! | `seconds/train`, `seconds/eval` | seconds of the epoch |
//!
//! A training that goes on after an interruption goes on with its series: what they have of epochs that are done again is replaced.
//! Nothing that is tracked is read again by this program, and a tracker that fails does not end a training: it is said in a note.

pub mod tensorboard;
mod tracker;

pub use tracker::{Tracker, TrackerEntry};

use crate::events::{EpochRecord, Event, Listener};
use crate::role::Role;
use serde_json::Value;
use std::io;
use std::path::Path;

/// Every kind.
pub const TRACKERS: &[TrackerEntry] = &[tensorboard::ENTRY];

/// Why there is no tracker.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// A text that names none.
    #[error("track = {0:?}: expected KIND:PLACE, with a kind of {known}; such as tensorboard:curves", known = kinds())]
    Unknown(String),
    /// A place that cannot be written.
    #[error("track = {text:?}: {source}")]
    Io {
        /// The text.
        text: String,
        /// What the system said.
        source: io::Error,
    },
}

impl TrackError {
    /// Whether the cause is what was given (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            TrackError::Unknown(_) => true,
            TrackError::Io { source, .. } => equipoise_data::is_input_fault(source),
        }
    }
}

fn kinds() -> String {
    TRACKERS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

/// Opens the tracker that a text `KIND:PLACE` names.
///
/// # Errors
/// A kind that there is not; a place that cannot be written.
pub fn open(text: &str) -> Result<Box<dyn Tracker>, TrackError> {
    let unknown = || TrackError::Unknown(text.chars().take(100).collect());
    let (kind, place) = text.split_once(':').filter(|(_, place)| !place.is_empty()).ok_or_else(unknown)?;
    let entry = TRACKERS.iter().find(|entry| entry.name == kind).ok_or_else(unknown)?;
    (entry.open)(Path::new(place)).map_err(|source| TrackError::Io { text: text.to_owned(), source })
}

/// Hands the numbers of events to trackers, and passes all events on.
pub struct Tracked<'a> {
    trackers: Vec<Box<dyn Tracker>>,
    next: &'a mut dyn Listener<Event>,
    /// The model in training whose series are not begun yet.
    waiting: Option<Role>,
}

impl<'a> Tracked<'a> {
    /// A listener before another.
    pub fn new(trackers: Vec<Box<dyn Tracker>>, next: &'a mut dyn Listener<Event>) -> Tracked<'a> {
        Tracked { trackers, next, waiting: None }
    }

    fn track(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started { role, .. } => self.waiting = Some(role.clone()),
            Event::Resumed { role, epoch, .. } => {
                self.waiting = None;
                self.trackers.iter_mut().try_for_each(|tracker| tracker.begin(role, *epoch))?;
            }
            Event::Epoch(record) => {
                if let Some(role) = self.waiting.take() {
                    self.trackers.iter_mut().try_for_each(|tracker| tracker.begin(&role, record.epoch))?;
                }
                let numbers = numbers(record);
                self.trackers.iter_mut().try_for_each(|tracker| tracker.numbers(record.epoch, &numbers))?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Listener<Event> for Tracked<'_> {
    fn event(&mut self, event: &Event) {
        let tracked = self.track(event);
        self.next.event(event);
        if let Err(fault) = tracked {
            self.trackers.clear();
            let text = format!("Nothing is tracked from here on ({fault}); the training goes on.");
            self.next.event(&Event::Note { text });
        }
    }
}

/// The numbers of an epoch by the names of their series.
fn numbers(record: &EpochRecord) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut add = |name: &str, of: &str, value: f64| found.push((format!("{name}/{of}"), value));
    // Before training there are no steps.
    if record.epoch > 0 {
        add("loss", "total", record.loss);
        add("loss", "bpr", record.bpr);
        add("loss", "penalty", record.penalty);
        add("loss", "balance", record.balance);
        add("loss", "extra", record.extra);
        add("seconds", "train", record.train_seconds);
    }
    add("seconds", "eval", record.eval_seconds);
    record.validation.iter().for_each(|&value| add("validation", "whole", value));
    record.channels.iter().for_each(|(modality, value)| add("validation", modality, *value));
    record.ids_channel.iter().for_each(|&value| add("validation", "ids", value));
    let ids = record.ids.iter().map(|step| ("ids", &**step));
    let modalities = record.modalities.iter().map(|of| (of.modality.as_str(), &of.numbers));
    for (name, step) in modalities.chain(ids) {
        let Ok(Value::Object(quantities)) = serde_json::to_value(step) else { continue };
        quantities.iter().filter_map(|(q, v)| Some((q, v.as_f64()?))).for_each(|(q, v)| add(q, name, v));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What a tracker was told.
    type Told = Arc<Mutex<Vec<String>>>;

    struct Notes(Told, bool);

    impl Tracker for Notes {
        fn begin(&mut self, role: &Role, step: usize) -> io::Result<()> {
            self.0.lock().unwrap().push(format!("{role} from {step}"));
            Ok(())
        }

        fn numbers(&mut self, step: usize, numbers: &[(String, f64)]) -> io::Result<()> {
            if self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let texts = numbers.iter().map(|(name, value)| format!("{step} {name} {value}"));
            self.0.lock().unwrap().extend(texts);
            Ok(())
        }
    }

    fn started() -> Event {
        let (role, metric) = (Role::Teacher("image".into()), "recall@20".into());
        Event::Started { role, parameters: 1, epochs: 9, steps_per_epoch: 1, metric }
    }

    fn epoch(epoch: usize) -> Event {
        let channels = vec![("image".to_owned(), 0.25)];
        Event::Epoch(EpochRecord {
            epoch,
            loss: 2.0,
            validation: Some(0.5),
            channels,
            ..EpochRecord::default()
        })
    }

    fn told(events: &[Event], fails: bool) -> (Vec<String>, usize) {
        let notes = Told::default();
        let mut heard = 0;
        let mut next = |event: &Event| heard += usize::from(matches!(event, Event::Note { .. }));
        let mut tracked = Tracked::new(vec![Box::new(Notes(notes.clone(), fails))], &mut next);
        events.iter().for_each(|event| tracked.event(event));
        let told = notes.lock().unwrap().clone();
        (told, heard)
    }

    #[test]
    fn series_begin_with_the_first_epoch_and_go_on_where_a_training_does() {
        let (fresh, _) = told(&[started(), epoch(0), epoch(1)], false);
        assert_eq!(fresh[0], "teacher image from 0");
        assert!(fresh.contains(&"0 validation/image 0.25".to_owned()));
        assert!(
            fresh.contains(&"1 loss/total 2".to_owned()) && !fresh.contains(&"0 loss/total 2".to_owned())
        );
        let role = Role::Teacher("image".into());
        let resumed = Event::Resumed { role, epoch: 4, steps: 0, best: 0.5, best_epoch: 3, began_on: None };
        let (again, _) = told(&[started(), resumed, epoch(4)], false);
        assert_eq!(again[0], "teacher image from 4");
        assert_eq!(again.iter().filter(|text| text.contains("from")).count(), 1);
    }

    #[test]
    fn a_tracker_that_fails_is_said_once_and_ends_nothing() {
        assert_eq!(
            told(&[started(), epoch(0), epoch(1), epoch(2)], true),
            (vec!["teacher image from 0".into()], 1)
        );
    }

    #[test]
    fn what_names_no_tracker_is_refused() {
        for text in ["tensorbord:x", "tensorboard", "tensorboard:", ""] {
            let error = open(text).err().expect("refused");
            assert!(error.is_input() && error.to_string().contains("KIND:PLACE"), "{error}");
        }
    }
}
