//! `POST /v1/similar`

use crate::app::App;
use crate::body::Body;
use crate::limits;
use crate::models::Served;
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{Similar, SimilarRequest};
use std::sync::Arc;

/// The items most like an item, by the whole model or by one modality, or the users most like a user.
#[utoipa::path(post, path = "/v1/similar", tag = "lists", request_body = SimilarRequest, responses(
    (status = 200, description = "What is most like it, most like first", body = Similar), crate::openapi::Refusals))]
pub(crate) async fn any(
    State(app): State<App>,
    Body(request): Body<SimilarRequest>,
) -> Result<Json<Similar>, Problem> {
    let models = app.models();
    let served = request.user.as_ref().map_or(models.first(), |user| models.of_user(user)).clone();
    answer(&app, served, request).await
}

/// The same of one model.
#[utoipa::path(post, path = "/v1/models/{name}/similar", tag = "lists", params(("name" = String, Path, description = "Name of the model")),
    request_body = SimilarRequest, responses((status = 200, description = "What is most like it, most like first", body = Similar),
    crate::openapi::Refusals))]
pub(crate) async fn named(
    State(app): State<App>,
    path: Parts<String>,
    Body(request): Body<SimilarRequest>,
) -> Result<Json<Similar>, Problem> {
    let served = model_of(&app, &parts(path)?)?;
    answer(&app, served, request).await
}

async fn answer(app: &App, served: Arc<Served>, request: SimilarRequest) -> Result<Json<Similar>, Problem> {
    let ids = [("item", &request.item), ("user", &request.user), ("modality", &request.modality)];
    ids.iter().try_for_each(|(field, id)| id.iter().try_for_each(|id| limits::id(field, id)))?;
    let found = app.work(move |_| {
        let mut found = served.model.similar(&request)?;
        found.model = served.name();
        Ok(found)
    });
    Ok(Json(found.await?))
}
