//! Carries out a training where it can be interrupted: it goes on from its checkpoint if there is one, and begins otherwise.

use crate::checkpoint::{self, Checkpoint};
use crate::course::Course;
use crate::error::TrainError;
use crate::events::{Event, EventLog, Listener, LogMark, LogMarker};
use crate::run::{Run, remove};
use crate::stopping::StopFlag;
use crate::trainer::{Trained, Trainer};
use std::path::Path;

/// Where a training keeps its checkpoint, and what it is known by.
pub(crate) struct Place<'a> {
    /// The directory of the checkpoint, of one training at a time.
    pub(crate) dir: &'a Path,
    /// The log of its events, if it has one.
    pub(crate) log: Option<&'a Path>,
    /// What the log begins with.
    pub(crate) opening: &'a [Event],
    /// The run whose `model.safetensors` is the best model so far, if there is one.
    pub(crate) run: Option<&'a Run>,
    /// Fingerprint of the data.
    pub(crate) data: &'a str,
    /// Hash of what the balancer was built from.
    pub(crate) start: &'a str,
    /// Whether a checkpoint that is there is not gone on from.
    pub(crate) from_scratch: bool,
}

impl Place<'_> {
    /// Trains, from the checkpoint on if there is one of this training. What is wrong with another is said, and training then
    /// starts from the beginning.
    ///
    /// # Errors
    /// See [`Trainer::run`]; file system faults.
    pub(crate) fn train(
        &self,
        mut trainer: Trainer,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Trained, TrainError> {
        let (found, note) = self.found(&trainer)?;
        let mark = found.as_ref().and_then(|checkpoint| checkpoint.log().cloned());
        let course = match found {
            Some(checkpoint) => self.taken_up(&mut trainer, checkpoint)?,
            None => trainer.beginning(),
        };
        let trained = match self.log {
            None => {
                note.iter().for_each(|note| listener.event(note));
                self.run(trainer, course, None, listener, stop)
            }
            Some(path) => {
                let mut log = opened(path, mark.as_ref(), listener)?;
                if mark.is_none() {
                    self.opening.iter().chain(&note).for_each(|event| log.event(event));
                }
                let marker = log.marker();
                let trained = self.run(trainer, course, Some(marker), &mut log, stop);
                log.finish().map_err(|e| TrainError::io(path, e)).and(trained)
            }
        };
        if matches!(trained, Err(TrainError::NotFinite { .. })) {
            // The same steps would lead there again.
            self.clear()?;
        }
        trained
    }

    fn run(
        &self,
        trainer: Trainer,
        course: Course,
        log: Option<LogMarker>,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Trained, TrainError> {
        let keeper = trainer.keeper(self.data, self.start, self.dir, self.run, log);
        trainer.run_from(course, Some(keeper), listener, stop)
    }

    /// Removes the checkpoint of a training that is over.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        remove(&self.dir.join(checkpoint::FILE))
    }

    /// The checkpoint to go on from, or what is to be said of one that cannot be used.
    fn found(&self, trainer: &Trainer) -> Result<(Option<Checkpoint>, Option<Event>), TrainError> {
        if self.from_scratch {
            self.clear()?;
            return Ok((None, None));
        }
        let path = self.dir.join(checkpoint::FILE);
        let found = Checkpoint::open(&path, &trainer.identity(self.data, self.start));
        let found = found.and_then(|found| match (found, self.log) {
            (Some(checkpoint), Some(log)) if !checkpoint.log().is_some_and(|mark| mark.fits(log)) => {
                Err("was not written with the log of events beside it".to_owned())
            }
            (found, _) => Ok(found),
        });
        match found {
            Ok(found) => Ok((found, None)),
            Err(reason) => {
                let text = format!("{} {reason}: training starts from the beginning", path.display());
                Ok((None, Some(Event::Note { text })))
            }
        }
    }

    fn taken_up(&self, trainer: &mut Trainer, checkpoint: Checkpoint) -> Result<Course, TrainError> {
        trainer.take_up(checkpoint).map_err(|reason| {
            let reason = format!("{reason}; delete the file to train from the beginning");
            TrainError::format(&self.dir.join(checkpoint::FILE), reason)
        })
    }
}

/// The log at `path`: as it was at that mark, or a new one.
fn opened<'a>(
    path: &Path,
    mark: Option<&LogMark>,
    listener: &'a mut dyn Listener<Event>,
) -> Result<EventLog<'a>, TrainError> {
    let log = match mark {
        Some(mark) => EventLog::resume(path, mark, listener),
        None => EventLog::create(path, listener),
    };
    log.map_err(|e| TrainError::io(path, e))
}
