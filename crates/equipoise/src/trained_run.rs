//! A finished run.

use crate::{Error, TrainedModel};
use equipoise_train::{Report, Run};
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
    pub(crate) fn new(run: Run, report: Report, place: Option<Arc<TempDir>>) -> Result<TrainedRun, Error> {
        let model = TrainedModel::of(&run)?;
        Ok(TrainedRun { run, report, model, place })
    }

    pub(crate) fn keeping(self, place: TempDir) -> TrainedRun {
        TrainedRun { place: Some(Arc::new(place)), ..self }
    }

    /// A run that was made earlier, by the library or by the program. The data set is not needed.
    ///
    /// # Errors
    /// If the directory holds no finished run, or a run that keeps no final tables.
    pub fn open(dir: impl AsRef<Path>) -> Result<TrainedRun, Error> {
        let run = Run::open(dir.as_ref())?;
        let report = run.report()?;
        TrainedRun::new(run, report, None)
    }

    /// The model that validation selected.
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// A metric of the model on test, such as `recall@20`; `None` if it was not measured.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.report.metric(name)
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
