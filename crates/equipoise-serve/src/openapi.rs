//! `GET /openapi.json`: what the routes take and give, made from the types themselves.

use crate::app::App;
use crate::problem::Problem;
use crate::routes::{explain, feedback, health, items, metrics, model, recommend, reload, similar, users};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::Bounds;
use serde_json::Value;
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
    Absent(#[to_schema] Problem),
    /// An id that is too long.
    #[response(status = 422, content_type = "application/problem+json")]
    Field(#[to_schema] Problem),
}

/// How a request without a body and a name is refused.
#[derive(IntoResponses)]
#[allow(dead_code)] // each variant is read by the derive alone
pub(crate) enum NoToken {
    /// No token, or another one.
    #[response(status = 401, content_type = "application/problem+json")]
    Token(#[to_schema] Problem),
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

/// The document: one that asks for a token where the server does.
pub(crate) async fn document(State(app): State<App>) -> Json<&'static Value> {
    static OPEN: OnceLock<Value> = OnceLock::new();
    static CLOSED: OnceLock<Value> = OnceLock::new();
    Json(match app.tokens() {
        None => OPEN.get_or_init(|| made(false)),
        Some(_) => CLOSED.get_or_init(|| made(true)),
    })
}

fn made(token: bool) -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("names and texts are JSON");
    without_examples(&mut document);
    // serde refuses a second condition in one object; the derive does not say so.
    for kind in document["components"]["schemas"]["Filter"]["oneOf"].as_array_mut().into_iter().flatten() {
        kind["additionalProperties"] = Value::Bool(false);
    }
    if !token {
        document.as_object_mut().and_then(|document| document.remove("security"));
        document["components"].as_object_mut().and_then(|parts| parts.remove("securitySchemes"));
        for operation in operations(&mut document) {
            operation.as_object_mut().and_then(|operation| operation.remove("security"));
            operation["responses"].as_object_mut().and_then(|responses| responses.remove("401"));
        }
    }
    document
}

/// The operations of all paths.
fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut())
}

/// Cuts the examples in Rust out of descriptions, which come from the documentation of types.
fn without_examples(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                text.truncate(text.find("\n\n```").unwrap_or(text.len()));
            }
            fields.values_mut().for_each(without_examples);
        }
        Value::Array(values) => values.iter_mut().for_each(without_examples),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document = made(true);
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.contains(&"#/components/schemas/Bounds"), "{found:?}");
        let nowhere: Vec<_> =
            found.iter().filter(|place| document.pointer(place.trim_start_matches('#')).is_none()).collect();
        assert!(nowhere.is_empty(), "{nowhere:?}");
    }

    #[test]
    fn a_token_is_asked_for_where_the_server_asks_for_one() {
        for token in [true, false] {
            let mut document = made(token);
            assert_eq!(document.get("security").is_some(), token);
            assert_eq!(document.pointer("/components/securitySchemes/token").is_some(), token);
            for operation in operations(&mut document) {
                let health = operation["operationId"] == "live" || operation["operationId"] == "ready";
                let refuses = operation["responses"].get("401").is_some();
                assert_eq!(refuses, token && !health, "{}", operation["operationId"]);
            }
        }
    }

    #[test]
    fn a_filter_is_one_condition() {
        let document = made(true);
        let kinds = document.pointer("/components/schemas/Filter/oneOf").and_then(Value::as_array).unwrap();
        assert_eq!(kinds.len(), 8);
        assert!(kinds.iter().all(|kind| kind["additionalProperties"] == false), "{kinds:?}");
    }

    #[test]
    fn no_description_holds_rust() {
        let text = made(true).to_string();
        assert!(text.contains("A condition on an item's attributes") && !text.contains("```"));
    }
}
