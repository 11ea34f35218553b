//! The loop over one model. It sees train and validation data only.

use crate::beforehand;
use crate::checkpoint::{Checkpoint, Identity};
use crate::config::{Checked, RunConfig};
use crate::course::{BegunEpoch, Course};
use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::{Ending, EpochRecord, Event, Listener, LogMarker, ModalityRecord};
use crate::heads::{HeadProbe, Meter};
use crate::keeper::Keeper;
use crate::role::Role;
use crate::run::Run;
use crate::step::{StepNumbers, Stepper};
use crate::stopping::{EarlyStopping, StopFlag, StoppingDecision};
use crate::together::interrupted;
use equipoise_balance::{Balancer, BalancerState};
use equipoise_data::{Dataset, FieldError, Seed};
use equipoise_eval::EvalError;
use equipoise_models::{Ablation, Inputs, Model, Objective};
use std::cell::OnceCell;
use std::path::Path;
use std::time::Instant;

/// A trained model and how it came about.
pub struct Trained {
    /// The model of the best evaluation, or the plain model where that is better and a balancer had it trained.
    pub model: Model,
    /// The selection metric on validation.
    pub best: f64,
    /// The epoch it comes from; 0 where the plain model is kept.
    pub best_epoch: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Why training ended.
    pub ending: Ending,
    /// Wall time.
    pub seconds: f64,
}

/// That the plain model is kept.
fn kept(metric: &str, plain: f64, taught: f64) -> String {
    format!(
        "the plain model is kept: {metric} on validation is {plain:.4}, and {taught:.4} of the taught one"
    )
}

/// Trains one model: a student under a balancer, or a teacher under `only(m)`.
pub struct Trainer<'a> {
    data: &'a Dataset,
    config: &'a Checked<RunConfig>,
    role: Role,
    primary: Ablation,
    selection: Selection,
    stepper: Stepper,
    /// The plain model and its metric on validation, kept where the trained one is not as good.
    plain: Option<(Model, f64)>,
    /// What heads are measured on, where a balancer asks.
    probe: OnceCell<HeadProbe>,
}

/// The balancers that leave the ranking loss in its place, in words.
fn beside_ranking() -> String {
    let names = equipoise_balance::balancers().into_iter().filter(|b| !b.replaces_ranking);
    let names: Vec<&str> = names.map(|b| b.name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "no balancer".to_owned(),
    }
}

/// The model that training begins with.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn untrained(
    config: &Checked<RunConfig>,
    inputs: &Inputs,
    role: &Role,
) -> Result<Model, TrainError> {
    let device = config.on_device()?;
    let seed = role.seed(Seed(config.seed));
    Model::on(&config.backbone, inputs.clone(), seed, &device).map_err(|e| TrainError::model(e, role))
}

impl<'a> Trainer<'a> {
    /// A trainer before its first epoch. `role` says which model of the run is trained, and so from which seed and
    /// under which ablation; `inputs` are those of the data.
    ///
    /// # Errors
    /// If the data lacks the modality of a teacher, the model cannot be built, or there is nothing to sample or to
    /// validate on.
    pub fn new(
        data: &'a Dataset,
        inputs: &Inputs,
        config: &'a Checked<RunConfig>,
        role: Role,
        balancer: Box<dyn Balancer>,
    ) -> Result<Trainer<'a>, TrainError> {
        beforehand::splits(data, None)?;
        beforehand::sizes(config, &data.train)?;
        let names: Vec<&str> = data.modalities.iter().map(|m| m.name.as_str()).collect();
        let primary = role.ablation(&names).ok_or_else(|| {
            let found = names.join(", ");
            TrainError::Setting(format!("{role}: the data has no such modality; expected one of {found}"))
        })?;
        let selection = Selection::parse(&config.train.metric)?.with(&config.eval);
        selection.check_candidates(&data.train, &data.validation)?;
        let model = untrained(config, inputs, &role)?;
        if balancer.needs().replaces_ranking && model.backbone.objective() == Objective::Own {
            let why = format!(
                "it weighs the ranking loss, and backbone {} is trained with a loss of its own instead",
                config.backbone.name
            );
            return Err(FieldError::word("balance.name", &config.balance.name, beside_ranking())
                .hint(why)
                .into());
        }
        let seed = role.seed(Seed(config.seed));
        let stepper = Stepper::new(model, primary, balancer, &data.train, config, seed)?;
        let probe = OnceCell::new();
        Ok(Trainer { data, config, role, primary, selection, stepper, plain: None, probe })
    }

    /// Keeps the plain model, if there is one, where the trained one is worse on validation.
    ///
    /// # Errors
    /// Evaluation faults; [`TrainError::Interrupted`] where the flag is raised meanwhile.
    pub(crate) fn unless_worse_than(
        mut self,
        plain: Option<Model>,
        stop: &StopFlag,
    ) -> Result<Self, TrainError> {
        if let Some(model) = plain {
            let best = self.selection.on_validation(&model, self.data, Some(stop));
            self.plain = Some((model, best.map_err(|fault| interrupted(fault.into(), Role::Model))?));
        }
        Ok(self)
    }

    /// Runs to the end: early stop, last epoch, or a raised flag. The model kept is that of the best
    /// evaluation (the current one when there was none).
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] as soon as a loss is not finite; evaluation faults.
    pub fn run(self, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<Trained, TrainError> {
        let course = self.beginning();
        self.run_from(course, None, listener, stop)
    }

    /// What a checkpoint of this training is known by, given the hash of what its balancer was built from.
    pub(crate) fn identity(&self, data: &str, start: &str) -> Identity {
        Identity {
            program: env!("CARGO_PKG_VERSION").into(),
            role: self.role.clone(),
            settings: self.config.digest(),
            data: data.to_owned(),
            start: start.to_owned(),
        }
    }

    /// Keeps checkpoints of this training in a directory, as often as the configuration says; see [`Keeper::new`].
    pub(crate) fn keeper(
        &self,
        data: &str,
        start: &str,
        dir: &Path,
        run: Option<&Run>,
        log: Option<LogMarker>,
    ) -> Keeper {
        Keeper::new(self.identity(data, start), dir, self.config.train.checkpoint_every, run, log)
    }

    /// Before the first epoch.
    pub(crate) fn beginning(&self) -> Course {
        let train = &self.config.train;
        Course::new(EarlyStopping::new(train.patience, train.patience_rule))
    }

    /// Where a training was interrupted.
    ///
    /// # Errors
    /// Why the checkpoint does not fit, as the rest of a sentence. The trainer may not be used then.
    pub(crate) fn take_up(&mut self, checkpoint: Checkpoint) -> Result<Course, String> {
        let stopping = self.beginning().stopping;
        checkpoint.restore(&mut self.stepper, self.config.train.adam(), stopping)
    }

    /// [`run`](Self::run) from that place on. With a keeper, checkpoints are written on the way and when the flag is raised.
    ///
    /// # Errors
    /// As for [`run`](Self::run); if the checkpoint cannot be written when the flag is raised.
    pub(crate) fn run_from(
        mut self,
        course: Course,
        keeper: Option<Keeper>,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Trained, TrainError> {
        let _attended = stop.attend();
        let mut at = Running { course, keeper, started: Instant::now() };
        self.announce(listener);
        if at.course.announced {
            self.announce_resumption(&at.course, listener);
        }
        if at.course.unmeasured && !self.before_training(&mut at, listener, stop)? {
            return Ok(self.ended(at, Ending::Interrupted, listener));
        }
        let ending = loop {
            if let Some(ending) = self.ending(&at.course) {
                break ending;
            }
            if !self.epoch(&mut at, listener, stop)? || !self.after_epoch(&mut at, listener, stop)? {
                break Ending::Interrupted;
            }
        };
        Ok(self.ended(at, ending, listener))
    }

    /// A backbone without parameters is what it is before the first step.
    fn epochs(&self) -> usize {
        if self.stepper.model.parameters.is_empty() { 0 } else { self.config.train.epochs }
    }

    /// Why training ends here, if it does.
    fn ending(&self, course: &Course) -> Option<Ending> {
        let epochs = self.epochs();
        if epochs > 0 && course.stopping.is_over() {
            return Some(Ending::EarlyStop);
        }
        (course.done >= epochs).then_some(Ending::LastEpoch)
    }

    /// Evaluates the model as it was drawn: epoch 0; false when the flag was raised meanwhile, after a checkpoint was written.
    fn before_training(
        &mut self,
        at: &mut Running,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<bool, TrainError> {
        let mut untrained = EpochRecord::default();
        if !self.evaluate(&mut untrained, stop)? {
            at.keep_at_stop(&self.stepper, &self.stepper.balancer_state())?;
            return Ok(false);
        }
        if self.epochs() == 0 {
            at.course.stopping.observe(0, untrained.validation.unwrap_or(0.0));
        }
        listener.event(&Event::Epoch(untrained));
        at.course.unmeasured = false;
        Ok(true)
    }

    /// What follows the last step of an epoch: evaluation where it is due, and perhaps a checkpoint. False when the flag was
    /// raised during the evaluation, after a checkpoint was written: the epoch is evaluated when training goes on.
    fn after_epoch(
        &mut self,
        at: &mut Running,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<bool, TrainError> {
        let train = &self.config.train;
        let begun = at.course.begun.as_mut().expect("an epoch is begun before it is over");
        let epoch = begun.record.epoch;
        let evaluates = epoch.is_multiple_of(train.eval_every) || epoch == train.epochs;
        if evaluates && !self.evaluate(&mut begun.record, stop)? {
            at.keep_at_stop(&self.stepper, &self.stepper.balancer_state())?;
            return Ok(false);
        }
        let course = &mut at.course;
        let record = course.begun.take().expect("it was there above").record;
        course.done = epoch;
        if evaluates {
            let decision = course.stopping.observe(course.done, record.validation.unwrap_or(0.0));
            if decision == StoppingDecision::Improved {
                course.best = Some(self.stepper.model.parameters.snapshot());
            }
        }
        listener.event(&Event::Epoch(record));
        if evaluates && at.keeper.as_mut().is_some_and(|k| k.is_due_after_evaluation(&self.stepper)) {
            at.keep(&self.stepper, listener);
        }
        Ok(true)
    }

    fn ended(self, at: Running, ending: Ending, listener: &mut dyn Listener<Event>) -> Trained {
        let (seconds, Course { done: epochs, stopping, best, .. }) = (at.seconds(), at.course);
        let (mut value, mut best_epoch) = stopping.best();
        let mut model = self.stepper.model;
        match (best, self.plain) {
            (Some(_), Some((plain, of_plain))) if of_plain > value && ending != Ending::Interrupted => {
                listener.event(&Event::Note { text: kept(&self.config.train.metric, of_plain, value) });
                (model, value, best_epoch) = (plain, of_plain, 0);
            }
            (Some(best), _) => model.parameters.restore(&best),
            (None, _) => best_epoch = epochs,
        }
        listener.event(&Event::Finished {
            role: self.role,
            ending,
            epochs,
            best_epoch,
            best: value,
            seconds,
        });
        Trained { model, best: value, best_epoch, epochs, ending, seconds }
    }

    fn announce(&self, listener: &mut dyn Listener<Event>) {
        listener.event(&Event::Started {
            role: self.role.clone(),
            parameters: self.stepper.model.parameters.count(),
            epochs: self.config.train.epochs,
            steps_per_epoch: self.stepper.steps_per_epoch(),
            metric: self.config.train.metric.clone(),
        });
    }

    fn announce_resumption(&self, course: &Course, listener: &mut dyn Listener<Event>) {
        let (best, best_epoch) = course.stopping.best();
        listener.event(&Event::Resumed {
            role: self.role.clone(),
            epoch: course.done + 1,
            steps: course.begun.as_ref().map_or(0, |begun| begun.steps),
            best,
            best_epoch,
            began_on: course.began_on.clone(),
        });
    }

    /// The steps of one epoch that are left; false when the flag was raised in the middle, after a checkpoint was written.
    fn epoch(
        &mut self,
        at: &mut Running,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<bool, TrainError> {
        let (mut lap, steps) = (Instant::now(), self.stepper.steps_per_epoch());
        if at.course.begun.is_none() {
            let epoch = at.course.done + 1;
            let before = self.begin(epoch, stop);
            if stop.is_raised() {
                // What the balancer measured meanwhile was cut short: it begins the epoch anew when training goes on.
                at.keep_at_stop(&self.stepper, &before)?;
                return Ok(false);
            }
            let record = EpochRecord { epoch, ..EpochRecord::default() };
            at.course.begun = Some(BegunEpoch { record, steps: 0 });
        }
        loop {
            let begun = at.course.begun.as_mut().expect("it was begun above");
            if begun.steps == steps {
                begun.lap(&mut lap);
                return Ok(true);
            }
            if stop.is_raised() {
                begun.lap(&mut lap);
                let state = self.stepper.balancer_state();
                at.keep_at_stop(&self.stepper, &state)?;
                return Ok(false);
            }
            let numbers = self.stepper.step(&self.data.train);
            if !numbers.loss.is_finite() {
                return Err(self.not_finite(numbers.loss, begun.record.epoch, begun.steps + 1));
            }
            if begun.record.modalities.is_empty() && !numbers.modalities.is_empty() {
                begun.record.modalities = self.empty_records();
            }
            add(&mut begun.record, &numbers, 1.0 / steps as f64);
            begun.steps += 1;
            let loss = begun.record.loss * steps as f64 / begun.steps as f64;
            listener.event(&Event::Step { epoch: begun.record.epoch, step: begun.steps, loss });
            if at.keeper.as_ref().is_some_and(|keeper| keeper.is_due(&self.stepper)) {
                begun.lap(&mut lap);
                at.keep(&self.stepper, listener);
            }
        }
    }

    /// Lets the balancer begin an epoch; its state before that.
    fn begin(&mut self, epoch: usize, stop: &StopFlag) -> BalancerState {
        let (data, config, probe) = (self.data, self.config, &self.probe);
        let (balancer, model) = self.stepper.balancer();
        let before = balancer.save_state();
        balancer.begin_epoch(epoch, &mut Meter { model, data, config, probe, epoch, stop });
        before
    }

    fn empty_records(&self) -> Vec<ModalityRecord> {
        let name = |m: &equipoise_data::Modality| m.name.clone();
        let record = |m| ModalityRecord { modality: name(m), ..ModalityRecord::default() };
        self.data.modalities.iter().map(record).collect()
    }

    fn not_finite(&self, loss: f64, epoch: usize, step: usize) -> TrainError {
        let train = &self.config.train;
        TrainError::NotFinite { loss, epoch, step, lr: train.lr, reg: train.reg }
    }

    /// Adds the validation metric, and each channel's where there is more than one modality in play; false, with the record as
    /// it was, when the flag was raised meanwhile.
    fn evaluate(&mut self, record: &mut EpochRecord, stop: &StopFlag) -> Result<bool, TrainError> {
        let (start, model) = (Instant::now(), &self.stepper.model);
        let n = model.inputs.n_modalities();
        let shown = self.shown_channels(n);
        let encoded = model.encode_all(&distinct([&[self.primary][..], &shown].concat()));
        let (validation, train) = (&self.data.validation, &self.data.train);
        let measure =
            |ablation: Ablation| self.selection.measure(&encoded, ablation, validation, &[train], Some(stop));
        let list = [self.primary].into_iter().chain(shown.iter().copied()).map(measure);
        let Some(values) = unless_stopped(list)? else { return Ok(false) };
        record.validation = Some(values[0]);
        if let [_, channels @ .., ids] = &values[..]
            && !shown.is_empty()
        {
            let names = model.inputs.names();
            record.channels = names.iter().zip(channels).map(|(name, &v)| ((*name).to_owned(), v)).collect();
            record.ids_channel = Some(*ids);
        }
        record.eval_seconds = start.elapsed().as_secs_f64();
        Ok(true)
    }

    /// The channels of which curves are drawn: each modality's, then that of the ids.
    fn shown_channels(&self, n: usize) -> Vec<Ablation> {
        if !self.config.train.channels || self.primary != Ablation::FULL || n < 2 {
            return Vec::new();
        }
        (0..n).map(|m| Ablation::only(m, n)).chain([Ablation::ids_only(n)]).collect()
    }
}

/// Each once, in the order of their first places.
fn distinct(mut ablations: Vec<Ablation>) -> Vec<Ablation> {
    let mut seen = Vec::new();
    ablations.retain(|ablation| {
        let new = !seen.contains(ablation);
        seen.push(*ablation);
        new
    });
    ablations
}

/// All values, or `None` where the flag was raised.
fn unless_stopped(
    values: impl Iterator<Item = Result<f64, EvalError>>,
) -> Result<Option<Vec<f64>>, EvalError> {
    match values.collect() {
        Err(EvalError::Stopped) => Ok(None),
        other => other.map(Some),
    }
}

/// A training at work.
struct Running {
    course: Course,
    keeper: Option<Keeper>,
    started: Instant,
}

impl Running {
    /// Seconds of training so far, those before an interruption among them.
    fn seconds(&self) -> f64 {
        self.course.seconds + self.started.elapsed().as_secs_f64()
    }

    /// Writes a checkpoint. If that fails, it is said once, and training goes on: there may be room again before its end.
    fn keep(&mut self, stepper: &Stepper, listener: &mut dyn Listener<Event>) {
        let (seconds, state) = (self.seconds(), stepper.balancer_state());
        let Some(keeper) = &mut self.keeper else { return };
        if let Err(fault) = keeper.keep(stepper, &state, &self.course, seconds)
            && keeper.fails_first()
        {
            let text = format!("no checkpoint could be written ({fault}): training goes on");
            listener.event(&Event::Note { text });
        }
    }

    /// Writes the checkpoint from which a training that ends here goes on, given the state of its balancer.
    fn keep_at_stop(&mut self, stepper: &Stepper, balancer: &BalancerState) -> Result<(), TrainError> {
        let seconds = self.seconds();
        match &mut self.keeper {
            Some(keeper) => keeper.keep(stepper, balancer, &self.course, seconds),
            None => Ok(()),
        }
    }
}

fn add(record: &mut EpochRecord, numbers: &StepNumbers, weight: f64) {
    record.loss += weight * numbers.loss;
    record.bpr += weight * numbers.bpr;
    record.penalty += weight * numbers.penalty;
    record.balance += weight * numbers.balance;
    record.extra += weight * numbers.extra;
    for (sum, step) in record.modalities.iter_mut().zip(&numbers.modalities) {
        sum.numbers.add(step, weight);
    }
    if let Some(step) = &numbers.ids {
        record.ids.get_or_insert_default().add(step, weight);
    }
}
