//! What every request passes: its id, the token, the clock.

use crate::app::App;
use crate::log::LogLevel;
use crate::metrics::{Answered, OfRoute};
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The header of a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a client.
const LONGEST_ID: usize = 128;

/// Lets a request pass to its route.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request_id(&request);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let path = app.options().log_ids.then(|| request.uri().path().to_owned());
    let mut response = match refused(&app, &route, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let seconds = start.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let metrics = app.metrics();
    metrics.requests.get_or_create(&Answered { route: route.clone(), status }).inc();
    metrics.seconds.get_or_create(&OfRoute { route: route.clone() }).observe(seconds);
    if app.log().takes(LogLevel::Requests) {
        app.log().request(|| {
            json!({"id": id.to_str().unwrap_or_default(), "method": method.as_str(), "route": route, "path": path,
                "status": status, "ms": seconds * 1e3})
        });
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Why a request may not pass. Health is for everyone.
fn refused(app: &App, route: &str, request: &Request) -> Option<Problem> {
    let tokens = app.tokens()?;
    let open = route.starts_with("/health/");
    let header = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if open || tokens.let_in(header) {
        return None;
    }
    let detail = "no token that the server knows; send `authorization: Bearer TOKEN`, or in a browser the token as password";
    Some(Problem::new(StatusCode::UNAUTHORIZED, "token", "A token is needed", detail))
}

/// The id that the client gave, or one of our own: the time and a number.
fn request_id(request: &Request) -> HeaderValue {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let given = request.headers().get(REQUEST_ID).filter(|id| {
        let bytes = id.as_bytes();
        !bytes.is_empty() && bytes.len() <= LONGEST_ID && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:x}-{number:x}", now.as_millis());
        HeaderValue::from_str(&id).expect("hexadecimal digits fit a header")
    })
}
