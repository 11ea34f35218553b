//! `GET /v1/users/{id}`

use crate::app::App;
use crate::limits;
use crate::models::Served;
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{Feedback, ModelName};
use serde::Serialize;
use utoipa::ToSchema;

/// What a model knows of a user.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct UserAnswer {
    /// Raw id.
    id: String,
    /// Whether the model was trained on the user. Others are served by their feedback alone.
    trained: bool,
    /// Raw ids of the items that the user met in train.
    train: Vec<String>,
    /// The same in validation.
    validation: Vec<String>,
    /// Raw ids of the items of feedback, oldest first.
    feedback: Vec<String>,
    /// Which model answered.
    model: ModelName,
}

/// What the user's model knows of a user.
#[utoipa::path(get, path = "/v1/users/{id}", tag = "data", params(("id" = String, Path, description = "Raw id of the user")), responses(
    (status = 200, description = "The user", body = UserAnswer), crate::openapi::Missing))]
pub(crate) async fn any(State(app): State<App>, path: Parts<String>) -> Result<Json<UserAnswer>, Problem> {
    let id = parts(path)?;
    let served = app.models().of_user(&id).clone();
    answer(&app, &served, &id)
}

/// What a model knows of a user.
#[utoipa::path(get, path = "/v1/models/{name}/users/{id}", tag = "data", params(("name" = String, Path, description = "Name of the model"),
    ("id" = String, Path, description = "Raw id of the user")), responses((status = 200, description = "The user", body = UserAnswer),
    crate::openapi::Missing))]
pub(crate) async fn named(
    State(app): State<App>,
    path: Parts<(String, String)>,
) -> Result<Json<UserAnswer>, Problem> {
    let (name, id) = parts(path)?;
    answer(&app, &*model_of(&app, &name)?, &id)
}

fn answer(app: &App, served: &Served, id: &str) -> Result<Json<UserAnswer>, Problem> {
    limits::id("id", id)?;
    let model = &served.model;
    let met = app.store().map(|store| store.met().of(id)).unwrap_or_default();
    let row = model.user(id);
    if row.is_err() && met.is_empty() {
        return row
            .map_err(Problem::from)
            .map_err(Problem::not_found)
            .map(|_| unreachable!("it is an error"));
    }
    let row = row.ok();
    let names = |items: &[u32]| {
        items.iter().map(|&item| model.vocabulary().items()[item as usize].to_owned()).collect()
    };
    let tables = model.tables();
    Ok(Json(UserAnswer {
        id: id.to_owned(),
        trained: row.is_some(),
        train: row.map_or_else(Vec::new, |row| names(tables.train().items_of(row))),
        validation: row.map_or_else(Vec::new, |row| names(tables.validation().items_of(row))),
        feedback: met.iter().map(|item| item.id().to_owned()).collect(),
        model: served.name(),
    }))
}
