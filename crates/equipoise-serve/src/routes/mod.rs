//! The routes of the programming interface, one file for each.

mod recommend;

use crate::app::App;
use axum::Router;
use axum::routing::post;

/// The routes of the programming interface.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/v1/recommend", post(recommend::any))
}
