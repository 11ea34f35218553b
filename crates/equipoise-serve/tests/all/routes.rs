//! Every route: what it answers, and how it refuses what it cannot.

use crate::shop;

use axum::body::Body;
use axum::http::Request;
use equipoise_recommend::{RecommendRequest, ServedModel};
use serde_json::{Value, json};
use shop::{ITEMS, MODALITIES, Shop, WIDTH, get, ids, metric, post, post_text, send};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn lists_are_those_of_the_library_for_users_baskets_and_vectors() {
    let shop = Shop::new(&["a", "b"]);
    let (router, model) = (shop.router(), ServedModel::open(shop.folder()).unwrap());
    for body in [
        json!({"users": ["u3", "u4", "u3"], "n": 5}),
        json!({"history": [["i3", {"id": "i7", "weight": 2}], ["i1"]], "explain": true}),
        json!({"vectors": [vec![0.5; WIDTH]], "n": 7, "offset": 2}),
        json!({"users": ["u1"], "modality_weights": {"image": 0}, "exclude": ["i1"], "exclude_seen": false, "n": 50}),
        json!({"users": ["u1"], "restrict": ["i1", "i2", "i2", "i9"], "diversity": 0.5}),
        json!({"users": ["u1"], "filter": {"and": [{"equals": {"category": "odd"}}, {"range": {"price": {"max": 10}}}]}}),
        json!({"users": ["nobody"], "unknown": "popularity"}),
    ] {
        let request: RecommendRequest = serde_json::from_value(body.clone()).unwrap();
        // By way of text, which writes numbers of 32 bits by fewer digits.
        let expected = serde_json::to_string(&model.answer(&request).unwrap().lists).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let answer = post(&router, "/v1/models/a/recommend", &body).await.ok();
        assert_eq!(answer["lists"], expected, "{body}");
        assert_eq!(answer["model"]["name"], "a");
        assert!(answer["took_ms"].is_number());
    }
}

#[tokio::test]
async fn what_a_request_for_lists_lacks_is_told_with_its_field() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let basket = |items: usize| vec!["i1"; items];
    for (body, field, suggestion) in [
        (json!({}), "users", None),
        (json!({"users": []}), "users", None),
        (json!({"users": ["u1"], "history": [["i1"]]}), "users", None),
        (json!({"users": ["u1"], "n": 0}), "n", None),
        (json!({"users": ["u1"], "n": 1001}), "n", None),
        (json!({"users": ["u1"], "n": u64::MAX}), "n", None),
        (json!({"users": ["u1"], "n": 10, "offset": u64::MAX}), "offset", None),
        (json!({"users": ["u1", "u2"], "offset": u64::MAX}), "n", None),
        (json!({"users": vec!["u1"; 201], "n": 1000}), "n", None),
        (json!({"users": vec!["u1"; 11], "n": 1000, "explain": true}), "n", None),
        (json!({"users": vec!["u1"; 1001]}), "users", None),
        (json!({"users": ["u1"], "exclude": vec!["i1"; 1001]}), "exclude", None),
        (json!({"users": ["u1"], "restrict": vec!["i1"; 1001]}), "restrict", None),
        (json!({"history": [basket(1001)]}), "history[0]", None),
        (json!({"history": vec![basket(1000); 11]}), "history", None),
        (json!({"users": ["u1", ""]}), "users[1]", None),
        (json!({"users": ["x".repeat(1001)]}), "users[0]", None),
        (json!({"history": [["x".repeat(1001)]]}), "history[0][0]", None),
        (json!({"users": ["u1", "u1x"]}), "users[1]", Some("u1")),
        (json!({"history": [["i1", "i2x"]]}), "history[0][1]", Some("i2")),
        (json!({"history": [[]]}), "history[0]", None),
        (json!({"history": [[{"id": "i1", "weight": 0}]]}), "history[0][0].weight", None),
        (json!({"history": [[{"id": "i1", "weight": -1}]]}), "history[0][0].weight", None),
        (json!({"history": [[{"id": "i1", "weight": 2e6}]]}), "history[0][0].weight", None),
        (json!({"history": [[{"id": "i1", "weihgt": 1}]]}), "history[0][0].weihgt", Some("weight")),
        (json!({"vectors": [[1.0]]}), "vectors[0]", None),
        (json!({"vectors": [vec![1e39; WIDTH]]}), "vectors[0][0]", None),
        (json!({"vectors": [vec![3e38; WIDTH]]}), "vectors", None),
        (json!({"vectors": [vec![Value::Null; WIDTH]]}), "vectors[0][0]", None),
        (json!({"users": ["u1"], "modality_weights": {"imgae": 1}}), "modality_weights.imgae", Some("image")),
        (json!({"users": ["u1"], "modality_weights": {"image": -0.5}}), "modality_weights.image", None),
        (json!({"users": ["u1"], "modality_weights": {"image": null}}), "modality_weights.image", None),
        (json!({"users": ["u1"], "diversity": 1.5}), "diversity", None),
        (json!({"users": ["u1"], "explain": "yes"}), "explain", None),
        (json!({"users": ["u1"], "unknown": "popular"}), "unknown", Some("popularity")),
        (json!({"user": ["u1"]}), "user", Some("users")),
        (json!({"users": ["u1"], "filter": {"equals": {"colour": "red"}}}), "filter", None),
        (json!({"users": ["u1"], "filter": {"range": {"price": {}}}}), "filter.range.price", None),
        (json!({"users": ["u1"], "filter": {"any_of": {"price": vec![1; 1001]}}}), "filter", None),
        (json!({"users": ["u1"], "exclude": ["i1", "i1x"]}), "exclude[1]", Some("i1")),
        (json!("users"), "body", None),
        (json!([["u1"]]), "body", None),
        (json!(null), "body", None),
    ] {
        for path in ["/v1/recommend", "/v1/models/a/recommend"] {
            let problem = post(&router, path, &body).await.problem(422);
            assert_eq!(problem["field"], field, "{body:.200} {problem}");
            assert_eq!(problem["suggestion"].as_str(), suggestion, "{body:.200} {problem}");
        }
    }
    for (text, status, field) in [
        (r#"{"users": ["u1"], "modality_weights": {"image": NaN}}"#, 400, Some("modality_weights.image")),
        (r#"{"users": ["u1"], "modality_weights": {"image": 1e999}}"#, 422, Some("modality_weights.image")),
        (r#"{"users": ["u1"]} {}"#, 400, None),
        ("", 400, None),
        ("\u{feff}{}", 400, None),
    ] {
        let problem = post_text(&router, "/v1/recommend", text).await.problem(status);
        assert_eq!(problem["field"].as_str(), field, "{text}");
    }
    let deep = |inner: &str| {
        format!(
            r#"{{"users": ["u1"], "filter": {}{inner}{}}}"#,
            r#"{"not":"#.repeat(50_000),
            "}".repeat(50_000)
        )
    };
    post_text(&router, "/v1/recommend", deep("")).await.problem(400);
    let problem = post_text(&router, "/v1/recommend", deep("5")).await.problem(422);
    assert!(problem["field"].as_str().unwrap().starts_with("filter.not.not"), "{problem}");
}

#[tokio::test]
async fn the_largest_requests_that_are_allowed_are_answered() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    for body in [
        json!({"users": vec!["u1"; 1000], "n": 200}),
        json!({"users": vec!["u1"; 10], "n": 1000, "explain": true}),
        json!({"users": ["u1"], "n": 1000, "offset": 1_000_000}),
        json!({"history": vec![vec!["i1"; 1000]; 10], "n": 1}),
        json!({"users": ["x".repeat(1000)], "unknown": "popularity"}),
        json!({"users": ["u1"], "exclude": vec!["i1"; 1000], "restrict": vec!["i2"; 1000]}),
    ] {
        post(&router, "/v1/recommend", &body).await.ok();
    }
    let padded = |bytes: usize| {
        let body = r#"{"users": ["u1"]}"#;
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    post_text(&router, "/v1/recommend", padded(1 << 20)).await.ok();
    let problem = post_text(&router, "/v1/recommend", padded((1 << 20) + 1)).await.problem(413);
    assert!(problem["detail"].as_str().unwrap().contains("1048576"), "{problem}");
}

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let ask = |kind: Option<&'static str>| {
        let mut request = Request::post("/v1/recommend");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        request.body(Body::from(r#"{"users": ["u1"]}"#)).unwrap()
    };
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"] {
        send(&router, ask(Some(kind))).await.ok();
    }
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json"), Some("")]
    {
        let problem = send(&router, ask(kind)).await.problem(415);
        assert!(problem["detail"].as_str().unwrap().contains("application/json"), "{problem}");
    }
}

#[tokio::test]
async fn similar_and_explain_answer_and_refuse_by_field() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let items = post(&router, "/v1/similar", &json!({"item": "i3", "n": 4, "modality": "text"})).await.ok();
    assert_eq!(items["items"].as_array().unwrap().len(), 4);
    let users = post(&router, "/v1/models/a/similar", &json!({"user": "u3", "n": 1000})).await.ok();
    assert_eq!(users["users"].as_array().unwrap().len(), shop::USERS - 1);
    for (body, field, suggestion) in [
        (json!({}), "item", None),
        (json!({"item": "i3", "user": "u3"}), "item", None),
        (json!({"item": "i3", "n": 0}), "n", None),
        (json!({"item": "i3", "n": 1001}), "n", None),
        (json!({"item": ""}), "item", None),
        (json!({"item": "x".repeat(1001)}), "item", None),
        (json!({"item": "i3x"}), "item", Some("i3")),
        (json!({"user": "u3x"}), "user", Some("u3")),
        (json!({"item": "i3", "modality": "txt"}), "modality", Some("text")),
        (json!({"user": "u3", "modality": "text"}), "modality", None),
        (json!({"items": "i3"}), "items", Some("item")),
        (json!({"item": 3}), "item", None),
    ] {
        let problem = post(&router, "/v1/similar", &body).await.problem(422);
        assert_eq!(problem["field"], field, "{body:.200} {problem}");
        assert_eq!(problem["suggestion"].as_str(), suggestion, "{body:.200} {problem}");
    }

    let explained = post(&router, "/v1/explain", &json!({"history": ["i1", "i2"], "item": "i3"})).await.ok();
    let parts: f64 = explained["parts"].as_object().unwrap().values().map(|v| v.as_f64().unwrap()).sum();
    assert!((parts - explained["score"].as_f64().unwrap()).abs() < 1e-5, "{explained}");
    assert_eq!(explained["rank_without"].as_object().unwrap().len(), MODALITIES.len());
    post(&router, "/v1/models/a/explain", &json!({"user": "u1", "item": "i3"})).await.ok();
    for (body, field) in [
        (json!({"item": "i3"}), "user"),
        (json!({"user": "u1", "history": ["i1"], "item": "i3"}), "user"),
        (json!({"user": "u1"}), "item"),
        (json!({"user": "u1", "item": ""}), "item"),
        (json!({"user": "u1", "item": "j3"}), "item"),
        (json!({"user": "nobody", "item": "i3"}), "user"),
        (json!({"history": [], "item": "i3"}), "history"),
        (json!({"history": ["j1"], "item": "i3"}), "history[0]"),
        (json!({"history": [["i1"]], "item": "i3"}), "history[0]"),
        (json!({"user": "u1", "item": "i3", "modality_weights": {"image": 101}}), "modality_weights.image"),
        (json!({"user": "u1", "item": "i3", "weights": {}}), "weights"),
    ] {
        let problem = post(&router, "/v1/explain", &body).await.problem(422);
        assert_eq!(problem["field"], field, "{body} {problem}");
    }
}

#[tokio::test]
async fn items_users_and_models_are_told_by_their_paths() {
    let shop = Shop::new(&["a", "b"]);
    let router = shop.router();
    let item = get(&router, "/v1/items/i3").await.ok();
    assert_eq!((&item["title"], &item["attributes"]["price"]), (&json!("Item 3"), &json!(3)));
    assert_eq!(get(&router, "/v1/models/b/items/i3").await.ok()["model"]["name"], "b");
    let model = ServedModel::open(shop.folder()).unwrap();
    let user = get(&router, "/v1/models/a/users/u3").await.ok();
    assert_eq!(user["trained"], true);
    assert_eq!(user["train"].as_array().unwrap().len(), model.tables().train().items_of(3).len());
    let models = get(&router, "/v1/model").await.ok();
    assert_eq!((&models["models"][0]["name"], &models["models"][1]["name"]), (&json!("a"), &json!("b")));
    let one = get(&router, "/v1/models/b").await.ok();
    assert_eq!((&one["items"], &one["weights"]), (&json!(ITEMS), &json!({"image": 1.0, "text": 1.0})));
    assert_eq!(models["models"][0]["attributes"], json!(["category", "price", "title"]));

    for (path, status, suggestion) in [
        ("/v1/items/i3x", 404, Some("i3")),
        ("/v1/users/u3x", 404, Some("u3")),
        ("/v1/models/aa", 404, Some("a")),
        ("/v1/models/c/items/i3", 404, None),
        ("/v1/models/c/users/u3", 404, None),
        ("/v1/items/", 404, None),
        ("/v1/items/%ff", 400, None),
        ("/v1/models/%ff/items/i3", 400, None),
        ("/v1", 404, None),
        ("/v1/recommend/", 404, None),
        ("/nothing", 404, None),
    ] {
        let problem = get(&router, path).await.problem(status);
        assert_eq!(problem["suggestion"].as_str(), suggestion, "{path} {problem}");
    }
    for path in ["/v1/items/", "/v1/users/"] {
        let problem = get(&router, &format!("{path}{}", "x".repeat(1001))).await.problem(422);
        assert_eq!(problem["field"], "id");
    }
}

#[tokio::test]
async fn ids_in_paths_may_hold_anything_that_is_escaped() {
    let mut shop = Shop::new(&[]);
    let odd = ["a/b", "ü ñ", "100%", "?q=1#x", "日本", "..", "a+b", "%2F"];
    let path = shop.path("odd");
    let all: Vec<String> = odd.iter().map(|id| (*id).to_owned()).collect();
    let made = shop::made::Made {
        users: odd.len(),
        items: odd.len(),
        modalities: &MODALITIES,
        ids: 5,
        taken: 2,
        seed: 1,
    };
    made.write_named(&path, &all, &all).unwrap();
    shop.options.models.push(equipoise_serve::ModelSource::new("odd", path));
    let router = shop.router();
    for id in odd {
        let escaped: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for side in ["items", "users"] {
            assert_eq!(get(&router, &format!("/v1/{side}/{escaped}")).await.ok()["id"], id);
            assert_eq!(get(&router, &format!("/v1/models/odd/{side}/{escaped}")).await.ok()["id"], id);
        }
    }
}

#[tokio::test]
async fn shares_of_the_traffic_are_kept_by_user() {
    let mut shop = Shop::new(&["a", "b", "c"]);
    shop.options.models[0].share = 3.0;
    shop.options.models[2].share = 0.0;
    let router = shop.router();
    let users: Vec<String> = (0..400).map(|k| format!("user {k}")).collect();
    let body = json!({"users": users, "unknown": "popularity", "n": 1});
    let name = |list: &Value| list["model"].as_str().unwrap().to_owned();
    let answer = post(&router, "/v1/recommend", &body).await.ok();
    let lists = answer["lists"].as_array().unwrap();
    assert_eq!(lists.iter().map(|l| l["user"].as_str().unwrap()).collect::<Vec<_>>(), users);
    let first: Vec<String> = lists.iter().map(name).collect();
    let counts = |model: &str| first.iter().filter(|name| *name == model).count();
    assert!((250..350).contains(&counts("a")) && counts("c") == 0, "{} {}", counts("a"), counts("b"));
    // Alone, in another order, by another server: a user stays with the model.
    let other = shop.router();
    for (user, model) in users.iter().zip(&first).step_by(37) {
        let one = json!({"users": [user, "user 0"], "unknown": "popularity", "n": 1});
        assert_eq!(name(&post(&other, "/v1/recommend", &one).await.ok()["lists"][0]), *model);
    }
    // The other routes follow, and a fault has its place in the request of all.
    let of_model = |model: &str| {
        (0..30).map(|k| format!("u{k}")).find(|u| {
            let sources = &shop.options.models;
            equipoise_serve::Models::open(sources).unwrap().of_user(u).source.name == model
        })
    };
    for model in ["a", "b"] {
        let user = of_model(model).unwrap();
        for (path, body) in
            [("/v1/similar", json!({"user": user})), ("/v1/explain", json!({"user": user, "item": "i1"}))]
        {
            let alone = post(&router, &format!("/v1/models/{model}{}", &path[3..]), &body).await.ok();
            let any = post(&router, path, &body).await.ok();
            let bare = |mut v: Value| {
                v["took_ms"] = Value::Null;
                v
            };
            assert_eq!(bare(any), bare(alone));
        }
        assert_eq!(get(&router, &format!("/v1/users/{user}")).await.ok()["model"]["name"], model);
    }
    let users: Vec<String> = (0..30).map(|k| format!("u{k}")).chain(["nobody".to_owned()]).collect();
    let problem = post(&router, "/v1/recommend", &json!({"users": users})).await.problem(422);
    assert_eq!(problem["field"], "users[30]");
    // Baskets have no user: the first model answers, and who is named answers for itself whatever its share.
    assert_eq!(
        post(&router, "/v1/recommend", &json!({"history": [["i1"]]})).await.ok()["model"]["name"],
        "a"
    );
    assert_eq!(
        post(&router, "/v1/models/c/recommend", &json!({"users": ["u1"]})).await.ok()["model"]["name"],
        "c"
    );
}

#[tokio::test]
async fn models_share_a_request_only_by_names_and_shares_that_make_sense() {
    for (names, shares) in [
        (vec!["a", "a"], vec![1.0, 1.0]),
        (vec!["a b"], vec![1.0]),
        (vec![".a"], vec![1.0]),
        (vec![""], vec![1.0]),
        (vec!["a", "b"], vec![0.0, 0.0]),
        (vec!["a"], vec![-1.0]),
        (vec!["a"], vec![f64::NAN]),
        (vec!["a"], vec![f64::INFINITY]),
    ] {
        let shop = Shop::new(&["a"]);
        let mut options = shop.options.clone();
        let source = |(name, share): (&&str, &f64)| equipoise_serve::ModelSource {
            name: (*name).to_owned(),
            path: shop.folder().to_owned(),
            share: *share,
        };
        options.models = names.iter().zip(&shares).map(source).collect();
        let error =
            equipoise_serve::App::new(&options).err().unwrap_or_else(|| panic!("{names:?} {shares:?}"));
        assert!(error.is_input(), "{error}");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_there_are() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    for (path, method, allowed) in [
        ("/v1/recommend", "GET", "POST"),
        ("/v1/feedback", "PUT", "POST"),
        ("/v1/items/i3", "POST", "GET"),
        ("/v1/models/a", "DELETE", "GET"),
        ("/admin/reload", "GET", "POST"),
        ("/health/live", "POST", "GET"),
        ("/", "POST", "GET"),
    ] {
        let reply =
            send(&router, Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        reply.problem(405);
        let allow = reply.header("allow").unwrap_or_default();
        assert!(allow.split(',').any(|one| one.trim() == allowed), "{path}: {allow}");
    }
    // HEAD is answered as GET is, without the body.
    for (path, status) in
        [("/v1/items/i3", 200), ("/health/live", 200), ("/v1/items/none", 404), ("/none", 404)]
    {
        let reply = send(&router, Request::head(path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, status, "{path}");
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_but_to_the_health() {
    let mut shop = Shop::new(&["a"]);
    let file = shop.path("token");
    std::fs::write(&file, "0123456789abcdef\nfedcba9876543210\n").unwrap();
    shop.options.token_file = Some(file);
    let router = shop.router();
    let ask = |method: &str, path: &str, token: Option<&str>| {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        request.body(Body::from(r#"{"users": ["u1"]}"#)).unwrap()
    };
    for (method, path) in [
        ("POST", "/v1/recommend"),
        ("POST", "/v1/models/a/recommend"),
        ("POST", "/admin/reload"),
        ("POST", "/v1/feedback"),
        ("GET", "/v1/model"),
        ("GET", "/v1/users/u1"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/"),
        ("GET", "/page/style.css"),
        ("GET", "/nothing"),
        ("GET", "/v1/recommend"),
        ("GET", "/health"),
        ("GET", "/health/../metrics"),
        ("GET", "//health/live"),
    ] {
        for token in [None, Some("Bearer 0123456789abcdeF"), Some("0123456789abcdef"), Some("Bearer")] {
            let reply = send(&router, ask(method, path, token)).await;
            reply.problem(401);
            assert!(reply.header("www-authenticate").is_some());
        }
    }
    for token in ["Bearer 0123456789abcdef", "Bearer fedcba9876543210", "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg=="]
    {
        send(&router, ask("POST", "/v1/recommend", Some(token))).await.ok();
    }
    get(&router, "/health/live").await.ok();
    get(&router, "/health/ready").await.problem(503);
}

#[tokio::test]
async fn request_ids_are_echoed_and_made_where_there_is_none() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let ask =
        |id: &str| Request::get("/v1/items/none").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(send(&router, ask("abc-1:2")).await.header("x-request-id"), Some("abc-1:2"));
    let long = "x".repeat(129);
    for bad in [long.as_str(), "", "with a blank"] {
        let made = send(&router, ask(bad)).await;
        let made = made.header("x-request-id").unwrap();
        assert!(!made.is_empty() && made != bad, "{made}");
    }
    let (first, second) = (get(&router, "/health/live").await, get(&router, "/health/live").await);
    assert_ne!(first.header("x-request-id").unwrap(), second.header("x-request-id").unwrap());
}

#[tokio::test]
async fn other_origins_are_granted_nothing() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    for method in ["GET", "OPTIONS"] {
        let request = Request::builder()
            .method(method)
            .uri("/v1/model")
            .header("origin", "https://elsewhere.example")
            .header("access-control-request-method", "GET");
        let reply = send(&router, request.body(Body::empty()).unwrap()).await;
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn metrics_count_by_the_pattern_of_the_route() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    for id in ["i1", "i2", "none"] {
        get(&router, &format!("/v1/items/{id}")).await;
    }
    get(&router, "/no/such/thing").await;
    post(&router, "/v1/recommend", &json!({"users": ["u1", "nobody"], "unknown": "popularity"})).await.ok();
    for (line, value) in [
        (r#"equipoise_http_requests_total{route="/v1/items/{id}",status="200"}"#, 2.0),
        (r#"equipoise_http_requests_total{route="/v1/items/{id}",status="404"}"#, 1.0),
        (r#"equipoise_http_requests_total{route="none",status="404"}"#, 1.0),
        (r#"equipoise_http_request_seconds_count{route="/v1/items/{id}"}"#, 3.0),
        (r#"equipoise_lists_total{model="a"}"#, 2.0),
        (r#"equipoise_fallbacks_total{model="a"}"#, 1.0),
        ("equipoise_panics_total", 0.0),
        ("equipoise_refused_requests_total", 0.0),
    ] {
        assert_eq!(metric(&router, line).await, value, "{line}");
    }
    let reply = get(&router, "/metrics").await;
    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(reply.text().ends_with("# EOF\n") && !reply.text().contains("i1"));
}

/// The routes of the programming interface with their methods, as the router's own text has them.
fn routes() -> BTreeSet<(String, String)> {
    let text = include_str!("../../src/routes/mod.rs");
    let of = |rest: &str| {
        let (path, rest) = rest.split_once("\", ").unwrap();
        (path.to_owned(), rest.split('(').next().unwrap().to_owned())
    };
    text.split(".route(\"").skip(1).map(of).collect()
}

#[tokio::test]
async fn the_document_names_every_route_and_nothing_else() {
    let shop = Shop::new(&["a"]);
    let document = get(&shop.router(), "/openapi.json").await.ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
        })
        .collect();
    let mut routes = routes();
    assert!(routes.remove(&("/openapi.json".into(), "get".into())), "the document itself is no part of it");
    assert!(routes.len() > 15);
    assert_eq!(documented, routes);
    // Each is answered by the router, and each schema that is named is there.
    let router = shop.router();
    for (path, method) in &documented {
        let path = path.replace("{name}", "a").replace("{id}", "none");
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
        let reply = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_ne!(reply.status, 405, "{path}");
        assert!(!reply.text().contains("No such route"), "{path}");
    }
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    // What a refusal really is stands there as well; this server asks for no token.
    let statuses: BTreeMap<&str, bool> = ["400", "404", "413", "415", "422", "503"]
        .into_iter()
        .map(|status| (status, paths["/v1/recommend"]["post"]["responses"][status].is_object()))
        .collect();
    assert!(statuses.values().all(|there| *there), "{statuses:?}");
    assert!(paths["/v1/recommend"]["post"]["responses"]["401"].is_null());
}

#[tokio::test]
async fn a_list_is_shorter_where_less_is_left() {
    let shop = Shop::new(&["a"]);
    let router = shop.router();
    let answer = post(&router, "/v1/recommend", &json!({"users": ["u1"], "n": 1000, "exclude_seen": false}))
        .await
        .ok();
    assert_eq!(ids(&answer, 0).len(), ITEMS);
    let answer = post(&router, "/v1/recommend", &json!({"users": ["u1"], "offset": 1_000_000})).await.ok();
    assert!(ids(&answer, 0).is_empty());
    let answer = post(&router, "/v1/recommend", &json!({"users": ["u1"], "restrict": []})).await.ok();
    assert!(ids(&answer, 0).is_empty());
}
