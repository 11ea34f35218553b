//! The loop over one model. It sees train and validation data only.

use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::{Ending, EpochRecord, Event, Listener, ModalityRecord};
use crate::heads::{HeadProbe, Meter};
use crate::role::Role;
use crate::step::{StepNumbers, Stepper};
use crate::stopping::{EarlyStopping, StopFlag, StoppingDecision};
use equipoise_balance::Balancer;
use equipoise_data::{Dataset, FieldError, Seed};
use equipoise_models::{Ablation, Inputs, Model, Objective};
use std::cell::OnceCell;
use std::time::Instant;

/// A trained model and how it came about.
pub struct Trained {
    /// The model of the best evaluation.
    pub model: Model,
    /// The selection metric on validation.
    pub best: f64,
    /// The epoch it comes from.
    pub best_epoch: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Why training ended.
    pub ending: Ending,
    /// Wall time.
    pub seconds: f64,
}

/// Trains one model: a student under a balancer, or a teacher under `only(m)`.
pub struct Trainer<'a> {
    data: &'a Dataset,
    config: &'a Checked<RunConfig>,
    role: Role,
    primary: Ablation,
    selection: Selection,
    stepper: Stepper,
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
    Ok(Model::on(&config.backbone, inputs.clone(), role.seed(Seed(config.seed)), &device)?)
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
        if data.validation.is_empty() {
            let text = "the validation split is empty: training needs one to select the best model; hold some interactions out";
            return Err(TrainError::Setting(text.into()));
        }
        let names: Vec<&str> = data.modalities.iter().map(|m| m.name.as_str()).collect();
        let primary = role.ablation(&names).ok_or_else(|| {
            let found = names.join(", ");
            TrainError::Setting(format!("{role}: the data has no such modality; expected one of {found}"))
        })?;
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
        let selection = Selection::parse(&config.train.metric)?.with(&config.eval);
        let seed = role.seed(Seed(config.seed));
        let stepper = Stepper::new(model, primary, balancer, &data.train, config, seed)?;
        let probe = OnceCell::new();
        Ok(Trainer { data, config, role, primary, selection, stepper, probe })
    }

    /// Runs to the end: early stop, last epoch, or a raised flag. The model kept is that of the best
    /// evaluation (the current one when there was none).
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] as soon as a loss is not finite; evaluation faults.
    pub fn run(mut self, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<Trained, TrainError> {
        let (start, train) = (Instant::now(), &self.config.train);
        self.announce(listener);
        let untrained = self.evaluated(EpochRecord::default())?;
        let mut stopping = EarlyStopping::new(train.patience, train.patience_rule);
        let (mut best, mut ending, mut done) = (None, Ending::LastEpoch, 0);
        // A backbone without parameters is what it is before the first step.
        let epochs = if self.stepper.model.parameters.is_empty() { 0 } else { train.epochs };
        if epochs == 0 {
            stopping.observe(0, untrained.validation.unwrap_or(0.0));
        }
        listener.event(&Event::Epoch(untrained));
        for epoch in 1..=epochs {
            let Some(mut record) = self.epoch(epoch, listener, stop)? else {
                ending = Ending::Interrupted;
                break;
            };
            done = epoch;
            let mut decision = StoppingDecision::Patient;
            if epoch % train.eval_every == 0 || epoch == train.epochs {
                record = self.evaluated(record)?;
                decision = stopping.observe(epoch, record.validation.unwrap_or(0.0));
            }
            listener.event(&Event::Epoch(record));
            match decision {
                StoppingDecision::Improved => best = Some(self.stepper.model.parameters.snapshot()),
                StoppingDecision::Stop => {
                    ending = Ending::EarlyStop;
                    break;
                }
                StoppingDecision::Patient => {}
            }
        }
        let (value, mut best_epoch) = stopping.best();
        let mut model = self.stepper.model;
        match best {
            Some(best) => model.parameters.restore(&best),
            None => best_epoch = done,
        }
        let seconds = start.elapsed().as_secs_f64();
        listener.event(&Event::Finished {
            role: self.role,
            ending,
            epochs: done,
            best_epoch,
            best: value,
            seconds,
        });
        Ok(Trained { model, best: value, best_epoch, epochs: done, ending, seconds })
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

    /// One epoch of steps; `None` when the flag was raised in the middle.
    fn epoch(
        &mut self,
        epoch: usize,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Option<EpochRecord>, TrainError> {
        let (start, steps) = (Instant::now(), self.stepper.steps_per_epoch());
        let mut record = EpochRecord { epoch, ..EpochRecord::default() };
        let (data, config, probe) = (self.data, self.config, &self.probe);
        let (balancer, model) = self.stepper.balancer();
        balancer.begin_epoch(epoch, &mut Meter { model, data, config, probe, epoch, stop });
        for step in 1..=steps {
            if stop.is_raised() {
                return Ok(None);
            }
            let numbers = self.stepper.step(&self.data.train);
            if !numbers.loss.is_finite() {
                return Err(self.not_finite(numbers.loss, epoch, step));
            }
            if record.modalities.is_empty() && !numbers.modalities.is_empty() {
                record.modalities = self.empty_records();
            }
            add(&mut record, &numbers, 1.0 / steps as f64);
            let loss = record.loss * steps as f64 / step as f64;
            listener.event(&Event::Step { epoch, step, loss });
        }
        record.train_seconds = start.elapsed().as_secs_f64();
        Ok(Some(record))
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

    /// Adds the validation metric, and each channel's where there is more than one modality in play.
    fn evaluated(&self, mut record: EpochRecord) -> Result<EpochRecord, TrainError> {
        let (start, model) = (Instant::now(), &self.stepper.model);
        let names = model.inputs.names();
        let n = names.len();
        let channels = self.config.train.channels && self.primary == Ablation::FULL && n > 1;
        let mut ablations = vec![self.primary];
        if channels {
            ablations.extend((0..n).map(|m| Ablation::only(m, n)));
        }
        let encoded = model.encode_all(&ablations);
        let measure =
            |ablation| self.selection.measure(&encoded, ablation, &self.data.validation, &[&self.data.train]);
        record.validation = Some(measure(self.primary)?);
        for (name, &ablation) in names.iter().zip(&ablations[1..]) {
            record.channels.push(((*name).to_owned(), measure(ablation)?));
        }
        record.eval_seconds = start.elapsed().as_secs_f64();
        Ok(record)
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
}
