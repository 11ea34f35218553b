//! One model of a run, be it the model itself, the plain model or a teacher: trained, measured, and written to a run
//! directory of its own.

use crate::carry_out::Place;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::events::{Ending, Event, Listener};
use crate::measurement::Measurement;
use crate::prepared::Prepared;
use crate::report::Report;
use crate::role::Role;
use crate::run::{Run, VERSION};
use crate::stopping::StopFlag;
use crate::tables::FinalTables;
use crate::trainer::{Trained, Trainer};
use equipoise_data::{Dataset, SealedTest};
use equipoise_eval::PerUser;
use equipoise_models::{Inputs, Model};

/// What the models of a run have in common.
pub(crate) struct RunContext<'a> {
    /// The configuration of the run.
    pub config: &'a Checked<RunConfig>,
    /// The data, without its test part.
    pub data: &'a Dataset,
    /// The test part; without it nothing is measured on test.
    pub test: Option<&'a SealedTest>,
    /// What models read of the data.
    pub inputs: &'a Inputs,
    /// Whether trainings that were interrupted are begun anew instead of gone on with.
    pub from_scratch: bool,
}

/// One model: which one, where it is written, and how it is trained.
pub(crate) struct ModelRun<'a> {
    pub run: &'a Run,
    pub role: Role,
    pub config: &'a Checked<RunConfig>,
}

/// A run directory and what was measured.
pub struct Outcome {
    /// The run directory.
    pub run: Run,
    /// Its metrics.
    pub report: Report,
}

impl RunContext<'_> {
    /// Trains and measures one model, and writes its run. Where its training was interrupted before, it goes on. The model
    /// of a run that is interrupted now is measured as it is; a teacher or a plain model is left unfinished.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn train(
        &self,
        part: &ModelRun,
        prepared: Prepared,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let (fingerprint, log) = (self.data.fingerprint(), part.run.events_path());
        let Prepared { balancer, opening, start, plain } = prepared;
        let trainer = Trainer::new(self.data, self.inputs, part.config, part.role.clone(), balancer)?;
        let trainer = trainer.unless_worse_than(plain, stop)?;
        let place = Place {
            dir: part.run.dir(),
            log: Some(&log),
            opening: &opening,
            run: Some(part.run),
            data: &fingerprint,
            start: &start,
            from_scratch: self.from_scratch,
        };
        let trained = place.train(trainer, listener, stop)?;
        let interrupted = trained.ending == Ending::Interrupted;
        if interrupted && part.role != Role::Model {
            return Err(TrainError::Interrupted(part.role.clone()));
        }
        part.run.write_model(&trained.model, &part.role, &fingerprint)?;
        let report = self.measured(part, &trained.model, &Training::of(&trained), fingerprint.clone())?;
        part.run.write_metrics(&report)?;
        if !interrupted {
            place.clear()?;
        }
        Ok(Outcome { run: part.run.clone(), report })
    }

    /// Whether a saved model is still to be measured on test.
    pub fn is_incomplete(&self, saved: &Report) -> bool {
        self.test.is_some() && saved.test.is_none()
    }

    /// Completes the run of a saved model: measures it on test if the search that trained it left that out.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn complete(&self, part: &ModelRun) -> Result<(), TrainError> {
        let saved = part.run.report()?;
        part.run.tidy()?;
        if !self.is_incomplete(&saved) {
            return Ok(());
        }
        let model = part.run.model_on(self.data, self.inputs.clone())?;
        let Report { ending, epochs, best_epoch, seconds, fingerprint, .. } = saved;
        let training = Training { ending, epochs, best_epoch, seconds };
        part.run.write_metrics(&self.measured(part, &model, &training, fingerprint)?)
    }

    /// The report of a trained model. Writes its final tables and the per-user file on the way.
    fn measured(
        &self,
        part: &ModelRun,
        model: &Model,
        training: &Training,
        fingerprint: String,
    ) -> Result<Report, TrainError> {
        let data = self.data;
        let primary = part.role.ablation(&self.inputs.names());
        let primary = primary.expect("teachers are named by the modalities of the data");
        let measurement = Measurement::new(model, primary, data, &part.config.eval);
        if part.role == Role::Model {
            FinalTables::new(measurement.tables(), data, &fingerprint).write(&part.run.tables_path())?;
        }
        let mut report = Report {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            role: part.role.clone(),
            dataset: data.name.clone(),
            fingerprint,
            users: data.n_users(),
            items: data.n_items(),
            interactions: data.train.len(),
            modalities: data.modalities.iter().map(|m| (m.name.clone(), m.features.width())).collect(),
            loudness: data.loudness(),
            ending: training.ending,
            epochs: training.epochs,
            best_epoch: training.best_epoch,
            seconds: training.seconds,
            validation: measurement.validation()?,
            validation_ablations: measurement.validation_ablations()?,
            test: None,
        };
        if let Some(test) = self.test {
            let metric = &part.config.train.metric;
            let (measured, per_user, ablated) = measurement.test(test, metric)?;
            write_per_user(part, &per_user, data, &report.fingerprint)?;
            write_ablations(part, &ablated, data, &report.fingerprint)?;
            report.test = Some(measured);
        }
        Ok(report)
    }
}

/// Writes `per_user.parquet`.
#[cfg(feature = "parquet")]
fn write_per_user(
    part: &ModelRun,
    per_user: &PerUser,
    data: &Dataset,
    fingerprint: &str,
) -> Result<(), TrainError> {
    let role = part.role.to_string();
    let metadata = [("what", role), ("split", "test".into()), ("data", fingerprint.to_owned())];
    let ids = Some(data.vocabulary.users());
    Ok(per_user.write_parquet(&part.run.per_user_path(), ids, &metadata)?)
}

/// Writes `ablations.parquet`: the users' values of the metric that selects the model, a column for each ablation.
#[cfg(feature = "parquet")]
fn write_ablations(
    part: &ModelRun,
    ablated: &PerUser,
    data: &Dataset,
    fingerprint: &str,
) -> Result<(), TrainError> {
    let (what, split) = (("what", part.role.to_string()), ("split", "test".to_owned()));
    let metric = (crate::run::METRIC, part.config.train.metric.clone());
    let metadata = [what, split, metric, ("data", fingerprint.to_owned())];
    let ids = Some(data.vocabulary.users());
    Ok(ablated.write_parquet(&part.run.ablations_path(), ids, &metadata)?)
}

/// The file is left out: this build cannot write Parquet.
#[cfg(not(feature = "parquet"))]
fn write_per_user(_: &ModelRun, _: &PerUser, _: &Dataset, _: &str) -> Result<(), TrainError> {
    Ok(())
}

/// The same.
#[cfg(not(feature = "parquet"))]
fn write_ablations(_: &ModelRun, _: &PerUser, _: &Dataset, _: &str) -> Result<(), TrainError> {
    Ok(())
}

/// How training went.
struct Training {
    ending: Ending,
    epochs: usize,
    best_epoch: usize,
    seconds: f64,
}

impl Training {
    fn of(trained: &Trained) -> Training {
        let Trained { ending, epochs, best_epoch, seconds, .. } = *trained;
        Training { ending, epochs, best_epoch, seconds }
    }
}
