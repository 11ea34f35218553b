//! A finished run.

use crate::{Error, TrainedModel};
use equipoise_models::Ablation;
use equipoise_train::{EpochRecord, Report, Run};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A finished run: its model, its metrics and its files.
#[derive(Clone)]
pub struct TrainedRun {
    run: Run,
    report: Report,
    model: TrainedModel,
    /// Holds the files of a run that was given no directory.
    place: Option<Arc<TempDir>>,
}

impl TrainedRun {
    pub(crate) fn new(run: Run, report: Report) -> Result<TrainedRun, Error> {
        let model = TrainedModel::of(&run)?;
        Ok(TrainedRun { run, report, model, place: None })
    }

    /// The same in a temporary directory, which stays as long as the run or its model.
    pub(crate) fn keeping(self, place: TempDir) -> TrainedRun {
        let place = Arc::new(place);
        TrainedRun { model: self.model.keeping(place.clone()), place: Some(place), ..self }
    }

    /// The same on a data set in a temporary directory, which stays as long as the run or its model.
    pub(crate) fn on(self, data: Option<Arc<TempDir>>) -> TrainedRun {
        match data {
            Some(place) => TrainedRun { model: self.model.keeping(place), ..self },
            None => self,
        }
    }

    /// A run that was made earlier, by the library or by the program. The data set is not needed.
    ///
    /// # Errors
    /// If the directory holds no finished run, or a run that keeps no final tables.
    pub fn open(dir: impl AsRef<Path>) -> Result<TrainedRun, Error> {
        let run = Run::open(dir.as_ref())?;
        let report = run.report()?;
        TrainedRun::new(run, report)
    }

    /// The model that validation selected.
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// A metric of the model on test, such as `recall@20`.
    ///
    /// # Errors
    /// If it was not measured; the message names those that were.
    pub fn metric(&self, name: &str) -> Result<f64, Error> {
        self.report.metric(name).ok_or_else(|| self.unmeasured(name))
    }

    /// A metric on test of the channel of a modality: the model with every other modality replaced by its mean.
    ///
    /// # Errors
    /// If it was not measured, or the model has no such modality.
    pub fn channel_metric(&self, modality: &str, name: &str) -> Result<f64, Error> {
        let ablation = self.model.channel(modality)?.ablation();
        let own = if ablation == Ablation::FULL { self.report.metric(name) } else { None };
        own.or_else(|| self.report.metric_under(ablation, name)).ok_or_else(|| self.unmeasured(name))
    }

    fn unmeasured(&self, name: &str) -> Error {
        let known = self.report.test.iter().flat_map(|test| test.metrics.keys());
        let known: Vec<&str> = known.map(String::as_str).collect();
        Error::Unknown { kind: "metric", id: name.to_owned(), hint: format!(", only {}", known.join(", ")) }
    }

    /// Its epochs, from the untrained model (epoch 0) on.
    ///
    /// # Errors
    /// If the log of events is missing or damaged.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, Error> {
        Ok(self.run.epochs()?)
    }

    /// Everything that was measured.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The files of the run.
    pub fn files(&self) -> &Run {
        &self.run
    }

    /// Which modality is under-used, from what the run measured.
    ///
    /// # Errors
    /// If a file of the run is missing or damaged.
    #[cfg(feature = "report")]
    pub fn audit(&self) -> Result<equipoise_report::Audit, Error> {
        Ok(equipoise_report::Audit::from_run(&self.run, None)?)
    }

    /// The same beside a run of the plain model on the same data.
    ///
    /// # Errors
    /// As [`audit`](Self::audit); if the two runs are not of the same data.
    #[cfg(feature = "report")]
    pub fn audit_against(&self, plain: &TrainedRun) -> Result<equipoise_report::Audit, Error> {
        Ok(equipoise_report::Audit::from_run(&self.run, Some(&plain.run))?)
    }
}

impl std::fmt::Debug for TrainedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let temporary = self.place.is_some();
        f.debug_struct("TrainedRun").field("dir", &self.run.dir()).field("temporary", &temporary).finish()
    }
}
