//! `POST /v1/recommend`

use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{Answer, RecommendRequest};

pub(crate) async fn any(
    State(app): State<App>,
    Json(request): Json<RecommendRequest>,
) -> Result<Json<Answer>, Problem> {
    let models = app.models();
    let served = request.users.first().map_or(models.first(), |user| models.of_user(user)).clone();
    Ok(Json(app.recommend(&served, request).await?))
}
