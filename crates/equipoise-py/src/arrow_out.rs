//! Results as tables that every data frame of Python takes over without a copy.

use crate::arrow_in::batches;
use crate::errors::data_error;
use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, StringArray};
use arrow_array::{BooleanArray, Float64Array, Int64Array};
use arrow_schema::{ArrowError, DataType};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};
use std::sync::Arc;

/// A table that Rust owns.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct ArrowTable {
    batches: Vec<RecordBatch>,
}

impl ArrowTable {
    /// A table of these columns, which have one length.
    pub(crate) fn of(columns: Vec<(&str, ArrayRef)>) -> Result<ArrowTable, ArrowError> {
        Ok(ArrowTable { batches: vec![RecordBatch::try_from_iter(columns)?] })
    }
}

#[pymethods]
impl ArrowTable {
    /// A table from anything with `__arrow_c_stream__`, without a copy.
    #[staticmethod]
    fn from_stream(table: &Bound<'_, PyAny>) -> PyResult<ArrowTable> {
        Ok(ArrowTable { batches: batches(table)? })
    }

    /// A table from a dictionary of lists of one length each of texts, whole numbers, numbers or truths; `None` is an empty cell.
    #[staticmethod]
    fn from_columns(columns: &Bound<'_, PyDict>) -> PyResult<ArrowTable> {
        let py = columns.py();
        let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(columns.len());
        for (name, cells) in columns {
            let name: String = name.extract()?;
            let array = column(&cells).map_err(|_| {
                data_error(py, format!("column {name:.100}: expected texts, whole numbers, numbers or truths, all of one kind"))
            })?;
            arrays.push((name, array));
        }
        let batch =
            RecordBatch::try_from_iter(arrays).map_err(|e| data_error(py, format!("a table: {e}")))?;
        Ok(ArrowTable { batches: vec![batch] })
    }

    /// The stream of the Arrow PyCapsule protocol. The types are those that the table has, whatever is asked for.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let schema = self.batches[0].schema();
        let reader = RecordBatchIterator::new(self.batches.clone().into_iter().map(Ok), schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batches[0].schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The columns as lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (place, name) in self.column_names().into_iter().enumerate() {
            let cells = PyList::empty(py);
            for batch in &self.batches {
                let column = batch.column(place);
                for row in 0..batch.num_rows() {
                    cells.append(cell(py, column, row)?)?;
                }
            }
            columns.set_item(name, cells)?;
        }
        Ok(columns)
    }
}

/// One cell as Python has it.
fn cell(py: Python<'_>, column: &ArrayRef, row: usize) -> PyResult<Py<PyAny>> {
    if column.is_null(row) {
        return Ok(py.None());
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into_py_any(py),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).into_py_any(py),
        DataType::Utf8View => column.as_string_view().value(row).into_py_any(py),
        DataType::Boolean => column.as_boolean().value(row).into_py_any(py),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into_py_any(py),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into_py_any(py),
        DataType::Float32 => f64::from(column.as_primitive::<Float32Type>().value(row)).into_py_any(py),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into_py_any(py),
        other => Err(data_error(py, format!("a column of {other}: hand the table to a data frame instead"))),
    }
}

/// A column from a list: the first kind of cell that fits all.
fn column(cells: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if let Ok(cells) = cells.extract::<Vec<Option<String>>>() {
        return Ok(Arc::new(StringArray::from(cells)));
    }
    // A truth is a whole number to Python, but not the other way round.
    if let Ok(cells) = cells.extract::<Vec<Option<bool>>>() {
        return Ok(Arc::new(BooleanArray::from(cells)));
    }
    if let Ok(cells) = cells.extract::<Vec<Option<i64>>>() {
        return Ok(Arc::new(Int64Array::from(cells)));
    }
    Ok(Arc::new(Float64Array::from(cells.extract::<Vec<Option<f64>>>()?)))
}
