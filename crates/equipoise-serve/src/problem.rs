//! Every error as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use equipoise_recommend::RecommendError;
use serde::Serialize;

/// Most characters of a message.
const LONGEST: usize = 600;

/// What is wrong with a request, or with the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
        self.field = Some(field.into());
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

    /// A field with a value that cannot be used.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field", "A field cannot be used", detail).at(field)
    }
}

impl From<RecommendError> for Problem {
    fn from(error: RecommendError) -> Problem {
        match &error {
            RecommendError::Field { field, problem } => Problem::field(field, problem),
            RecommendError::Unknown { kind, .. } => {
                let title = format!("No such {kind}");
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown", &title, error.to_string())
            }
            _ => Problem::fault(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code();
        let body = serde_json::to_vec(&self).expect("texts and numbers are JSON");
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}
