//! The routes of the programming interface, one file for each.

pub(crate) mod explain;
pub(crate) mod feedback;
pub(crate) mod health;
pub(crate) mod items;
pub(crate) mod metrics;
pub(crate) mod model;
mod path;
pub(crate) mod recommend;
pub(crate) mod reload;
pub(crate) mod similar;
pub(crate) mod users;

use crate::app::App;
use crate::openapi;
use axum::Router;
use axum::routing::{get, post};

/// The routes of the programming interface.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/recommend", post(recommend::any))
        .route("/v1/similar", post(similar::any))
        .route("/v1/explain", post(explain::any))
        .route("/v1/feedback", post(feedback::take))
        .route("/v1/items/{id}", get(items::any))
        .route("/v1/users/{id}", get(users::any))
        .route("/v1/model", get(model::all))
        .route("/v1/models/{name}", get(model::named))
        .route("/v1/models/{name}/recommend", post(recommend::named))
        .route("/v1/models/{name}/similar", post(similar::named))
        .route("/v1/models/{name}/explain", post(explain::named))
        .route("/v1/models/{name}/items/{id}", get(items::named))
        .route("/v1/models/{name}/users/{id}", get(users::named))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::text))
        .route("/openapi.json", get(openapi::document))
        .route("/admin/reload", post(reload::all))
        .route("/admin/reload/{name}", post(reload::named))
}
