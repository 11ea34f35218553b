//! What columns of a table hold, by their names.

use crate::errors::data_error;
use crate::words::in_python;
use pyo3::prelude::*;

/// The place of the column of item ids: `id`, `item_id`, `asin`, ...
#[pyfunction]
pub(crate) fn item_column(py: Python<'_>, names: Vec<String>) -> PyResult<usize> {
    equipoise::import::item_column(&names).map_err(|problem| data_error(py, in_python(&problem)))
}

/// Whether a column says which split a row belongs to: `split`, `x_label`, ...
#[pyfunction]
pub(crate) fn has_split_column(names: Vec<String>) -> bool {
    equipoise::import::has_split_column(&names)
}
