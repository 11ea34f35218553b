//! `POST /v1/explain`

use crate::app::App;
use crate::body::Body;
use crate::limits;
use crate::models::Served;
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{ExplainRequest, Explanation};
use std::sync::Arc;

/// Why a user, or a stranger with a basket, would be shown an item: the parts of its score, its score and place without each
/// modality, and the items of the history that are most like it.
#[utoipa::path(post, path = "/v1/explain", tag = "lists", request_body = ExplainRequest, responses(
    (status = 200, description = "The explanation", body = Explanation), crate::openapi::Refusals))]
pub(crate) async fn any(
    State(app): State<App>,
    Body(request): Body<ExplainRequest>,
) -> Result<Json<Explanation>, Problem> {
    let models = app.models();
    let served = request.user.as_ref().map_or(models.first(), |user| models.of_user(user)).clone();
    answer(&app, served, request).await
}

/// The same of one model.
#[utoipa::path(post, path = "/v1/models/{name}/explain", tag = "lists", params(("name" = String, Path, description = "Name of the model")),
    request_body = ExplainRequest, responses((status = 200, description = "The explanation", body = Explanation), crate::openapi::Refusals))]
pub(crate) async fn named(
    State(app): State<App>,
    path: Parts<String>,
    Body(request): Body<ExplainRequest>,
) -> Result<Json<Explanation>, Problem> {
    let served = model_of(&app, &parts(path)?)?;
    answer(&app, served, request).await
}

async fn answer(
    app: &App,
    served: Arc<Served>,
    request: ExplainRequest,
) -> Result<Json<Explanation>, Problem> {
    limits::explain(&request)?;
    Ok(Json(app.work(move |feedback| Ok(served.model.explain_to(&request, feedback)?)).await?))
}
