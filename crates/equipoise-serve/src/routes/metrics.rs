//! `GET /metrics`

use crate::app::App;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

/// Numbers for Prometheus, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "The numbers", body = String, content_type = "application/openmetrics-text"), crate::openapi::NoToken))]
pub(crate) async fn text(State(app): State<App>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        app.metrics().text(),
    )
}
