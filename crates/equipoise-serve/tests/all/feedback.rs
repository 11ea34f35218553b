//! Feedback: heeded at once, kept once, there again after an end, given back as a table.

use crate::shop;

use axum::Router;
use equipoise_serve::{App, export};
use serde_json::{Value, json};
use shop::{Shop, get, ids, metric, post};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Sends events that must be taken.
async fn give(router: &Router, events: Value) -> Value {
    post(router, "/v1/feedback", &json!({"events": events, "durable": true})).await.ok()
}

/// The list of a user.
async fn list(router: &Router, user: &str) -> Value {
    post(router, "/v1/recommend", &json!({"users": [user], "n": 50})).await.ok()["lists"][0].clone()
}

fn names(list: &Value) -> Vec<String> {
    ids(&json!({"lists": [list]}), 0)
}

fn scores(list: &Value) -> Vec<(String, f64)> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|i| (i["id"].as_str().unwrap().to_owned(), i["score"].as_f64().unwrap())).collect()
}

#[tokio::test]
async fn lists_heed_what_a_user_did_at_once() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    let before = list(&router, "u1").await;
    let (first, second) = (&names(&before)[0], &names(&before)[1]);

    // Seen and not liked: it is left out, and nothing else moves by a bit.
    give(&router, json!([{"user": "u1", "item": first, "weight": 0}])).await;
    let seen = list(&router, "u1").await;
    assert_eq!(scores(&seen), scores(&before)[1..]);

    // Liked: it is left out as well, and the user's row moves.
    give(&router, json!([{"user": "u1", "item": second, "weight": 3}])).await;
    let liked = list(&router, "u1").await;
    assert!(!names(&liked).contains(second) && names(&liked).len() == names(&seen).len() - 1);
    assert_ne!(scores(&liked)[..5], scores(&seen)[1..6]);
    let all =
        post(&router, "/v1/recommend", &json!({"users": ["u1"], "n": 50, "exclude_seen": false})).await.ok();
    assert_eq!(ids(&all, 0).len(), shop::ITEMS);

    // Others are as they were, and an explanation knows as much as a list.
    assert_eq!(list(&router, "u2").await, list(&shop_without(&shop), "u2").await);
    let explained = post(&router, "/v1/explain", &json!({"user": "u1", "item": names(&liked)[0]})).await.ok();
    assert_eq!(explained["rank"], 1);
    let user = get(&router, "/v1/users/u1").await.ok();
    assert_eq!(user["feedback"], json!([first, second]));
}

/// The same models without feedback.
fn shop_without(shop: &Shop) -> Router {
    let options = equipoise_serve::ServeOptions { feedback: None, ..shop.options.clone() };
    equipoise_serve::router(App::new(&options).unwrap())
}

#[tokio::test]
async fn a_stranger_with_feedback_is_served_as_one_with_that_basket() {
    let shop = Shop::with_feedback(&["a", "b"]);
    let router = shop.router();
    let ask = json!({"users": ["new"]});
    assert_eq!(post(&router, "/v1/models/a/recommend", &ask).await.problem(422)["field"], "users[0]");
    get(&router, "/v1/users/new").await.problem(404);
    // Nothing that was liked, or only what no model knows, is no basket.
    give(&router, json!([{"user": "new", "item": "i1", "weight": 0}, {"user": "new", "item": "elsewhere"}]))
        .await;
    post(&router, "/v1/models/a/recommend", &ask).await.problem(422);
    let popular = json!({"users": ["new"], "unknown": "popularity", "n": 50});
    let popular = post(&router, "/v1/models/a/recommend", &popular).await.ok();
    assert_eq!(popular["lists"][0]["fallback"], "popularity");
    assert!(!ids(&popular, 0).contains(&"i1".to_owned()));

    give(&router, json!([{"user": "new", "item": "i3"}, {"user": "new", "item": "i7", "weight": 2}])).await;
    let basket = json!({"history": [["i3", {"id": "i7", "weight": 2}]], "exclude": ["i1"]});
    for model in ["a", "b"] {
        let path = format!("/v1/models/{model}/recommend");
        let found = post(&router, &path, &ask).await.ok();
        let expected = post(&router, &path, &basket).await.ok();
        assert_eq!(found["lists"][0]["items"], expected["lists"][0]["items"]);
        assert!(found["lists"][0]["fallback"].is_null());
    }
    let user = get(&router, "/v1/models/a/users/new").await.ok();
    assert_eq!(
        (&user["trained"], &user["feedback"]),
        (&json!(false), &json!(["i1", "elsewhere", "i3", "i7"]))
    );
}

#[tokio::test]
async fn what_was_taken_is_there_again_after_an_end() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    // Taken without a wait: an end in good order writes it.
    let events = json!([{"user": "u1", "item": "i3", "id": "x"}, {"user": "né", "item": "i4", "weight": 2}]);
    let taken = post(&router, "/v1/feedback", &json!({"events": events})).await.ok();
    assert_eq!(taken, json!({"taken": 2, "repeated": 0, "durable": false}));
    let before = [list(&router, "u1").await, list(&router, "né").await];
    drop(router);
    let router = shop.router();
    assert_eq!([list(&router, "u1").await, list(&router, "né").await], before);
    assert_eq!(give(&router, json!([{"user": "u1", "item": "i9", "id": "x"}])).await["repeated"], 1);
}

#[tokio::test]
async fn of_events_with_one_id_the_first_is_kept_in_memory_and_in_the_file() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    let click = json!({"user": "u1", "item": "i3", "weight": 5, "id": "click"});
    let taken =
        give(&router, json!([click, {"user": "u1", "item": "i3", "weight": 0, "id": "away"}, click])).await;
    assert_eq!(taken, json!({"taken": 2, "repeated": 1, "durable": true}));
    let known = list(&router, "u1").await;
    // Sent again after an answer that was lost: what came later still counts.
    assert_eq!(give(&router, json!([click])).await, json!({"taken": 0, "repeated": 1, "durable": true}));
    let other = json!({"user": "u2", "item": "i5", "id": "click"});
    assert_eq!(give(&router, json!([other])).await["taken"], 0);
    assert_eq!(list(&router, "u1").await, known);
    assert_eq!(get(&router, "/v1/users/u2").await.ok()["feedback"], json!([]));
    assert_eq!(metric(&router, "equipoise_feedback_events_total").await, 2.0);
    drop(router);
    assert_eq!(list(&shop.router(), "u1").await, known);
    // Events without an id are kept as often as they come.
    let router = shop.router();
    let plain = json!({"user": "u1", "item": "i3"});
    assert_eq!(give(&router, json!([plain, plain])).await["taken"], 2);
    drop(router);
    assert_eq!(rows(&shop, "all.csv", true).len(), 4);
}

#[tokio::test]
async fn one_event_by_many_at_once_is_kept_once() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    let send = |k: usize| {
        let router = router.clone();
        let events = json!([{"user": "u1", "item": format!("i{k}"), "id": "one"}, {"user": "u1", "item": format!("i{k}"), "weight": k % 3}]);
        tokio::spawn(async move { give(&router, events).await["taken"].as_u64().unwrap() })
    };
    let mut taken = 0;
    for sent in (0..40).map(send).collect::<Vec<_>>() {
        taken += sent.await.unwrap();
    }
    assert_eq!(taken, 41);
    let before = list(&router, "u1").await;
    drop(router);
    assert_eq!(list(&shop.router(), "u1").await, before);
}

#[tokio::test]
async fn an_event_that_cannot_be_kept_is_refused_by_its_field() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    let event = |field: &str, value: Value| {
        let mut event = json!({"user": "u1", "item": "i1"});
        event[field] = value;
        json!({"events": [{"user": "u1", "item": "i2"}, event]})
    };
    for (body, field, suggestion) in [
        (json!({}), "events", None),
        (json!({"events": []}), "events", None),
        (json!({"events": {}}), "events", None),
        (json!({"events": [["u1", "i1", "click", 1.0]]}), "events[0]", None),
        (json!({"events": vec![json!({"user": "u1", "item": "i1"}); 1001]}), "events", None),
        (json!({"event": []}), "event", Some("events")),
        (json!({"events": [{"user": "u1"}]}), "events[0].item", None),
        (event("user", json!("")), "events[1].user", None),
        (event("user", json!(7)), "events[1].user", None),
        (event("item", json!("x".repeat(1001))), "events[1].item", None),
        (event("item", json!("a\u{0}b")), "events[1].item", None),
        (event("kind", json!("")), "events[1].kind", None),
        (event("kind", json!("x".repeat(51))), "events[1].kind", None),
        (event("weight", json!(-0.1)), "events[1].weight", None),
        (event("weight", json!(1000.1)), "events[1].weight", None),
        (event("weight", json!(null)), "events[1].weight", None),
        (event("time", json!(-1)), "events[1].time", None),
        (event("time", json!("now")), "events[1].time", None),
        (event("time", json!(253_402_300_800_u64)), "events[1].time", None),
        (event("id", json!("")), "events[1].id", None),
        (event("wieght", json!(1)), "events[1].wieght", Some("weight")),
        (json!({"events": [{"user": "u1", "item": "i1"}], "durable": 1}), "durable", None),
    ] {
        let problem = post(&router, "/v1/feedback", &body).await.problem(422);
        assert_eq!(problem["field"], field, "{body:.200} {problem}");
        assert_eq!(problem["suggestion"].as_str(), suggestion, "{body:.200} {problem}");
    }
    // None of a request is kept if one of its events is refused.
    assert_eq!(get(&router, "/v1/users/u1").await.ok()["feedback"], json!([]));
    let largest = json!({"user": "u".repeat(1000), "item": "é".repeat(500), "kind": "é".repeat(50), "weight": 1000,
        "time": 253_402_300_799_u64, "id": "x".repeat(1000)});
    give(&router, json!([largest, {"user": "u1", "item": "i1", "time": 0, "weight": 0}])).await;

    let without = shop_without(&shop);
    post(&without, "/v1/feedback", &json!({"events": [{"user": "u1", "item": "i1"}]})).await.problem(404);
}

#[test]
fn a_file_that_is_none_of_feedback_or_is_in_use_is_refused_by_name() {
    let mut shop = Shop::with_feedback(&["a"]);
    let file = shop.options.feedback.clone().unwrap();
    let first = shop.app();
    let refused = |shop: &Shop| App::new(&shop.options).err().expect("it is refused");
    let error = refused(&shop).to_string();
    assert!(error.contains("feedback.sqlite: process ") && error.contains("at work"), "{error}");
    drop(first);
    drop(shop.app());

    std::fs::write(&file, "not a database at all, but long enough to look like something").unwrap();
    let error = refused(&shop);
    assert!(error.is_input() && error.to_string().contains("feedback.sqlite"), "{error}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("not a database"), "it was not touched");
    let folder = shop.path("a");
    shop.options.feedback = Some(folder.clone());
    let error = refused(&shop);
    assert!(error.is_input() && error.to_string().contains(folder.to_str().unwrap()), "{error}");
    // A database of something else.
    let other = shop.path("other.sqlite");
    let made = rusqlite::Connection::open(&other).unwrap();
    made.execute_batch("CREATE TABLE orders (number INTEGER)").unwrap();
    shop.options.feedback = Some(other);
    let error = refused(&shop);
    assert!(error.is_input() && error.to_string().contains("other.sqlite"), "{error}");
    // Feedback of another version.
    let newer = shop.path("newer.sqlite");
    shop.options.feedback = Some(newer.clone());
    drop(shop.app());
    let made = rusqlite::Connection::open(&newer).unwrap();
    made.pragma_update(None, "user_version", 2).unwrap();
    drop(made);
    let error = refused(&shop);
    assert!(error.is_input() && error.to_string().contains("version 2"), "{error}");
}

/// The rows of an export.
fn rows(shop: &Shop, name: &str, all: bool) -> Vec<Vec<String>> {
    let out = shop.path(name);
    export(shop.options.feedback.as_ref().unwrap(), &out, all).unwrap();
    csv_rows(&out)
}

fn csv_rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["user_id", "item_id", "rating", "timestamp", "kind"]);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn an_export_has_each_event_in_its_order_also_while_the_server_runs() {
    let shop = Shop::with_feedback(&["a"]);
    let router = shop.router();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let start = now();
    give(
        &router,
        json!([
            {"user": "u1", "item": "i\"1, \n2", "time": 12.5, "kind": "purchase", "weight": 2.5},
            {"user": "ü", "item": "i2"},
            {"user": "u1", "item": "i3", "weight": 0},
        ]),
    )
    .await;
    let end = now();
    let all = rows(&shop, "all.csv", true);
    assert_eq!(all[0], ["u1", "i\"1, \n2", "2.5", "12.5", "purchase"]);
    assert_eq!((&all[1][..3], all[1][4].as_str()), (&["ü", "i2", "1"].map(str::to_owned)[..], "interaction"));
    let time: f64 = all[1][3].parse().unwrap();
    assert!((start - 0.001..=end + 0.001).contains(&time), "{start} {time} {end}");
    assert_eq!((all.len(), all[2][2].as_str()), (3, "0"));
    let liked = rows(&shop, "liked.csv", false);
    assert_eq!(liked, all[..2]);

    let file = shop.options.feedback.as_ref().unwrap();
    let exported = export(file, &shop.path("liked.parquet"), false).unwrap();
    assert_eq!((exported.rows, exported.left_out), (2, 1));
    for wrong in ["table.txt", "table"] {
        assert!(export(file, &shop.path(wrong), false).unwrap_err().is_input());
    }
    assert!(export(&shop.path("none"), &shop.path("a.csv"), false).unwrap_err().is_input());
    assert!(!shop.path("none").exists() && !shop.path("a.csv").exists());
}
