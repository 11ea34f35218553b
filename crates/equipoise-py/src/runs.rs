//! Finished runs.

use crate::audits::ImbalanceAudit;
use crate::errors::raised;
use crate::model::EngineModel;
use crate::threads::without_lock;
use equipoise::TrainedRun;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A finished run.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct EngineRun {
    run: TrainedRun,
}

impl EngineRun {
    pub(crate) fn new(run: TrainedRun) -> EngineRun {
        EngineRun { run }
    }
}

#[pymethods]
impl EngineRun {
    /// A run that was made earlier.
    #[staticmethod]
    fn open(py: Python<'_>, dir: PathBuf) -> PyResult<EngineRun> {
        without_lock(py, None, || TrainedRun::open(dir)).map(EngineRun::new)
    }

    /// Its model.
    fn model(&self) -> EngineModel {
        EngineModel::new(self.run.model().clone())
    }

    /// Its directory.
    #[getter]
    fn dir(&self) -> PathBuf {
        self.run.files().dir().to_owned()
    }

    /// Everything that was measured, as JSON.
    fn report(&self) -> String {
        serde_json::to_string(self.run.report()).expect("reports are plain values")
    }

    /// Its epochs, as JSON.
    fn epochs(&self, py: Python<'_>) -> PyResult<String> {
        let epochs = self.run.epochs().map_err(|e| raised(py, e))?;
        Ok(serde_json::to_string(&epochs).expect("epochs are plain values"))
    }

    /// A metric on test.
    fn metric(&self, py: Python<'_>, name: &str) -> PyResult<f64> {
        self.run.metric(name).map_err(|e| raised(py, e))
    }

    /// A metric on test of the channel of a modality.
    fn channel_metric(&self, py: Python<'_>, modality: &str, name: &str) -> PyResult<f64> {
        self.run.channel_metric(modality, name).map_err(|e| raised(py, e))
    }

    /// Which modality is under-used, beside the plain model if there is one.
    #[pyo3(signature = (against=None))]
    fn audit(&self, py: Python<'_>, against: Option<&EngineRun>) -> PyResult<ImbalanceAudit> {
        let audit = without_lock(py, None, || match against {
            Some(plain) => self.run.audit_against(&plain.run),
            None => self.run.audit(),
        })?;
        Ok(ImbalanceAudit::new(audit))
    }
}
