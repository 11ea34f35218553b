//! `GET /health/live`, `GET /health/ready`

use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// That the server is well.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    status: &'static str,
}

/// Whether the program runs. Needs no token.
#[utoipa::path(get, path = "/health/live", tag = "operation", security(()), responses((status = 200, description = "It runs", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Whether the models have answered requests of real rows, so that traffic may come. Needs no token.
#[utoipa::path(get, path = "/health/ready", tag = "operation", security(()), responses((status = 200, description = "It is ready", body = Health),
    (status = 503, description = "Not yet", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    if app.is_ready() {
        Ok(Json(Health { status: "ready" }))
    } else {
        let detail = "the models have not answered their first requests yet";
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "The server is starting", detail))
    }
}
