//! Errors of the library as exceptions of the package.

use crate::words::in_python;
use equipoise::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

/// Names of the classes in `equipoise._errors`.
const DATA: &str = "DataError";
const CONFIG: &str = "ConfigError";
const MODEL: &str = "ModelError";
const MACHINE: &str = "MachineError";

/// The exception for an error of the library; its message has the remedies of the package.
pub(crate) fn raised(py: Python<'_>, error: Error) -> PyErr {
    if is_interrupted(&error) {
        return PyKeyboardInterrupt::new_err(error.to_string());
    }
    exception(py, class(&error), in_python(&error.to_string()))
}

/// An exception for data that cannot be used.
pub(crate) fn data_error(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, DATA, message.into())
}

/// An exception for a setting or a request that cannot be used.
pub(crate) fn config_error(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, CONFIG, message.into())
}

fn class(error: &Error) -> &'static str {
    match error {
        Error::Tables { source, .. } => class(source),
        // Tables with a value that is no number are not the machine's fault where they were given.
        Error::Eval(_) => DATA,
        _ if !error.is_input() => MACHINE,
        Error::Config(_) | Error::DataSetting | Error::Track(_) => CONFIG,
        Error::Data(_) | Error::Encode(_) | Error::Shape { .. } => DATA,
        // Of training and serving: a run, a request, an id.
        _ => MODEL,
    }
}

/// Whether training was stopped before there was a model to keep.
fn is_interrupted(error: &Error) -> bool {
    matches!(error, Error::Train(cause) if cause.is_interrupt())
}

fn exception(py: Python<'_>, class: &str, message: String) -> PyErr {
    let class = py.import("equipoise._errors").and_then(|module| module.getattr(class));
    match class.and_then(|class| class.call1((message.clone(),))) {
        Ok(value) => PyErr::from_value(value),
        // The package is not there: the engine was imported by itself.
        Err(_) => PyRuntimeError::new_err(message),
    }
}
