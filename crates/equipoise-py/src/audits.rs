//! Imbalance reports.

use crate::errors::{data_error, raised};
use equipoise::{Audit, Error};
use pyo3::prelude::*;
use std::path::PathBuf;

/// An imbalance report.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct ImbalanceAudit {
    audit: Audit,
}

impl ImbalanceAudit {
    pub(crate) fn new(audit: Audit) -> ImbalanceAudit {
        ImbalanceAudit { audit }
    }
}

#[pymethods]
impl ImbalanceAudit {
    /// A report of what was measured elsewhere, as JSON.
    #[staticmethod]
    fn from_json(py: Python<'_>, json: &str) -> PyResult<ImbalanceAudit> {
        serde_json::from_str(json)
            .map(ImbalanceAudit::new)
            .map_err(|e| data_error(py, format!("an audit: {e}")))
    }

    /// Everything that the report is made of, as JSON.
    fn json(&self) -> String {
        serde_json::to_string(&self.audit).expect("audits are plain values")
    }

    /// One verdict for each modality: its name, the verdict, a sentence that says why.
    fn verdicts(&self) -> Vec<(String, String, String)> {
        let verdicts = self.audit.verdicts().into_iter();
        verdicts.map(|v| (v.modality, v.verdict.label().to_owned(), v.sentence)).collect()
    }

    /// A few sentences about the whole.
    fn headline(&self) -> String {
        self.audit.headline()
    }

    /// An aligned table.
    fn text(&self) -> String {
        self.audit.text()
    }

    /// One self-contained page.
    fn html(&self) -> String {
        self.audit.html()
    }

    /// Writes the page.
    fn write_html(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.audit.write_html(path).map_err(|e| raised(py, Error::from(e)))
    }
}
