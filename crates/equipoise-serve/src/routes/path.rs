//! What stands in the path of a request.

use crate::app::App;
use crate::models::Served;
use crate::problem::Problem;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use equipoise_data::closest;
use std::sync::Arc;

/// The parts of a path.
pub(crate) type Parts<T> = Result<Path<T>, PathRejection>;

/// What a path holds.
///
/// # Errors
/// Bytes that are no text.
pub(crate) fn parts<T>(path: Parts<T>) -> Result<T, Problem> {
    path.map(|Path(parts)| parts).map_err(|error| Problem::bad(format!("the path: {}", error.body_text())))
}

/// The model of a path.
///
/// # Errors
/// If there is none of that name.
pub(crate) fn model_of(app: &App, name: &str) -> Result<Arc<Served>, Problem> {
    let models = app.models();
    models.get(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = models.all().iter().map(|served| served.source.name.as_str()).collect();
        let detail = format!("no model `{name:.100}`; the server has {}", names.join(", "));
        Problem::missing("model", detail).meant(closest(name, names.iter().copied()))
    })
}
