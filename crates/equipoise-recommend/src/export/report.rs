//! What an export wrote.

use crate::error::RecommendError;
use crate::manifest::HalfChange;
use crate::request::ModelName;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportReport {
    /// Name of the target.
    pub target: String,
    /// The directory.
    pub out: PathBuf,
    /// The model.
    pub model: ModelName,
    /// Its files.
    pub files: Vec<ExportFile>,
    /// What rounding to float16 changed, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half: Option<HalfChange>,
    /// Points that were uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<usize>,
    /// What is to be known, a sentence each.
    pub notes: Vec<String>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

impl ExportReport {
    pub(super) fn new(target: &str, out: &Path, model: &ModelName) -> ExportReport {
        ExportReport {
            target: target.to_owned(),
            out: out.to_owned(),
            model: model.clone(),
            files: Vec::new(),
            half: None,
            uploaded: None,
            notes: Vec::new(),
        }
    }

    /// Lists the files of the directory that was filled, by name.
    pub(super) fn measure(&mut self, dir: &Path) -> Result<(), RecommendError> {
        for entry in std::fs::read_dir(dir).map_err(RecommendError::io(dir))? {
            let entry = entry.map_err(RecommendError::io(dir))?;
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            let bytes = entry.metadata().map_err(RecommendError::io(&path))?.len();
            if !name.starts_with('.') {
                self.files.push(ExportFile { name, bytes });
            }
        }
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }
}
