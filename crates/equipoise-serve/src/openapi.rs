//! `GET /openapi.json`: what the routes take and give, made from the types themselves.

use crate::problem::Problem;
use crate::routes::{explain, feedback, health, items, metrics, model, recommend, reload, similar, users};
use axum::Json;
use equipoise_recommend::Bounds;
use std::sync::OnceLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

/// How a request with a body is refused.
#[derive(IntoResponses)]
#[allow(dead_code)] // each variant is read by the derive alone
pub(crate) enum Refusals {
    /// The body is no JSON, or ended before its length.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(#[to_schema] Problem),
    /// No token, or another one.
    #[response(status = 401, content_type = "application/problem+json")]
    Token(#[to_schema] Problem),
    /// No such model, or no feedback is kept.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(#[to_schema] Problem),
    /// The body did not come in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(#[to_schema] Problem),
    /// The body has more than 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(#[to_schema] Problem),
    /// The body is not said to be JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    Kind(#[to_schema] Problem),
    /// A field that cannot be used, which is named.
    #[response(status = 422, content_type = "application/problem+json")]
    Field(#[to_schema] Problem),
    /// More requests wait than the server takes; `retry-after` says when to try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(#[to_schema] Problem),
}

/// How a request for something by its path is refused.
#[derive(IntoResponses)]
#[allow(dead_code)] // each variant is read by the derive alone
pub(crate) enum Missing {
    /// A path that is no text.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(#[to_schema] Problem),
    /// No token, or another one.
    #[response(status = 401, content_type = "application/problem+json")]
    Token(#[to_schema] Problem),
    /// There is none.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(#[to_schema] Problem),
    /// An id that is too long.
    #[response(status = 422, content_type = "application/problem+json")]
    Field(#[to_schema] Problem),
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Equipoise", description = "Recommendations of multimodal models, with the part of each modality."),
    paths(
        recommend::any, recommend::named, similar::any, similar::named, explain::any, explain::named, feedback::take,
        items::any, items::named, users::any, users::named, model::all, model::named, health::live, health::ready,
        metrics::text, reload::all, reload::named
    ),
    // A filter holds filters, so that what it holds is not found by itself.
    components(schemas(Bounds)),
    modifiers(&Token),
    security(("token" = [])),
    tags((name = "lists", description = "Lists and their reasons"), (name = "feedback", description = "What users did"),
        (name = "data", description = "What is known"), (name = "operation", description = "For whoever runs the server"))
)]
struct Document;

/// The token that a server may ask for.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The document.
pub(crate) async fn document() -> Json<&'static utoipa::openapi::OpenApi> {
    static MADE: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();
    Json(MADE.get_or_init(Document::openapi))
}
