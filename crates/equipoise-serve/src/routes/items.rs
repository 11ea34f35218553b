//! `GET /v1/items/{id}`

use crate::app::App;
use crate::limits;
use crate::models::Served;
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::ModelName;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a model knows of an item.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ItemAnswer {
    /// Raw id.
    id: String,
    /// Title, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Users who met it in training.
    users: usize,
    /// Everything that is known of it, by name.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    /// Which model answered.
    model: ModelName,
}

/// What the first model knows of an item.
#[utoipa::path(get, path = "/v1/items/{id}", tag = "data", params(("id" = String, Path, description = "Raw id of the item")), responses(
    (status = 200, description = "The item", body = ItemAnswer), crate::openapi::Missing))]
pub(crate) async fn any(State(app): State<App>, path: Parts<String>) -> Result<Json<ItemAnswer>, Problem> {
    let served = app.models().first().clone();
    answer(&served, &parts(path)?)
}

/// What a model knows of an item.
#[utoipa::path(get, path = "/v1/models/{name}/items/{id}", tag = "data", params(("name" = String, Path, description = "Name of the model"),
    ("id" = String, Path, description = "Raw id of the item")), responses((status = 200, description = "The item", body = ItemAnswer),
    crate::openapi::Missing))]
pub(crate) async fn named(
    State(app): State<App>,
    path: Parts<(String, String)>,
) -> Result<Json<ItemAnswer>, Problem> {
    let (name, id) = parts(path)?;
    answer(&*model_of(&app, &name)?, &id)
}

fn answer(served: &Served, id: &str) -> Result<Json<ItemAnswer>, Problem> {
    limits::id("id", id)?;
    let model = &served.model;
    let row = model.item(id).map_err(Problem::from).map_err(Problem::not_found)?;
    let info = model.infos().of(row);
    Ok(Json(ItemAnswer {
        id: id.to_owned(),
        title: model.infos().title(row),
        users: model.users_of_item(row),
        attributes: info.map(|info| info.attributes.clone()).unwrap_or_default(),
        model: served.name(),
    }))
}
