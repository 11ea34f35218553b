//! Tables of Python as Arrow batches, by the stream of the Arrow PyCapsule protocol.

use crate::errors::data_error;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// The batches of anything with `__arrow_c_stream__`; one without rows where there is none, so that its columns are known. Columns
/// are taken over as they are, without a copy.
pub(crate) fn batches(table: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let py = table.py();
    let capsule = table.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>().map_err(|e| data_error(py, e.to_string()))?;
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule of this name holds such a stream; it is moved out, and the capsule left with an empty one.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) };
    // Whoever makes the stream in Python takes the lock by itself.
    py.detach(|| read(stream)).map_err(|e| data_error(py, e.to_string()))
}

fn read(stream: FFI_ArrowArrayStream) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = RecordBatchStreamReader::try_new(stream)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}
