//! Exact full ranking of any embeddings.

use crate::arrays::Borrowed;
use crate::arrow_out::ArrowTable;
use crate::errors::{data_error, raised};
use crate::threads::without_lock;
use arrow_array::{ArrayRef, Float64Array, UInt32Array};
use equipoise::{EvalConfig, Evaluation, Interactions, read_json};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was measured.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct EngineEvaluation {
    result: Evaluation,
}

#[pymethods]
impl EngineEvaluation {
    /// Means over the evaluated users.
    #[getter]
    fn metrics(&self) -> BTreeMap<String, f64> {
        self.result.metrics.clone()
    }

    /// Users with held-out items, users without, and held-out interactions that can only be missed.
    #[getter]
    fn counts(&self) -> (usize, usize, usize) {
        (self.result.evaluated_users, self.result.skipped_users, self.result.unreachable)
    }

    /// What each metric means.
    #[getter]
    fn definitions(&self) -> BTreeMap<String, String> {
        self.result.definitions.clone()
    }

    /// The values of each evaluated user: its index, and one column for each metric.
    fn per_user(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let values = &self.result.per_user;
        let users: ArrayRef = Arc::new(UInt32Array::from(values.users.clone()));
        let columns = values
            .columns
            .iter()
            .map(|(name, values)| (name.as_str(), Arc::new(Float64Array::from(values.clone())) as ArrayRef));
        let columns = [("user", users)].into_iter().chain(columns).collect();
        ArrowTable::of(columns).map_err(|e| data_error(py, e.to_string()))
    }
}

/// A split as two arrays of indices: of users and of items.
type Pairs<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Metrics of embeddings: `users` and `items` are matrices of float32, `excluded` and `test` pairs of indices, `config` the settings
/// of an evaluation as JSON.
#[pyfunction]
#[pyo3(signature = (users, items, excluded, test, config, threads=None))]
pub(crate) fn evaluate(
    py: Python<'_>,
    users: &Bound<'_, PyAny>,
    items: &Bound<'_, PyAny>,
    excluded: Pairs<'_>,
    test: Pairs<'_>,
    config: &str,
    threads: Option<usize>,
) -> PyResult<EngineEvaluation> {
    let config: EvalConfig = read_json(config, "settings").map_err(|e| raised(py, e))?;
    let (users, items) = (Borrowed::<f32>::of(users, "users")?, Borrowed::<f32>::of(items, "items")?);
    let (n_users, width) = users.matrix(py, "users")?;
    let (n_items, other) = items.matrix(py, "items")?;
    if width != other {
        let message = format!("users have {width} values per row, items {other}; give tables of one width");
        return Err(data_error(py, message));
    }
    let excluded = interactions(py, &excluded, "train", n_users, n_items)?;
    let test = interactions(py, &test, "test", n_users, n_items)?;
    let result = without_lock(py, threads, || {
        equipoise::evaluate(users.values(), items.values(), &excluded, &test, &config)
    })?;
    Ok(EngineEvaluation { result })
}

fn interactions(
    py: Python<'_>,
    (users, items): &Pairs<'_>,
    what: &str,
    n_users: usize,
    n_items: usize,
) -> PyResult<Interactions> {
    let (users, items) = (Borrowed::<u32>::of(users, what)?, Borrowed::<u32>::of(items, what)?);
    let (users, items) = (users.values(), items.values());
    if users.len() != items.len() {
        return Err(data_error(
            py,
            format!("{what}: {} users, {} items; give pairs", users.len(), items.len()),
        ));
    }
    let pairs: Vec<(u32, u32)> = users.iter().copied().zip(items.iter().copied()).collect();
    let outside = pairs.iter().find(|(user, item)| *user as usize >= n_users || *item as usize >= n_items);
    if let Some((user, item)) = outside {
        return Err(data_error(
            py,
            format!(
                "{what}: user {user} and item {item}, but the tables hold {n_users} users and {n_items} items"
            ),
        ));
    }
    Ok(py.detach(|| Interactions::from_pairs(n_users, n_items, &pairs).0))
}
