//! Trained models at work.

use crate::arrays::{FloatTable, features};
use crate::arrow_out::ArrowTable;
use crate::errors::{data_error, raised};
use crate::threads::without_lock;
use arrow_array::builder::{Float32Builder, Float64Builder, StringBuilder, UInt32Builder};
use arrow_array::{ArrayRef, Float32Array, StringArray};
use equipoise::{Answer, Error, ExplainRequest, NewItem, RecommendRequest, TrainedModel, read_json};
use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A trained model.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct EngineModel {
    model: TrainedModel,
    /// The tables side by side, made when they are first asked for.
    tables: OnceLock<Tables>,
}

/// Rows of users and items, and their width.
struct Tables {
    users: Arc<Vec<f32>>,
    items: Arc<Vec<f32>>,
    width: usize,
}

impl EngineModel {
    pub(crate) fn new(model: TrainedModel) -> EngineModel {
        EngineModel { model, tables: OnceLock::new() }
    }

    fn other(&self, py: Python<'_>, model: Result<TrainedModel, Error>) -> PyResult<EngineModel> {
        without_lock(py, None, || model).map(EngineModel::new)
    }
}

#[pymethods]
impl EngineModel {
    /// Opens a run or a saved model.
    #[staticmethod]
    fn open(py: Python<'_>, dir: PathBuf) -> PyResult<EngineModel> {
        without_lock(py, None, || TrainedModel::open(dir)).map(EngineModel::new)
    }

    /// Raw ids of users and items in the order of the rows.
    fn ids(&self) -> (Vec<String>, Vec<String>) {
        (self.model.users().to_vec(), self.model.items().to_vec())
    }

    /// Numbers of users and items.
    #[getter]
    fn size(&self) -> (usize, usize) {
        (self.model.users().len(), self.model.items().len())
    }

    /// Names of the modalities.
    #[getter]
    fn modalities(&self) -> Vec<String> {
        self.model.modalities().to_vec()
    }

    /// Which model it is: its name, its version, the fingerprint of its data.
    #[getter]
    fn identity(&self) -> (String, String, String) {
        let name = self.model.served().name();
        (name.name.clone(), name.version.clone(), name.fingerprint.clone())
    }

    /// Answers a request in JSON.
    #[pyo3(signature = (request, threads=None))]
    fn recommend(&self, py: Python<'_>, request: &str, threads: Option<usize>) -> PyResult<EngineAnswer> {
        let request: RecommendRequest = parsed(py, request)?;
        let answer = without_lock(py, threads, || self.model.answer(&request))?;
        Ok(EngineAnswer { answer })
    }

    /// The best `n` items for every user, in the order of the rows: user, rank, item, score.
    #[pyo3(signature = (n, exclude_seen=true, threads=None))]
    fn recommend_all(
        &self,
        py: Python<'_>,
        n: usize,
        exclude_seen: bool,
        threads: Option<usize>,
    ) -> PyResult<ArrowTable> {
        let model = if exclude_seen { self.model.clone() } else { self.model.with_seen() };
        let columns = without_lock(py, threads, || {
            let lists = model.recommend_all(n)?;
            let mut columns = Columns::default();
            for (user, hits) in model.users().iter().zip(&lists) {
                for (rank, hit) in (1..).zip(hits) {
                    columns.push(Some(user), rank, hit.item, hit.score);
                }
            }
            Ok(columns.finish())
        })?;
        ArrowTable::of(columns).map_err(|e| data_error(py, e.to_string()))
    }

    /// Explains one item, by a request in JSON; the answer is JSON as well.
    fn explain(&self, py: Python<'_>, request: &str) -> PyResult<String> {
        let request: ExplainRequest = parsed(py, request)?;
        let explanation = without_lock(py, None, || self.model.explain(&request))?;
        Ok(serde_json::to_string(&explanation).expect("explanations are plain values"))
    }

    /// Items most like one: item, score.
    #[pyo3(signature = (item, n, modality=None))]
    fn similar_items(
        &self,
        py: Python<'_>,
        item: &str,
        n: usize,
        modality: Option<&str>,
    ) -> PyResult<ArrowTable> {
        let found = without_lock(py, None, || Ok(self.model.served().similar_items(item, n, modality)?))?;
        scored(py, "item", found.into_iter().map(|hit| (hit.id, hit.score)))
    }

    /// Users most like one: user, score.
    fn similar_users(&self, py: Python<'_>, user: &str, n: usize) -> PyResult<ArrowTable> {
        let found = without_lock(py, None, || Ok(self.model.served().similar_users(user, n)?))?;
        scored(py, "user", found.into_iter().map(|(id, score)| (id, score as f32)))
    }

    /// The score of one item for one user.
    fn score(&self, py: Python<'_>, user: &str, item: &str) -> PyResult<f32> {
        without_lock(py, None, || self.model.score(user, item))
    }

    /// The same model with more items, and what was said: `items` holds ids and what is known of each as JSON objects, `given` the
    /// features of modalities, one row per item.
    fn with_items(
        &self,
        py: Python<'_>,
        items: Vec<(String, String)>,
        given: Vec<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<(EngineModel, Vec<String>)> {
        let item = |(id, known): (String, String)| {
            let attributes =
                serde_json::from_str(&known).map_err(|e| data_error(py, format!("items: {e}")))?;
            Ok(NewItem { id, attributes })
        };
        let items = items.into_iter().map(item).collect::<PyResult<Vec<_>>>()?;
        let rows = given.into_iter().map(|(name, rows)| {
            let rows = features(&rows, &format!("features of {name:.100}"))?;
            Ok((name, rows))
        });
        let rows = rows.collect::<PyResult<Vec<_>>>()?;
        let (model, notes) = without_lock(py, None, || self.model.with_items(items, &rows))?;
        Ok((EngineModel::new(model), notes))
    }

    /// The model with every other modality silenced.
    fn channel(&self, py: Python<'_>, modality: &str) -> PyResult<EngineModel> {
        self.other(py, self.model.channel(modality))
    }

    /// The model with one modality silenced.
    fn without(&self, py: Python<'_>, modality: &str) -> PyResult<EngineModel> {
        self.other(py, self.model.without(modality))
    }

    /// The model with every modality silenced.
    fn ids_only(&self, py: Python<'_>) -> PyResult<EngineModel> {
        self.other(py, self.model.ids_only())
    }

    /// Writes the model.
    fn save(&self, py: Python<'_>, dir: PathBuf, overwrite: bool) -> PyResult<()> {
        without_lock(py, None, || self.model.save(dir, overwrite))
    }

    /// Rows of users and items: `score(u, i) = <users[u], items[i]>`.
    fn embeddings(&self, py: Python<'_>) -> (FloatTable, FloatTable) {
        let tables = py.detach(|| {
            self.tables.get_or_init(|| {
                let tables = self.model.embeddings();
                Tables { users: Arc::new(tables.users), items: Arc::new(tables.items), width: tables.width }
            })
        });
        let table = |values: &Arc<Vec<f32>>| FloatTable::new(values.clone(), tables.width);
        (table(&tables.users), table(&tables.items))
    }
}

fn parsed<T: DeserializeOwned>(py: Python<'_>, request: &str) -> PyResult<T> {
    read_json(request, "a request").map_err(|e| raised(py, e))
}

fn scored(py: Python<'_>, side: &str, found: impl Iterator<Item = (String, f32)>) -> PyResult<ArrowTable> {
    let (ids, scores): (Vec<String>, Vec<f32>) = found.unzip();
    let (ids, scores) = (Arc::new(StringArray::from(ids)), Arc::new(Float32Array::from(scores)));
    ArrowTable::of(vec![(side, ids as ArrayRef), ("score", scores as ArrayRef)])
        .map_err(|e| data_error(py, e.to_string()))
}

/// Lists as columns.
#[derive(Default)]
struct Columns {
    user: StringBuilder,
    rank: UInt32Builder,
    item: StringBuilder,
    score: Float32Builder,
}

impl Columns {
    fn push(&mut self, user: Option<&str>, rank: u32, item: &str, score: f32) {
        self.user.append_option(user);
        self.rank.append_value(rank);
        self.item.append_value(item);
        self.score.append_value(score);
    }

    fn finish(mut self) -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("user", Arc::new(self.user.finish())),
            ("rank", Arc::new(self.rank.finish())),
            ("item", Arc::new(self.item.finish())),
            ("score", Arc::new(self.score.finish())),
        ]
    }
}

/// The answer to a request.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct EngineAnswer {
    answer: Answer,
}

#[pymethods]
impl EngineAnswer {
    /// The whole answer as JSON, as HTTP gives it.
    fn json(&self) -> String {
        serde_json::to_string(&self.answer).expect("answers are plain values")
    }

    /// One row per item of a list: list (from 0), user, rank (from 1), item, score, title where one is known, and of explained lists
    /// `part:<name>` for ids and each modality.
    fn table(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let (mut list, mut columns, mut title) =
            (UInt32Builder::new(), Columns::default(), StringBuilder::new());
        let items = || self.answer.lists.iter().flat_map(|list| &list.items);
        for (place, one) in (0..).zip(&self.answer.lists) {
            for (rank, item) in (1..).zip(&one.items) {
                list.append_value(place);
                columns.push(one.user.as_deref(), rank, &item.id, item.score);
                title.append_option(item.title.as_deref());
            }
        }
        let mut table: Vec<(String, ArrayRef)> = vec![("list".into(), Arc::new(list.finish()))];
        table.extend(columns.finish().into_iter().map(|(name, column)| (name.to_owned(), column)));
        if items().any(|item| item.title.is_some()) {
            table.push(("title".into(), Arc::new(title.finish())));
        }
        let names: BTreeSet<&String> = items().flat_map(|item| item.parts.keys()).collect();
        for name in names {
            let mut part = Float64Builder::new();
            items().for_each(|item| part.append_option(item.parts.get(name).copied()));
            table.push((format!("part:{name}"), Arc::new(part.finish())));
        }
        let table = table.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
        ArrowTable::of(table).map_err(|e| data_error(py, e.to_string()))
    }
}
