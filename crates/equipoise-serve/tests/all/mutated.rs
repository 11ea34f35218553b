//! Requests that are nearly right: none ends in a fault of the server, and each refusal says what is wrong where.

use crate::mutants;
use crate::shop;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Uri};
use mutants::{Chance, Mutant};
use serde_json::{Value, json};
use shop::{Reply, Shop, get, metric, post, send, whole_problem};
use std::collections::BTreeMap;

/// Requests of each test; there are four.
const EACH: usize = 2_500;

/// What a refusal must hold.
fn check(mutant: &Mutant, reply: &Reply) {
    let status = reply.status.as_u16();
    assert!(status < 500, "{mutant:?}\n{}", reply.text());
    let path = mutant.path.split('?').next().unwrap();
    if status < 400 || mutant.method == "HEAD" || path == "/" || path == "/page/picture" {
        return;
    }
    let problem = whole_problem(reply);
    let was_json = serde_json::from_slice::<Value>(&mutant.body).is_ok();
    if was_json {
        assert!(status != 422 || problem["field"].is_string(), "no field: {problem}\n{mutant:?}");
        assert_ne!(problem["type"], "/problems/json", "{problem}\n{mutant:?}");
    }
}

async fn survive(seed: u64) {
    let shop = Shop::with_feedback(&["a", "b"]);
    let router: Router = shop.router();
    let mut chance = Chance(seed);
    let (mut statuses, mut sent) = (BTreeMap::<u16, usize>::new(), 0);
    while sent < EACH {
        let mutant = Mutant::new(&mut chance);
        // What no client can send is none.
        let Ok(uri) = mutant.path.parse::<Uri>() else { continue };
        let request = Request::builder()
            .method(mutant.method.as_str())
            .uri(uri)
            .header("content-type", mutant.kind.as_str());
        let reply = send(&router, request.body(Body::from(mutant.body.clone())).unwrap()).await;
        check(&mutant, &reply);
        *statuses.entry(reply.status.as_u16()).or_default() += 1;
        sent += 1;
    }
    // The mutants reach what they should: most kinds of refusal, and what is behind them.
    for status in [200, 400, 404, 405, 415, 422] {
        assert!(statuses.get(&status).is_some_and(|&n| n > 5), "{statuses:?}");
    }
    assert_eq!(metric(&router, "equipoise_panics_total").await, 0.0);
    assert_eq!(metric(&router, "equipoise_feedback_flush_faults_total").await, 0.0);
    post(&router, "/v1/recommend", &json!({"users": ["u1"]})).await.ok();
    get(&router, "/v1/items/i3").await.ok();
    drop(router);
    // What was kept of them can be read again.
    drop(shop.router());
}

#[tokio::test]
async fn the_first_quarter_of_mutated_requests_is_answered_in_order() {
    survive(1).await;
}

#[tokio::test]
async fn the_second_quarter_of_mutated_requests_is_answered_in_order() {
    survive(2).await;
}

#[tokio::test]
async fn the_third_quarter_of_mutated_requests_is_answered_in_order() {
    survive(3).await;
}

#[tokio::test]
async fn the_fourth_quarter_of_mutated_requests_is_answered_in_order() {
    survive(4).await;
}
