//! All routes.

use crate::app::App;
use crate::guard::guard;
use crate::problem::Problem;
use crate::{page, routes};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use serde_json::json;
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;

/// The routes of the server.
pub fn router(app: App) -> Router {
    let faults = app.clone();
    // A panic ends its request alone. Where it happened is told on stderr.
    let fault = move |_: Box<dyn Any + Send>| {
        faults.metrics().panics.inc();
        faults.log().event("error", "panic", json!({}));
        Problem::fault().into_response()
    };
    Router::new()
        .merge(routes::routes())
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(CatchPanicLayer::custom(fault))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

async fn nothing(request: Request) -> Problem {
    let detail = format!("nothing is at `{:.200}`; /openapi.json lists what there is", request.uri().path());
    Problem::missing("route", detail)
}

async fn other_method(request: Request) -> Problem {
    let detail =
        format!("`{:.20}` is not answered here; /openapi.json says what is", request.method().as_str());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not answered here", detail)
}
