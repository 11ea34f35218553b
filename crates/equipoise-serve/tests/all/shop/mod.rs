//! A server of made-up models that is asked without a network.

pub(crate) use crate::made;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use equipoise_serve::{App, LogLevel, ModelSource, ServeOptions, router};
use made::{Made, describe};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tower::ServiceExt;

pub const MODALITIES: [(&str, usize); 2] = [("image", 6), ("text", 4)];
/// Width of a user's row over all blocks.
pub const WIDTH: usize = 15;
pub const USERS: usize = 30;
pub const ITEMS: usize = 50;

/// Models in a directory of their own, and how they are served.
pub struct Shop {
    pub dir: TempDir,
    pub options: ServeOptions,
}

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Shop {
    /// Models of 30 users and 50 items, each of another seed; the first knows titles, prices and categories of some items.
    pub fn new(names: &[&str]) -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let mut options = ServeOptions { log: LogLevel::Off, threads: Some(1), ..ServeOptions::default() };
        for (name, seed) in names.iter().zip(1..) {
            let path = dir.path().join(name);
            write(&path, seed);
            options.models.push(ModelSource::new(*name, path));
        }
        let shop = Shop { dir, options };
        let about = |k: usize| json!({"title": format!("Item {k}"), "price": k, "category": if k.is_multiple_of(2) { "even" } else { "odd" }});
        let items: Vec<(String, Value)> = (0..20).map(|k| (format!("i{k}"), about(k))).collect();
        let items: Vec<(&str, Value)> =
            items.iter().map(|(id, about)| (id.as_str(), about.clone())).collect();
        if !names.is_empty() {
            describe(shop.folder(), &items).unwrap();
        }
        shop
    }

    /// The same with a file of feedback, flushed every few milliseconds.
    pub fn with_feedback(names: &[&str]) -> Shop {
        let mut shop = Shop::new(names);
        shop.options.feedback = Some(shop.path("feedback.sqlite"));
        shop.options.flush_every = std::time::Duration::from_millis(5);
        shop
    }

    /// A path beside the models.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The directory of the first model.
    pub fn folder(&self) -> &Path {
        &self.options.models[0].path
    }

    pub fn app(&self) -> App {
        App::new(&self.options).unwrap()
    }

    pub fn router(&self) -> Router {
        router(self.app())
    }
}

/// Writes a model of the shop's shape.
pub fn write(path: &Path, seed: u64) {
    let made = Made { users: USERS, items: ITEMS, modalities: &MODALITIES, ids: 5, taken: 4, seed };
    made.write(path).unwrap();
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of an answer that must be one.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// The problem of an answer that must be one, whole, with this status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        whole_problem(self)
    }
}

/// The problem that an answer is; checks all that every one must have.
pub fn whole_problem(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.text());
    let problem = reply.json();
    let object = problem.as_object().unwrap();
    assert_eq!(problem["status"], reply.status.as_u16(), "{problem}");
    for field in ["type", "title", "detail"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
    }
    assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{problem}");
    let known = ["type", "title", "status", "detail", "field", "suggestion"];
    assert!(object.keys().all(|key| known.contains(&key.as_str())), "{problem}");
    assert!(reply.bytes.len() < 6000, "a short message: {problem}");
    problem
}

pub async fn send(router: &Router, request: Request<Body>) -> Reply {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Reply { status: parts.status, headers: parts.headers, bytes }
}

pub async fn get(router: &Router, path: &str) -> Reply {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Posts JSON.
pub async fn post(router: &Router, path: &str, body: &Value) -> Reply {
    post_text(router, path, body.to_string()).await
}

pub async fn post_text(router: &Router, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(path).header("content-type", "application/json");
    send(router, request.body(body.into()).unwrap()).await
}

/// The ids of a list of an answer.
pub fn ids(answer: &Value, list: usize) -> Vec<String> {
    let items = answer["lists"][list]["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The value of a line of the metrics, 0 if there is none.
pub async fn metric(router: &Router, line: &str) -> f64 {
    let text = get(router, "/metrics").await.text();
    let found = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().unwrap())
}
