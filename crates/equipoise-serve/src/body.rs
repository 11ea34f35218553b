//! Reading bodies: JSON of a known shape, within limits of size and time.

use crate::app::App;
use crate::problem::Problem;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use equipoise_data::{closest, in_words};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use std::error::Error;

/// Most bytes of a body.
pub(crate) const LARGEST: usize = 1 << 20;

/// A body that was read.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Body<T>, Problem> {
        check_kind(request.headers())?;
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|bytes| bytes > LARGEST as u64) {
            return Err(too_large());
        }
        let bytes =
            tokio::time::timeout(app.options().read_timeout, to_bytes(request.into_body(), LARGEST)).await;
        let bytes = bytes.map_err(|_| slow())?.map_err(|error| {
            if is_too_large(&error) { too_large() } else { malformed("the body ended before its length") }
        })?;
        parse(&bytes).map(Body)
    }
}

fn check_kind(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    let detail = if found.is_empty() {
        "no `content-type`, expected application/json".to_owned()
    } else {
        format!("`content-type: {found:.100}`, expected application/json")
    };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", "The body is no JSON", detail))
}

/// Whether the limit of size, and not the connection, ended a body.
fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        source = error.source();
    }
    false
}

fn too_large() -> Problem {
    let detail = format!("more than {LARGEST} bytes; ask in several requests");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-size", "The body is too large", detail)
}

fn slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "timeout",
        "The request took too long",
        "the body did not come in time",
    )
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "json", "The body cannot be read", detail)
}

/// Reads a JSON object.
///
/// # Errors
/// What is no JSON; a field that is unknown, missing or of another type, with its place.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // The derived readers take a list for an object, its entries for the fields in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| told(".", &error, bytes))?;
        return Err(Problem::field("body", "a list, expected an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        told(&path, error.inner(), bytes)
    })?;
    reader.end().map_err(|error| told(".", &error, bytes))?;
    Ok(value)
}

fn told(path: &str, error: &serde_json::Error, bytes: &[u8]) -> Problem {
    let place = (!matches!(path, "." | "?")).then(|| path.to_owned());
    let whole = error.to_string();
    let text = short(&whole);
    let or_body = |place: Option<String>| place.unwrap_or_else(|| "body".to_owned());
    if error.classify() != Category::Data {
        // The library says so of JSON as well: of numbers and nesting beyond its range, and of another type where it expects a name.
        if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            return Problem::field(or_body(place), format!("not as it should be: {text}"));
        }
        let problem = malformed(format!("no JSON: {text}"));
        return place.into_iter().fold(problem, Problem::at);
    }
    let whole = in_words(&whole);
    let text = short(&whole);
    if let Some(unknown) = UnknownName::of(&whole) {
        return unknown.told(place, text);
    }
    let at_fault = whole.strip_prefix("missing field `").or_else(|| whole.strip_prefix("duplicate field `"));
    match at_fault.and_then(|rest| rest.split('`').next()) {
        Some(name) => {
            let place = place.map_or_else(|| name.to_owned(), |place| format!("{place}.{name}"));
            Problem::field(place, text)
        }
        None => Problem::field(or_body(place), text),
    }
}

/// A name in a body that is none of those that there are.
struct UnknownName<'a> {
    name: &'a str,
    known: Vec<&'a str>,
    /// Whether it is the name of a field, and not its value.
    is_field: bool,
}

impl<'a> UnknownName<'a> {
    /// Reads the message of the library.
    fn of(text: &'a str) -> Option<UnknownName<'a>> {
        let field = text.strip_prefix("unknown field `");
        let rest = field.or_else(|| text.strip_prefix("unknown variant `"))?;
        // The name may hold anything, what there is does not: so it is parted from behind.
        let (name, expected) = rest.rsplit_once("`, expected ")?;
        Some(UnknownName {
            name,
            known: expected.split('`').skip(1).step_by(2).collect(),
            is_field: field.is_some(),
        })
    }

    fn told(&self, place: Option<String>, text: String) -> Problem {
        let name = self.name;
        let place = match place {
            Some(place) if self.is_field && place != name && !place.ends_with(&format!(".{name}")) => {
                format!("{place}.{name}")
            }
            Some(place) => place,
            None => name.to_owned(),
        };
        Problem::field(place, text).meant(closest(name, self.known.iter().copied()))
    }
}

/// A message with at most 300 characters of what was found.
fn short(text: &str) -> String {
    if text.chars().count() <= 300 {
        return text.to_owned();
    }
    let cut: String = text.chars().take(300).collect();
    format!("{cut}...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::FeedbackRequest;
    use equipoise_recommend::RecommendRequest;

    fn problem<T: DeserializeOwned>(text: &str) -> Problem {
        match parse::<T>(text.as_bytes()) {
            Err(problem) => problem,
            Ok(_) => panic!("{text} is no problem"),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_was_meant() {
        for (text, status, field, suggestion) in [
            ("", 400, None, None),
            ("{", 400, None, None),
            (r#"{"users": ["a"]} x"#, 400, None, None),
            (r#"{"n": 1e999}"#, 422, Some("n"), None),
            (r#"{"n": NaN}"#, 400, Some("n"), None),
            (r#"{"modality_weights": {"image": 1e999}}"#, 422, Some("modality_weights.image"), None),
            ("[1]", 422, Some("body"), None),
            (r#"[["a"]]"#, 422, Some("body"), None),
            ("[1", 400, None, None),
            (r#"{"a`, expected `users": 1}"#, 422, Some("a`, expected `users"), None),
            (r#"{"users": ["a"], "users": ["b"]}"#, 422, Some("users"), None),
            (r#"{"filter": {"not": 5}}"#, 422, Some("filter.not"), None),
            (r#"{"users": ["\ud800"]}"#, 422, Some("users[0]"), None),
            (r#"{"user": ["a"]}"#, 422, Some("user"), Some("users")),
            (r#"{"users": "a"}"#, 422, Some("users"), None),
            (r#"{"users": ["a", 3]}"#, 422, Some("users[1]"), None),
            (r#"{"n": -1}"#, 422, Some("n"), None),
            (r#"{"n": 1.5}"#, 422, Some("n"), None),
            (
                r#"{"history": [["a", {"id": "b", "wieght": 2}]]}"#,
                422,
                Some("history[0][1].wieght"),
                Some("weight"),
            ),
            (r#"{"history": [["a", {"id": "b"}]]}"#, 422, Some("history[0][1].weight"), None),
            (r#"{"history": [["a", 7]]}"#, 422, Some("history[0][1]"), None),
            (r#"{"unknown": "popularty"}"#, 422, Some("unknown"), Some("popularity")),
            (r#"{"filter": {"equal": {}}}"#, 422, Some("filter"), Some("equals")),
            (r#"{"modality_weights": {"image": "much"}}"#, 422, Some("modality_weights.image"), None),
        ] {
            let found = problem::<RecommendRequest>(text);
            assert_eq!(found.status, status, "{text}: {found:?}");
            assert_eq!(found.field.as_deref(), field, "{text}: {found:?}");
            assert_eq!(found.suggestion.as_deref(), suggestion, "{text}: {found:?}");
        }
        let found = problem::<FeedbackRequest>(r#"{"events": [{"user": "a"}]}"#);
        assert_eq!(found.field.as_deref(), Some("events[0].item"), "{found:?}");
        let long = format!(r#"{{"users": "{}"}}"#, "x".repeat(100_000));
        assert!(problem::<RecommendRequest>(&long).detail.len() < 400);
        let named = format!(r#"{{"{0}": 1, "modality_weights": {{"{0}": "a"}}}}"#, "x".repeat(100_000));
        let found = problem::<RecommendRequest>(&named);
        assert!(found.field.is_some_and(|field| field.len() < 300) && found.suggestion.is_none());
        assert!(parse::<RecommendRequest>(br#"{"users": ["a"]}"#).is_ok());
    }
}
