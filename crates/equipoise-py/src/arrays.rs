//! Tables of numbers in and out, by Python's buffer protocol.

use crate::errors::data_error;
use equipoise::Features;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// Numbers that Rust owns, lent to Python: a read-only buffer of float32, `rows x width`.
#[pyclass(frozen, module = "equipoise._engine")]
pub(crate) struct FloatTable {
    owner: Owner,
    /// Rows and width, as the buffer protocol wants them.
    shape: [isize; 2],
    /// Bytes from row to row and from value to value.
    strides: [isize; 2],
}

/// Who holds the numbers.
enum Owner {
    Values(Arc<Vec<f32>>),
    /// Features in float32, in memory or mapped.
    Features(Features),
}

impl FloatTable {
    /// A table of values, row after row.
    pub(crate) fn new(values: Arc<Vec<f32>>, width: usize) -> FloatTable {
        let rows = values.len().checked_div(width).unwrap_or(0);
        FloatTable::owned(Owner::Values(values), rows, width)
    }

    /// Features as they are stored; float16 are converted.
    pub(crate) fn of_features(features: &Features) -> FloatTable {
        let (rows, width) = (features.rows(), features.width());
        match features.single() {
            Some(_) => FloatTable::owned(Owner::Features(features.clone()), rows, width),
            None => {
                let values = (0..rows).flat_map(|row| features.row(row).into_owned()).collect();
                FloatTable::owned(Owner::Values(Arc::new(values)), rows, width)
            }
        }
    }

    fn owned(owner: Owner, rows: usize, width: usize) -> FloatTable {
        let size = size_of::<f32>() as isize;
        let (rows, width) = (rows as isize, width as isize);
        FloatTable { owner, shape: [rows, width], strides: [width * size, size] }
    }

    fn values(&self) -> &[f32] {
        match &self.owner {
            Owner::Values(values) => values,
            Owner::Features(features) => features.single().expect("checked when the table was made"),
        }
    }
}

#[pymethods]
impl FloatTable {
    /// Rows and values per row.
    #[getter]
    fn shape(&self) -> (isize, isize) {
        (self.shape[0], self.shape[1])
    }

    /// Address of the first value, for tests that nothing is copied.
    #[getter]
    fn address(&self) -> usize {
        self.values().as_ptr() as usize
    }

    /// Lends the numbers.
    ///
    /// # Safety
    /// `view` is one that the interpreter made.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no view to fill"));
        }
        if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
            return Err(PyBufferError::new_err("the table is read-only; copy it to change it"));
        }
        let table = slf.get();
        // SAFETY: the interpreter hands over a view to fill. What it points to belongs to the table, which the view keeps alive by its
        // reference `obj`, and never changes.
        unsafe {
            (*view).buf = table.values().as_ptr() as *mut c_void;
            (*view).len = size_of_val(table.values()) as isize;
            (*view).readonly = 1;
            (*view).itemsize = size_of::<f32>() as isize;
            (*view).format = c"f".as_ptr().cast_mut();
            (*view).ndim = 2;
            (*view).shape = table.shape.as_ptr().cast_mut();
            (*view).strides = table.strides.as_ptr().cast_mut();
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = std::ptr::null_mut();
            (*view).obj = slf.into_any().into_ptr();
        }
        Ok(())
    }
}

/// Numbers that Python owns, borrowed without a copy for as long as this lives.
pub(crate) struct Borrowed<T: Element> {
    buffer: PyBuffer<T>,
}

impl<T: Element> Borrowed<T> {
    /// The buffer of an object, which lies in one piece, row after row.
    pub(crate) fn of(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Borrowed<T>> {
        let py = object.py();
        let buffer = PyBuffer::<T>::get(object)
            .map_err(|e| data_error(py, format!("{what}: {e}; expected an array of another type")))?;
        if buffer.is_c_contiguous() {
            Ok(Borrowed { buffer })
        } else {
            Err(data_error(py, format!("{what}: expected an array in one piece, row after row")))
        }
    }

    /// Rows and width of a matrix.
    pub(crate) fn matrix(&self, py: Python<'_>, what: &str) -> PyResult<(usize, usize)> {
        match self.buffer.shape() {
            &[rows, width] => Ok((rows, width)),
            shape => {
                let found = shape.len();
                Err(data_error(py, format!("{what}: {found} dimensions, expected 2: rows x values per row")))
            }
        }
    }

    /// The numbers. Whoever writes into them at the same time gets what they ask for: any number.
    pub(crate) fn values(&self) -> &[T] {
        let count = self.buffer.item_count();
        if count == 0 {
            return &[];
        }
        // SAFETY: the buffer is held and lies in one piece; Python checked the type of its elements and their alignment.
        unsafe { std::slice::from_raw_parts(self.buffer.buf_ptr().cast::<T>(), count) }
    }
}

/// Features from an array of float32, or of float16 that is viewed as unsigned numbers of 16 bits.
pub(crate) fn features(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Features> {
    let py = object.py();
    let made = match PyBuffer::<u16>::get(object) {
        Ok(_) => {
            let bits = Borrowed::<u16>::of(object, what)?;
            let (rows, width) = bits.matrix(py, what)?;
            let values = bits.values().iter().map(|&bits| half::f16::from_bits(bits)).collect();
            Features::from_half(rows, width, values)
        }
        Err(_) => {
            let values = Borrowed::<f32>::of(object, what)?;
            let (rows, width) = values.matrix(py, what)?;
            Features::new(rows, width, values.values().to_vec())
        }
    };
    made.map_err(|e| data_error(py, format!("{what}: {e}")))
}

/// Where the engine reads a matrix of float32 that Python owns, for tests that nothing is copied.
#[pyfunction]
pub(crate) fn address_of(array: &Bound<'_, PyAny>) -> PyResult<usize> {
    Ok(Borrowed::<f32>::of(array, "array")?.values().as_ptr() as usize)
}
