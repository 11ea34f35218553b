//! How far the training of one model has come.

use crate::events::EpochRecord;
use crate::stopping::EarlyStopping;
use equipoise_nn::Snapshot;
use std::time::Instant;

/// How far the training of one model has come, between two steps.
pub(crate) struct Course {
    /// Whether an earlier process announced it.
    pub(crate) announced: bool,
    /// Whether the model as it was drawn is still to be evaluated, as epoch 0.
    pub(crate) unmeasured: bool,
    /// The kind of processor that it began on, where that is another than this one.
    pub(crate) began_on: Option<String>,
    /// Whole epochs done.
    pub(crate) done: usize,
    /// The epoch at work, once it is begun.
    pub(crate) begun: Option<BegunEpoch>,
    /// The best evaluation and what patience is left.
    pub(crate) stopping: EarlyStopping,
    /// The model of the best evaluation; `None` before any.
    pub(crate) best: Option<Snapshot>,
    /// Seconds of training before this process.
    pub(crate) seconds: f64,
}

/// An epoch at work.
pub(crate) struct BegunEpoch {
    /// Means over its steps so far, each with its share of the whole epoch.
    pub(crate) record: EpochRecord,
    /// Steps done.
    pub(crate) steps: usize,
}

impl BegunEpoch {
    /// Adds the time since the start of a lap to that of its steps, and starts the next lap.
    pub(crate) fn lap(&mut self, lap: &mut Instant) {
        self.record.train_seconds += lap.elapsed().as_secs_f64();
        *lap = Instant::now();
    }
}

impl Course {
    /// Before the first epoch.
    pub(crate) fn new(stopping: EarlyStopping) -> Course {
        Course {
            announced: false,
            unmeasured: true,
            began_on: None,
            done: 0,
            begun: None,
            stopping,
            best: None,
            seconds: 0.0,
        }
    }

    /// Whether the best model is the one in training as it stands.
    pub(crate) fn best_is_current(&self) -> bool {
        self.best.is_some() && self.begun.is_none() && self.stopping.best().1 == self.done
    }
}
