//! The page: what a browser shows at `/`.
//!
//! The server makes all of it; one small script asks for the same page again as soon as a slider moves. Everything is escaped by
//! the library that writes it, and the content security policy forbids what is not the server's own: no inline script or style,
//! no frame, no request elsewhere but for pictures where [`Pictures::Web`] allows them.

mod bars;
mod controls;
mod document;
mod find;
mod list;
mod look;
mod pictures;
mod question;
mod tile;
mod view;
mod words;

pub use pictures::Pictures;

use crate::app::App;
use crate::models::Served;
use crate::problem::Problem;
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use equipoise_recommend::{Answer, RecommendRequest};
use question::Question;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use view::{Named, View};

/// What the page may load, but for pictures.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; img-src ";

/// The routes of the page.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(page))
        .route("/page/picture", get(picture))
        .route("/page/style.css", get(|| file("text/css; charset=utf-8", include_str!("style.css"))))
        .route("/page/script.js", get(|| file("text/javascript; charset=utf-8", include_str!("script.js"))))
        .route("/page/icon.svg", get(|| file("image/svg+xml", include_str!("icon.svg"))))
}

async fn page(State(app): State<App>, RawQuery(query): RawQuery) -> Response<Body> {
    let policy = format!("{POLICY}{}", app.pictures().policy());
    // Scoring and searching take longer than a thread that serves others may be held up.
    let made = spawn_blocking(move || render(&app, query.as_deref().unwrap_or_default())).await;
    let (status, text) = made.unwrap_or_else(|_| {
        let problem = Problem::fault();
        (StatusCode::INTERNAL_SERVER_ERROR, document::fault(&problem.words()))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        // It may name users.
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    respond(status, headers, text.into())
}

/// The page of an address, and its status.
fn render(app: &App, query: &str) -> (StatusCode, String) {
    let question = match Question::parse(query) {
        Ok(question) => question,
        Err(error) => return (StatusCode::UNPROCESSABLE_ENTITY, document::fault(&error)),
    };
    let models = app.models();
    let named: Vec<Named> =
        models.all().iter().map(|served| Named { name: &served.source.name, model: &served.model }).collect();
    let ask = |named: Named, request: &RecommendRequest| -> Result<Answer, Problem> {
        let served: &Arc<Served> = models.get(named.name).expect("the page names models of the server");
        Handle::current().block_on(app.recommend(served, request.clone()))
    };
    match View::new(&named, &question, app.pictures(), &ask) {
        Ok(view) => (view.status(), document::page(&view)),
        Err(problem) => (problem.code(), document::fault(&problem.words())),
    }
}

/// A picture out of the folder, by the item whose picture it is: nothing else in the folder can be asked for.
async fn picture(State(app): State<App>, RawQuery(query): RawQuery) -> Response<Body> {
    let read = spawn_blocking(move || {
        let (mut model, mut item) = (None, None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "model" => model = Some(value.into_owned()),
                "item" => item = Some(value.into_owned()),
                _ => {}
            }
        }
        let models = app.models();
        let served = models.get(&model?)?;
        let row = served.model.vocabulary().item(&item?)?;
        app.pictures().read(served.model.infos().of(row)?.picture.as_deref()?)
    });
    match read.await.ok().flatten() {
        Some((kind, bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, kind.to_owned()),
                (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
            ];
            respond(StatusCode::OK, headers, bytes.into())
        }
        None => respond(StatusCode::NOT_FOUND, [], Body::empty()),
    }
}

async fn file(kind: &'static str, text: &'static str) -> Response<Body> {
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    respond(StatusCode::OK, headers, text.into())
}

/// A response that a browser must take for what it says it is.
fn respond<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, String); N],
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = HeaderValue::from_str(&value).expect("header values are written here");
        response.headers_mut().insert(name, value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
