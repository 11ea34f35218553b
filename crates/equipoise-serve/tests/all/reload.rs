//! Other versions of models while requests go on.

use crate::shop;

use axum::Router;
use equipoise_jobs::StopFlag;
use equipoise_serve::Server;
use serde_json::{Value, json};
use shop::{Shop, get, metric, post, write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Puts a model of another seed in the place of one, whole, as whoever changes a model in use must.
fn exchange(path: &Path, seed: u64) {
    let new = path.with_extension("new");
    write(&new, seed);
    let old = path.with_extension("old");
    std::fs::rename(path, &old).unwrap();
    std::fs::rename(&new, path).unwrap();
    std::fs::remove_dir_all(old).unwrap();
}

async fn version(router: &Router, model: &str) -> String {
    get(router, &format!("/v1/models/{model}")).await.ok()["version"].as_str().unwrap().to_owned()
}

async fn lists(router: &Router, model: &str) -> Value {
    let body = json!({"users": ["u1", "u2"], "n": 5});
    post(router, &format!("/v1/models/{model}/recommend"), &body).await.ok()["lists"].clone()
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_its_model_alone() {
    let shop = Shop::new(&["a", "b"]);
    let router = shop.router();
    let before = (lists(&router, "a").await, lists(&router, "b").await, version(&router, "a").await);
    let same = post(&router, "/admin/reload", &json!(null)).await.ok();
    assert_eq!(same["models"][0], json!({"name": "a", "version": before.2, "changed": false}));
    exchange(shop.folder(), 7);
    assert_eq!(lists(&router, "a").await, before.0, "nothing changes before it is asked for");
    let told = post(&router, "/admin/reload/a", &json!(null)).await.ok();
    assert_eq!((&told["models"][0]["changed"], told["models"].as_array().unwrap().len()), (&json!(true), 1));
    assert_eq!(told["models"][0]["version"], version(&router, "a").await);
    assert_ne!(version(&router, "a").await, before.2);
    assert_ne!(lists(&router, "a").await, before.0);
    assert_eq!(lists(&router, "b").await, before.1);
    let line = |version: &str| format!(r#"equipoise_model_version{{model="a",version="{version}"}}"#);
    assert_eq!(metric(&router, &line(&version(&router, "a").await)).await, 1.0);
    assert_eq!(metric(&router, &line(&before.2)).await, 0.0);
    let problem = post(&router, "/admin/reload/aa", &json!(null)).await.problem(404);
    assert_eq!(problem["suggestion"], "a");
}

#[tokio::test]
async fn a_model_that_cannot_be_used_is_refused_and_the_one_before_goes_on() {
    let shop = Shop::new(&["a", "b"]);
    let router = shop.router();
    let before = (lists(&router, "a").await, version(&router, "a").await);
    for (file, text) in [
        ("tables.safetensors", "no tables"),
        ("vocabulary.json", "{}"),
        ("serving.json", "{\"version\": 99}"),
    ] {
        exchange(shop.folder(), 7);
        // A file of its own: what is in use is mapped.
        std::fs::write(shop.path("part"), text).unwrap();
        std::fs::rename(shop.path("part"), shop.folder().join(file)).unwrap();
        for path in ["/admin/reload", "/admin/reload/a"] {
            let reply = post(&router, path, &json!(null)).await;
            assert_eq!(reply.status, 409, "{file}: {}", reply.text());
            let told = reply.json()["models"][0].clone();
            assert_eq!((&told["changed"], &told["version"]), (&json!(false), &json!(before.1)));
            assert!(told["refused"].as_str().unwrap().contains(file), "{told}");
        }
        assert_eq!((lists(&router, "a").await, version(&router, "a").await), before);
    }
    std::fs::remove_dir_all(shop.folder()).unwrap();
    assert_eq!(post(&router, "/admin/reload/a", &json!(null)).await.status, 409);
    assert_eq!(lists(&router, "a").await, before.0);
    let refused = r#"equipoise_reloads_total{model="a",outcome="Refused"}"#;
    assert_eq!(metric(&router, refused).await, 7.0);
    write(shop.folder(), 8);
    post(&router, "/admin/reload", &json!(null)).await.ok();
    assert_ne!(lists(&router, "a").await, before.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_end_with_one_version_or_the_other() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let mut known = vec![(version(&router, "a").await, lists(&router, "a").await)];
    let asking = |router: Router| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..150 {
                let answer =
                    post(&router, "/v1/recommend", &json!({"users": ["u1", "u2"], "n": 5})).await.ok();
                seen.push((answer["model"]["version"].as_str().unwrap().to_owned(), answer["lists"].clone()));
            }
            seen
        })
    };
    let asked: Vec<_> = (0..3).map(|_| asking(router.clone())).collect();
    for seed in 11..15 {
        exchange(shop.folder(), seed);
        post(&router, "/admin/reload", &json!(null)).await.ok();
        known.push((version(&router, "a").await, lists(&router, "a").await));
    }
    for seen in asked {
        assert!(seen.await.unwrap().iter().all(|answer| known.contains(answer)));
    }
}

#[test]
fn changed_files_are_noticed_and_what_was_refused_is_tried_again_when_it_changes() {
    let mut shop = Shop::with_feedback(&["a"]);
    shop.options.watch = Some(Duration::from_millis(20));
    shop.options.bind = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(&shop.options).unwrap();
    let app = server.app().clone();
    let version = || app.models().first().model.name().version.clone();
    let wait = |what: &str, until: &dyn Fn() -> bool| {
        for _ in 0..1500 {
            if until() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what} did not happen within 15 seconds");
    };
    let stop = Arc::new(StopFlag::default());
    let running = std::thread::spawn({
        let stop = stop.clone();
        move || server.run(&stop)
    });
    wait("warming", &|| app.is_ready());
    let first = version();
    exchange(shop.folder(), 7);
    wait("a reload", &|| version() != first);
    let second = version();
    let broken = shop.path("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("tables.safetensors"), "no tables").unwrap();
    std::fs::rename(shop.folder(), shop.path("good")).unwrap();
    std::fs::rename(&broken, shop.folder()).unwrap();
    let reloads = |outcome: &str| {
        let line = format!(r#"equipoise_reloads_total{{model="a",outcome="{outcome}"}}"#);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(metric(&equipoise_serve::router(app.clone()), &line))
    };
    wait("a refusal", &|| reloads("Refused") > 0.0);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!((reloads("Refused"), version()), (1.0, second.clone()));
    exchange(shop.folder(), 8);
    wait("a third version", &|| version() != second);
    stop.raise();
    running.join().unwrap().unwrap();
}
