//! Every error as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use equipoise_recommend::RecommendError;
use serde::Serialize;
use utoipa::ToSchema;

/// Most characters of a message.
const LONGEST: usize = 600;
/// Most characters of the place of a field, which may hold names that were made up.
const LONGEST_FIELD: usize = 200;

/// What is wrong with a request, or with the server.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem, as a path: `/problems/<kind>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What was found, what was expected and what to do.
    pub detail: String,
    /// The field of the request, such as `history[0][2].weight`, if one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem of this kind.
    pub(crate) fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Problem {
        let detail: String = detail.into();
        Problem {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.chars().take(LONGEST).collect(),
            field: None,
            suggestion: None,
        }
    }

    /// The same with a field.
    pub(crate) fn at(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into().chars().take(LONGEST_FIELD).collect());
        self
    }

    /// The field and what is wrong with it, as one sentence.
    pub(crate) fn words(&self) -> String {
        self.field.as_ref().map_or_else(|| self.detail.clone(), |field| format!("{field}: {}", self.detail))
    }

    /// The status of the answer.
    pub(crate) fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A fault of the server.
    pub(crate) fn fault() -> Problem {
        let detail = "a fault of the server, not of the request; its log says more";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", "Fault of the server", detail)
    }

    /// A full queue.
    pub(crate) fn busy() -> Problem {
        let detail = "more requests wait than the server takes; try again after the time in `retry-after`";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy", detail)
    }

    /// Work that took too long.
    pub(crate) fn late() -> Problem {
        let detail = "the answer took longer than the server waits; ask for less at once, or try again later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "late", "The answer took too long", detail)
    }

    /// Something that is not there, by a path.
    pub(crate) fn missing(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "missing", &format!("No such {kind}"), detail)
    }

    /// A request that cannot be read.
    pub(crate) fn bad(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "request", "The request cannot be read", detail)
    }

    /// The same where what is unknown stands in the path.
    pub(crate) fn not_found(self) -> Problem {
        Problem { status: StatusCode::NOT_FOUND.as_u16(), field: None, ..self }
    }

    /// The same with what was probably meant.
    pub(crate) fn meant(mut self, suggestion: Option<&str>) -> Problem {
        self.suggestion = suggestion.map(str::to_owned);
        self
    }

    /// A field with a value that cannot be used.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field", "A field cannot be used", detail).at(field)
    }
}

impl From<RecommendError> for Problem {
    fn from(error: RecommendError) -> Problem {
        match &error {
            RecommendError::Field { field, problem } => Problem::field(field, problem),
            RecommendError::Unknown { kind, field, hint, .. } => {
                let title = format!("No such {kind}");
                let problem =
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown", &title, error.to_string());
                let near = hint.strip_prefix(" (did you mean `").and_then(|rest| rest.strip_suffix("`?)"));
                field.iter().fold(problem, Problem::at).meant(near)
            }
            RecommendError::NoTables(_) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "tables",
                "The model lacks tables",
                error.to_string(),
            ),
            _ => Problem::fault(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code();
        let body = serde_json::to_vec(&self).expect("texts and numbers are JSON");
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            // A browser asks for it: any name, and the token as password.
            let ask = HeaderValue::from_static("Basic realm=\"equipoise\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        }
        if status == StatusCode::REQUEST_TIMEOUT {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
