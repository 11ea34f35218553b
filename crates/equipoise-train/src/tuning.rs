//! A model trained to be compared with others on validation, as a search does.

use crate::carry_out::Place;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::{Ending, Event, Listener};
use crate::model_run::RunContext;
use crate::prepared::Prepared;
use crate::requirement::Preparation;
use crate::role::Role;
use crate::stopping::StopFlag;
use crate::trainer::{Trained, Trainer};
use equipoise_balance::Requirement;
use equipoise_data::Dataset;
use equipoise_models::Inputs;
use std::path::Path;

/// A model to be trained and measured on validation. Test data cannot be reached from here, and nothing is
/// saved but teachers, whose test metrics are left out.
pub struct Tuning<'a> {
    /// The resolved configuration; `balance.teachers` is not read.
    pub config: &'a Checked<RunConfig>,
    /// The data, without its test part.
    pub data: &'a Dataset,
    /// What models read of it, which other trainings share.
    pub inputs: &'a Inputs,
    /// The metric wanted, such as `recall@20`. The model itself is selected by `train.metric`.
    pub metric: &'a str,
    /// Most epochs of the model, where fewer than configured. Teachers are trained in full.
    pub epochs: Option<usize>,
    /// Where it can be gone on with if it is interrupted; `None` to begin anew each time.
    pub kept: Option<TuningPlace<'a>>,
}

/// Where a tuning keeps what it goes on from when it is interrupted.
#[derive(Clone, Copy, Debug)]
pub struct TuningPlace<'a> {
    /// A directory for its checkpoint, of one tuning at a time.
    pub dir: &'a Path,
    /// The log of its events, if it is to have one.
    pub log: Option<&'a Path>,
    /// [Fingerprint](Dataset::fingerprint) of the data.
    pub fingerprint: &'a str,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// The metric on validation.
    pub value: f64,
    /// Epoch of the model that was measured.
    pub best_epoch: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Seconds of training, without teachers.
    pub seconds: f64,
    /// Why training ended.
    pub ending: Ending,
}

impl Tuning<'_> {
    /// Whether [`prepare`](Tuning::prepare) reads or trains teachers, or the plain model.
    pub fn needs_teachers(&self) -> bool {
        self.config.balance.requirement() != Requirement::Nothing
    }

    /// The configured balancer, with what it needs first from the directory `teachers`: what is missing there is
    /// trained into it.
    ///
    /// # Errors
    /// A setting out of range; [`TrainError::TeacherMismatch`] if teachers of other settings lie there; what can
    /// go wrong in their training.
    pub fn prepare(
        &self,
        teachers: &Path,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Prepared, TrainError> {
        let Tuning { config, data, .. } = *self;
        let inputs = &self.inputs.until(stop);
        let context = RunContext { config, data, test: None, inputs, from_scratch: false };
        Preparation { context: &context, dir: teachers, stop }.balancer(listener)
    }

    /// Trains the model under that balancer and measures it. Where the same was interrupted before, it goes on.
    ///
    /// # Errors
    /// See [`Trainer`].
    pub fn execute(
        &self,
        prepared: Prepared,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Tuned, TrainError> {
        let mut config = self.config.clone().into_inner();
        config.train.epochs = self.epochs.map_or(config.train.epochs, |most| config.train.epochs.min(most));
        // Channels are for curves that nobody draws here.
        config.train.channels = false;
        let config = config.checked()?;
        // A search compares what was taught: the plain model is not kept here.
        let Prepared { balancer, opening, start, plain: _ } = prepared;
        let trainer = Trainer::new(self.data, &self.inputs.until(stop), &config, Role::Model, balancer)?;
        let trained = match self.kept {
            Some(TuningPlace { dir, log, fingerprint: data }) => {
                let (opening, start) = (&opening, &start);
                let place = Place { dir, log, opening, run: None, data, start, from_scratch: false };
                let trained = place.train(trainer, listener, stop)?;
                if trained.ending != Ending::Interrupted {
                    place.clear()?;
                }
                trained
            }
            None => {
                opening.iter().for_each(|event| listener.event(event));
                trainer.run(listener, stop)?
            }
        };
        let value = self.measure(&trained)?;
        let Trained { best_epoch, epochs, seconds, ending, .. } = trained;
        Ok(Tuned { value, best_epoch, epochs, seconds, ending })
    }

    /// The metric on validation.
    fn measure(&self, trained: &Trained) -> Result<f64, TrainError> {
        if self.metric == self.config.train.metric {
            return Ok(trained.best);
        }
        let selection = Selection::parse(self.metric)?.with(&self.config.eval);
        Ok(selection.on_validation(&trained.model, self.data, None)?)
    }
}
