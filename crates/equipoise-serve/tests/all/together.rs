//! Requests that are scored together: each has the answer that it has alone, and no more wait than there is room for.

use crate::shop;

use serde_json::{Value, json};
use shop::{Reply, Shop, get, metric, post};
use std::collections::BTreeSet;

/// Requests of every kind, each of another answer.
fn requests() -> Vec<Value> {
    let mut all: Vec<Value> = (0..24).map(|k| json!({"users": [format!("u{k}")], "n": 3 + k})).collect();
    all.extend((0..8).map(
        |k| json!({"users": [format!("u{k}"), "u9"], "modality_weights": {"image": 0.25 * f64::from(k)}}),
    ));
    all.extend((0..8).map(|k| json!({"history": [[format!("i{k}"), "i40"], ["i2"]], "explain": k % 2 == 0})));
    all.extend((0..4).map(|k| json!({"vectors": [vec![0.1 * f64::from(k + 1); shop::WIDTH]], "offset": k})));
    all.extend(
        (0..4)
            .map(|k| json!({"users": [format!("u{k}")], "diversity": 0.3, "restrict": ["i1", "i2", "i30"]})),
    );
    all.push(json!({"users": ["nobody"]}));
    all.push(json!({"users": ["nobody"], "unknown": "popularity"}));
    all.push(json!({"users": ["u1"], "n": 0}));
    all.push(json!({"vectors": [vec![3e38; shop::WIDTH]]}));
    all
}

/// What an answer says, without the time that it took.
fn said(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    if let Some(object) = body.as_object_mut() {
        object.remove("took_ms");
    }
    (reply.status.as_u16(), body)
}

#[tokio::test]
async fn a_request_has_the_same_answer_in_any_company() {
    let shop = Shop::new(&["a", "b"]);
    let router = shop.router();
    let requests = requests();
    let mut alone = Vec::new();
    for body in &requests {
        alone.push(said(&post(&router, "/v1/recommend", body).await));
    }
    let largest = r#"equipoise_batch_requests_bucket{le="1.0"}"#;
    let mut met = false;
    // Which requests meet is up to the threads: again, until some have.
    for round in 0..50 {
        let ask = |k: usize| {
            let (router, body) = (router.clone(), requests[k].clone());
            (k, tokio::spawn(async move { post(&router, "/v1/recommend", &body).await }))
        };
        let order = (0..requests.len()).map(|k| (k * 7 + round) % requests.len());
        for (k, reply) in order.map(ask).collect::<Vec<_>>() {
            assert_eq!(said(&reply.await.unwrap()), alone[k], "{}", requests[k]);
        }
        let (all, single) =
            (metric(&router, "equipoise_batch_requests_count").await, metric(&router, largest).await);
        met |= all > single;
        if met && round > 3 {
            break;
        }
    }
    assert!(met, "no two requests were scored together: {}", get(&router, "/metrics").await.text());
    assert_eq!(metric(&router, "equipoise_panics_total").await, 0.0);
}

#[tokio::test]
async fn a_full_queue_answers_503_with_a_time_to_try_again() {
    let mut shop = Shop::new(&["a"]);
    shop.options.queue = 1;
    let router = shop.router();
    for (path, body) in [
        ("/v1/recommend", json!({"users": ["u1"]})),
        ("/v1/recommend", json!({"users": vec!["u1"; 100]})),
        ("/v1/similar", json!({"item": "i1"})),
        ("/v1/explain", json!({"user": "u1", "item": "i1"})),
    ] {
        let mut statuses = BTreeSet::new();
        for _ in 0..50 {
            let ask = |_| {
                let (router, body) = (router.clone(), body.clone());
                tokio::spawn(async move { post(&router, path, &body).await })
            };
            for reply in (0..40).map(ask).collect::<Vec<_>>() {
                let reply = reply.await.unwrap();
                statuses.insert(reply.status.as_u16());
                if reply.status != 200 {
                    assert_eq!(reply.problem(503)["type"], "/problems/busy");
                    assert_eq!(reply.header("retry-after"), Some("1"));
                }
            }
            if statuses.len() == 2 {
                break;
            }
        }
        assert_eq!(statuses, BTreeSet::from([200, 503]), "{path}");
        // Room again once they are answered.
        post(&router, path, &body).await.ok();
    }
    assert!(metric(&router, "equipoise_refused_requests_total").await > 0.0);
    assert_eq!(metric(&router, r#"equipoise_queued_requests{queue="short"}"#).await, 0.0);
}
