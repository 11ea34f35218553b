//! `GET /v1/model`, `GET /v1/models/{name}`

use crate::app::App;
use crate::models::Served;
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{ModelName, ScoreWeights};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A model and what it was made of.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ModelAnswer {
    /// Which model it is.
    #[serde(flatten)]
    model: ModelName,
    /// Its share of the requests that name no model; shares are compared with one another.
    share: f64,
    /// Users that it was trained on.
    users: usize,
    /// Items that it can recommend.
    items: usize,
    /// Modalities with the weights in force.
    weights: BTreeMap<String, f64>,
    /// Items with a title, a picture or other attributes.
    described: usize,
    /// Names of the attributes, for filters.
    attributes: Vec<String>,
}

/// All models, the first of which answers what names no model and no user.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ModelsAnswer {
    /// The models.
    models: Vec<ModelAnswer>,
}

/// All models of the server.
#[utoipa::path(get, path = "/v1/model", tag = "data", responses((status = 200, description = "The models", body = ModelsAnswer), crate::openapi::NoToken))]
pub(crate) async fn all(State(app): State<App>) -> Json<ModelsAnswer> {
    Json(ModelsAnswer { models: app.models().all().iter().map(|served| about(served)).collect() })
}

/// One model.
#[utoipa::path(get, path = "/v1/models/{name}", tag = "data", params(("name" = String, Path, description = "Name of the model")), responses(
    (status = 200, description = "The model", body = ModelAnswer), crate::openapi::Missing))]
pub(crate) async fn named(State(app): State<App>, path: Parts<String>) -> Result<Json<ModelAnswer>, Problem> {
    Ok(Json(about(&*model_of(&app, &parts(path)?)?)))
}

fn about(served: &Served) -> ModelAnswer {
    let model = &served.model;
    let weights = match model.weighting() {
        ScoreWeights::Weights(weights) => weights.clone(),
        ScoreWeights::Under(_) => vec![1.0; model.modalities().len()],
    };
    ModelAnswer {
        model: served.name(),
        share: served.source.share,
        users: model.tables().n_users(),
        items: model.tables().n_items(),
        weights: model.modalities().iter().cloned().zip(weights).collect(),
        described: model.infos().len(),
        attributes: model.infos().names().to_vec(),
    }
}
