//! All routes.

use crate::app::App;
use crate::{page, routes};
use axum::Router;

/// The routes of the server.
pub fn router(app: App) -> Router {
    Router::new().merge(routes::routes()).merge(page::routes()).with_state(app)
}
