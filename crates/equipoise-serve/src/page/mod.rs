//! The page: what a browser shows.

use crate::app::App;
use axum::Router;

/// The routes of the page.
pub(crate) fn routes() -> Router<App> {
    Router::new()
}
