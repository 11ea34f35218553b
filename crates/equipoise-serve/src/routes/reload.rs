//! `POST /admin/reload`

use crate::app::App;
use crate::problem::Problem;
use crate::reload::{ReloadReport, reload};
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of the models.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Reloads {
    models: Vec<ReloadReport>,
}

/// Loads all models again. Requests under way end with the models they began with.
#[utoipa::path(post, path = "/admin/reload", tag = "operation", responses((status = 200, description = "All models answer from their files of now", body = Reloads),
    (status = 409, description = "At least one was refused; what answered before goes on", body = Reloads), crate::openapi::NoToken))]
pub(crate) async fn all(State(app): State<App>) -> Response {
    let names: Vec<String> = app.models().all().iter().map(|served| served.source.name.clone()).collect();
    let mut models = Vec::new();
    for name in names {
        models.extend(reload(&app, &name).await);
    }
    told(models)
}

/// Loads one model again.
#[utoipa::path(post, path = "/admin/reload/{name}", tag = "operation", params(("name" = String, Path, description = "Name of the model")), responses(
    (status = 200, description = "The model answers from its files of now", body = Reloads),
    (status = 409, description = "It was refused; what answered before goes on", body = Reloads), crate::openapi::Missing))]
pub(crate) async fn named(State(app): State<App>, path: Parts<String>) -> Result<Response, Problem> {
    let served = model_of(&app, &parts(path)?)?;
    Ok(told(reload(&app, &served.source.name).await.into_iter().collect()))
}

fn told(models: Vec<ReloadReport>) -> Response {
    let status = if models.iter().any(|report| report.refused.is_some()) {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    (status, Json(Reloads { models })).into_response()
}
