//! Data sets: opened, or made of tables.

use crate::arrays::{FloatTable, features};
use crate::arrow_in::batches;
use crate::arrow_out::ArrowTable;
use crate::errors::{config_error, data_error, raised};
use crate::threads::without_lock;
use crate::words::in_python;
use arrow_array::{ArrayRef, StringArray};
use equipoise::import::LoadOptions;
use equipoise::{DataTables, Dataset, DatasetLoader, Fill, Interactions, Scale, read_json};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// A data set.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct EngineDataset {
    pub(crate) data: Arc<Dataset>,
}

/// One modality's features: its name, the raw id of each row, the rows.
type GivenFeatures<'py> = (String, Option<Vec<String>>, Bound<'py, PyAny>);
/// One modality's texts: its name, the encoder, raw ids and texts.
type GivenTexts = (String, String, Vec<(String, String)>);

#[pymethods]
impl EngineDataset {
    /// Opens a directory with settings as JSON: `modalities`, `missing`, `scale`.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, settings: &str) -> PyResult<EngineDataset> {
        let loader = Dataset::open(path).map_err(|e| raised(py, e))?;
        loaded(py, loader, settings)
    }

    /// Makes a data set of tables and opens it. `parts` holds train, validation and test, or interactions alone.
    #[staticmethod]
    #[pyo3(signature = (parts, items, features, texts, options, settings, save_to, overwrite))]
    #[allow(clippy::too_many_arguments)]
    fn from_tables(
        py: Python<'_>,
        parts: Vec<Bound<'_, PyAny>>,
        items: Vec<(String, String)>,
        features: Vec<GivenFeatures<'_>>,
        texts: Vec<GivenTexts>,
        options: &str,
        settings: &str,
        save_to: Option<PathBuf>,
        overwrite: bool,
    ) -> PyResult<EngineDataset> {
        let tables = tables(py, &parts, items, &features, texts, options)?;
        let loader = without_lock(py, None, || match &save_to {
            Some(dir) => tables.save_to(dir, overwrite),
            None => tables.temporary(),
        })?;
        loaded(py, loader, settings)
    }

    /// Its settings and counts.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (data, contents) = (&self.data, self.data.contents());
        let facts = PyDict::new(py);
        facts.set_item("name", &contents.name)?;
        facts.set_item("path", &data.settings().path)?;
        facts.set_item("users", data.n_users())?;
        facts.set_item("items", data.n_items())?;
        facts.set_item("train", data.train().len())?;
        facts.set_item("validation", data.validation().len())?;
        facts.set_item("missing", name_of(&json!(data.settings().missing)))?;
        facts.set_item("scale", name_of(&json!(data.settings().scale)))?;
        let widths = contents.modalities.iter().map(|m| (m.name.clone(), m.features.width()));
        facts.set_item("modalities", widths.collect::<Vec<_>>())?;
        let notes = data.notes().iter().map(|note| in_python(note));
        facts.set_item("notes", notes.collect::<Vec<_>>())?;
        facts.set_item("fingerprint", contents.fingerprint())?;
        Ok(facts)
    }

    /// Raw ids of users and items in the order of the rows.
    fn ids(&self) -> (Vec<String>, Vec<String>) {
        let vocabulary = self.data.vocabulary();
        (vocabulary.users().to_vec(), vocabulary.items().to_vec())
    }

    /// Raw ids of the interactions of a split; `test` breaks its seal.
    fn interactions(&self, py: Python<'_>, split: &str) -> PyResult<ArrowTable> {
        let pairs = self.split(py, split)?;
        let vocabulary = self.data.vocabulary();
        let (mut users, mut items) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        for (user, item) in pairs.pairs() {
            users.push(&vocabulary.users()[user as usize]);
            items.push(&vocabulary.items()[item as usize]);
        }
        let column = |ids: Vec<&str>| Arc::new(StringArray::from(ids)) as ArrayRef;
        ArrowTable::of(vec![("user", column(users)), ("item", column(items))])
            .map_err(|e| data_error(py, e.to_string()))
    }

    /// Row numbers of the users and items of a split, as bytes of unsigned numbers of 32 bits; `test` breaks its seal.
    fn indices<'py>(
        &self,
        py: Python<'py>,
        split: &str,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let pairs = self.split(py, split)?;
        let bytes = |values: Vec<u32>| {
            let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_ne_bytes).collect();
            PyBytes::new(py, &bytes)
        };
        let (users, items) = pairs.pairs().unzip();
        Ok((bytes(users), bytes(items)))
    }

    /// The features of a modality as models see them.
    fn features(&self, py: Python<'_>, modality: &str) -> PyResult<FloatTable> {
        let features = self.data.features(modality).map_err(|e| data_error(py, e.to_string()))?;
        Ok(FloatTable::of_features(features))
    }
}

impl EngineDataset {
    /// The interactions of a split.
    pub(crate) fn split(&self, py: Python<'_>, split: &str) -> PyResult<&Interactions> {
        match split {
            "train" => Ok(self.data.train()),
            "validation" => Ok(self.data.validation()),
            "test" => Ok(self.data.unseal_test()),
            other => {
                Err(config_error(py, format!("split = {other:.100}, expected train, validation or test")))
            }
        }
    }
}

/// How a data set is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    modalities: Option<Vec<String>>,
    missing: Fill,
    scale: Scale,
}

fn name_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Applies the settings and reads the files.
fn loaded(py: Python<'_>, loader: DatasetLoader, settings: &str) -> PyResult<EngineDataset> {
    let Settings { modalities, missing, scale } =
        read_json(settings, "settings").map_err(|e| raised(py, e))?;
    let loader = loader.missing(missing).scale(scale);
    let loader = match modalities {
        Some(modalities) => loader.modalities(modalities),
        None => loader,
    };
    let data = without_lock(py, None, || loader.load())?;
    Ok(EngineDataset { data: Arc::new(data) })
}

fn tables(
    py: Python<'_>,
    parts: &[Bound<'_, PyAny>],
    items: Vec<(String, String)>,
    given: &[GivenFeatures<'_>],
    texts: Vec<GivenTexts>,
    options: &str,
) -> PyResult<DataTables> {
    let options: LoadOptions = read_json(options, "options").map_err(|e| raised(py, e))?;
    let mut parts = parts.iter().map(batches).collect::<PyResult<Vec<_>>>()?.into_iter();
    let mut tables = DataTables::new(parts.next().unwrap_or_default()).options(options);
    if let (Some(validation), Some(test)) = (parts.next(), parts.next()) {
        tables = tables.held_out(validation, test);
    }
    let known = |(id, known): (String, String)| match serde_json::from_str(&known) {
        Ok(known) => Ok((id, known)),
        Err(e) => Err(data_error(py, format!("items: {e}"))),
    };
    tables = tables.items(items.into_iter().map(known).collect::<PyResult<_>>()?);
    for (name, ids, rows) in given {
        tables = tables.features(name, ids.clone(), features(rows, &format!("features of {name:.100}"))?);
    }
    Ok(texts.into_iter().fold(tables, |tables, (name, model, texts)| tables.texts(name, model, texts)))
}
