//! The page as the server sends it: lists, parts, links and forms, what is escaped, what it may load.

use crate::made;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use equipoise_serve::{App, ModelSource, Pictures, ServeOptions, router};
use made::{Made, describe};
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;
use tempfile::TempDir;
use tower::ServiceExt;

const MODALITIES: [(&str, usize); 2] = [("image", 6), ("text", 4)];

/// A server of models without a network.
struct Shop {
    dir: TempDir,
    models: Vec<ModelSource>,
    pictures: Pictures,
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Shop {
    /// Two models of 30 users and 50 items, `a` and `b`.
    fn new() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let mut models = Vec::new();
        for (name, seed) in [("a", 1), ("b", 2)] {
            let path = dir.path().join(name);
            Made { users: 30, items: 50, modalities: &MODALITIES, ids: 5, taken: 4, seed }
                .write(&path)
                .unwrap();
            models.push(ModelSource::new(name, path));
        }
        Shop { dir, models, pictures: Pictures::Off }
    }

    fn folder(&self) -> &Path {
        &self.models[0].path
    }

    fn router(&self) -> Router {
        let (models, pictures) = (self.models.clone(), self.pictures.clone());
        router(App::new(&ServeOptions { models, pictures, ..ServeOptions::default() }).unwrap())
    }

    async fn get(&self, address: &str) -> Page {
        let request = Request::get(address).body(Body::empty()).unwrap();
        let response = self.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        Page { status: parts.status, headers: parts.headers, text }
    }

    /// A page that must be there.
    async fn page(&self, query: &str) -> String {
        let page = self.get(&format!("/?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.text);
        page.text
    }
}

/// What stands between two texts, for each place where the first occurs.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).map(|rest| rest.split(to).next().unwrap()).collect()
}

/// The rows of the list: id, score, parts.
fn rows(page: &str) -> Vec<(String, f64, Vec<f64>)> {
    let number = |text: &str| text.parse::<f64>().unwrap();
    let row = |row: &&str| {
        let score = number(between(between(row, "class=\"score\"", "</span>")[0], "value=\"", "\"")[0]);
        let parts = between(row, "<ul class=\"parts\">", "</ul>");
        let parts = parts.first().map_or(Vec::new(), |parts| between(parts, "value=\"", "\""));
        (row.split('"').next().unwrap().to_owned(), score, parts.into_iter().map(number).collect())
    };
    between(page, "<li class=\"row\" data-id=\"", "<li class=\"row\"").iter().map(row).collect()
}

fn ids(page: &str) -> Vec<String> {
    rows(page).into_iter().map(|row| row.0).collect()
}

/// The addresses of all links, as a browser reads them.
fn links(page: &str) -> HashSet<String> {
    between(page, "href=\"", "\"").into_iter().map(|link| link.replace("&amp;", "&")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_add_up_to_the_score_under_any_weights() {
    let shop = Shop::new();
    for query in ["user=u3", "user=u3&weight.image=0&weight.text=2.5", "basket=i1&basket=i7&weight.text=0.5"]
    {
        let page = shop.page(query).await;
        let rows = rows(&page);
        assert_eq!(rows.len(), 10, "{query}");
        for (id, score, parts) in &rows {
            assert_eq!(parts.len(), 3, "ids, image and text of {id}");
            let sum: f64 = parts.iter().sum();
            assert!((sum - score).abs() < 1e-5, "{query}: {id}: {parts:?} make {sum}, not {score}");
        }
        assert!(rows.is_sorted_by(|a, b| a.1 >= b.1), "{query}");
        assert!(rows.iter().flat_map(|row| &row.2).any(|part| *part < 0.0), "no part takes from a score");
    }
    let silenced = shop.page("user=u3&weight.image=0").await;
    assert!(rows(&silenced).iter().all(|(_, _, parts)| parts[1] == 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silenced_modality_is_no_reason() {
    let shop = Shop::new();
    let named = |page: &str, class: &str| page.contains(&format!("<span class=\"by {class}\">"));
    let plain = shop.page("user=u3&n=50").await;
    assert!(named(&plain, "m0") && named(&plain, "m1"), "both modalities are reasons");
    let silenced = shop.page("user=u3&n=50&weight.image=0").await;
    assert!(!named(&silenced, "m0") && named(&silenced, "m1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_changes_the_order_and_the_page_says_from_where() {
    let shop = Shop::new();
    let (plain, silenced) = (shop.page("user=u3").await, shop.page("user=u3&weight.image=0").await);
    assert_ne!(ids(&plain), ids(&silenced));
    assert!(!plain.contains("class=\"moved"), "nothing moved");
    let places = ids(&shop.page("user=u3&n=50").await);
    for (row, now) in between(&silenced, "<li class=\"row\" data-id=\"", "class=\"parts\"").iter().zip(1..) {
        let id = row.split('"').next().unwrap();
        let then = places.iter().position(|other| other == id).unwrap() + 1;
        let said = row.contains(&format!("was {then}<"));
        assert_eq!(said, then != now, "{id} went from {then} to {now}: {row}");
    }
    assert!(links(&silenced).contains("?user=u3") && silenced.contains(">reset</a>"), "there is a way back");
    // The weights that the model has anyway move nothing.
    assert!(!shop.page("user=u3&weight.image=1&weight.text=1").await.contains("class=\"moved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_ids_and_titles_without_regard_to_accents_and_case() {
    let shop = Shop::new();
    describe(shop.folder(), &[("i4", json!({"title": "Crème brûlée"})), ("i5", json!({"title": "Bread"}))])
        .unwrap();
    let page = shop.page("q=CREME").await;
    assert!(page.contains("Crème brûlée") && links(&page).contains("?item=i4"), "{page}");
    assert!(!page.contains("Bread</a> <small>"));
    let page = shop.page("q=u2&n=20").await;
    assert!(links(&page).contains("?user=u2&n=20"), "the length goes along");
    assert!(page.contains("8 of 11"), "u2 and u20 to u29: the first eight are shown, all are counted");
    assert!(shop.page("q=nothing+of+that").await.contains("No user and no item has"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_is_filled_and_emptied_by_links_and_says_because_you_took() {
    let shop = Shop::new();
    let page = shop.page("basket=i1&basket=i2&weight.text=2").await;
    let links = links(&page);
    for link in ["?basket=i2&weight.text=2", "?basket=i1&weight.text=2", "?weight.text=2"] {
        assert!(links.contains(link), "{link}: {links:?}");
    }
    let first = &ids(&page)[0];
    assert!(links.contains(&format!("?basket=i1&basket=i2&basket={first}&weight.text=2")), "{links:?}");
    assert_eq!(page.matches("because you took").count(), 10);
    assert!(ids(&page).iter().all(|id| id != "i1" && id != "i2"), "what is in the basket is not recommended");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_forms_have_buttons_and_carry_the_rest_of_the_state_along() {
    let shop = Shop::new();
    let page = shop.page("basket=i1&item=i9&by=text&with=b&n=20&weight.image=0.5").await;
    let forms = between(&page, "<form", "</form>");
    assert_eq!(forms.len(), 2);
    for form in &forms {
        assert!(form.contains("method=\"get\"") && form.contains("<button type=\"submit\">"), "{form}");
        for field in
            ["name=\"basket\" value=\"i1\"", "name=\"item\" value=\"i9\"", "name=\"by\" value=\"text\""]
        {
            assert_eq!(form.matches(field).count(), 1, "{field}: {form}");
        }
    }
    let [search, settings] = forms[..] else { unreachable!() };
    for field in ["\"with\" value=\"b\"", "\"n\" value=\"20\"", "\"weight.image\" value=\"0.5\""] {
        assert!(search.contains(field), "{field}: {search}");
    }
    let hidden = between(settings, "type=\"hidden\"", ">");
    assert_eq!(hidden.len(), 3, "what the form shows it does not carry twice: {hidden:?}");
    // What a browser sends of a form, empty fields among it, is answered.
    assert_eq!(ids(&shop.page("q=&basket=i1&weight.image=0.5&weight.text=1&n=20&with=").await).len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_stand_side_by_side_with_what_they_share() {
    let shop = Shop::new();
    let page = shop.page("user=u3&with=b").await;
    let (first, second) = (ids(&shop.page("user=u3").await), ids(&shop.page("user=u3&model=b").await));
    assert_eq!(ids(&page), [first.clone(), second.clone()].concat());
    let both = first.iter().filter(|id| second.contains(id)).count();
    assert!(page.contains(&format!("{both} of 10 items are in both lists")), "{page}");
    assert_eq!(page.matches("elsewhere alone").count(), 2 * (10 - both));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_shows_what_is_like_it_by_each_modality_and_its_places() {
    let shop = Shop::new();
    describe(shop.folder(), &[("i9", json!({"title": "Kettle", "brand": "A", "category": ["x", "y"]}))])
        .unwrap();
    let whole = shop.page("item=i9&user=u3").await;
    assert!(whole.contains("<dt>category</dt><dd>x, y</dd>") && !whole.contains("<dt>title</dt>"), "{whole}");
    assert!(whole.contains("it stands at place") || whole.contains("they took it"), "{whole}");
    assert!(links(&whole).contains("?user=u3&item=i9&by=image"));
    let image = shop.page("item=i9&user=u3&by=image").await;
    let similar = |page: &str| {
        let list = between(page, "<ol class=\"similar", "</ol>")[0].to_owned();
        between(&list, "item=", "\"")
            .into_iter()
            .map(|link| link.split('&').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(similar(&whole).len(), 10);
    assert_ne!(similar(&whole), similar(&image));
    assert!(image.contains("aria-current=\"true\" class=\"m0\""), "the tab is marked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_said_with_a_status_and_what_to_do() {
    let shop = Shop::new();
    for (query, said) in [
        ("user=u99", "no user `u99`"),
        ("basket=i99", "no item `i99`"),
        ("item=i99", "no item `i99`"),
        ("item=i1&by=sound", "sound"),
        ("user=u1&weight.sound=1", "no modality `sound`"),
        ("user=u1&weight.image=-1", "expected a number from 0"),
        ("users=u1", "users: the page has no such field"),
        ("model=c", "the server has no model &quot;c&quot;, only a, b"),
        ("n=0", "n: 0, expected a number from 1 to 100"),
    ] {
        let page = shop.get(&format!("/?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(page.text.contains("role=\"alert\"") && page.text.contains(said), "{query}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_titles_and_attributes_are_text_whatever_they_hold() {
    let mut shop = Shop::new();
    let evil = r#"</title><script>alert(1)</script>"><img src=x onerror='alert(2)'>&lt;"#;
    let mut items: Vec<String> = (0..50).map(|row| format!("i{row}")).collect();
    items[7] = evil.to_owned();
    let mut users: Vec<String> = (0..30).map(|row| format!("u{row}")).collect();
    users[3] = evil.to_owned();
    let path = shop.dir.path().join("evil");
    Made { users: 30, items: 50, modalities: &[(evil, 3), ("text", 3)], ids: 3, taken: 4, seed: 5 }
        .write_named(&path, &users, &items)
        .unwrap();
    let object = json!({"title": evil, "picture": "javascript:alert(3)", "brand": evil});
    let mut described: Vec<(&str, serde_json::Value)> =
        items.iter().map(|id| (id.as_str(), object.clone())).collect();
    described[9].1[evil] = json!([evil]);
    describe(&path, &described).unwrap();
    shop.models.insert(0, ModelSource::new("c", path));
    shop.pictures = Pictures::Web;
    let typed: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    let queries = [
        format!("user={typed}&item={typed}&by={typed}&q=alert&weight.{typed}=0.5"),
        format!("basket={typed}&item=i9&with=a"),
        format!("q={typed}"),
        format!("user=x{typed}"),
        format!("{typed}=1"),
        format!("model={typed}"),
    ];
    for query in &queries {
        let page = shop.get(&format!("/?{query}")).await.text;
        assert_eq!(page.matches("<script").count(), 1, "only the page's own: {query}");
        assert!(!page.contains("<img") && !page.contains("javascript:"), "{query}");
        assert_eq!(page.matches("</title>").count(), 1, "{query}");
        assert!(tags(&page).is_subset(&known()), "{query}: {:?}", tags(&page));
    }
    let page = shop.page(&queries[0]).await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;"), "it is shown as it is");
}

/// The names of all tags.
fn tags(page: &str) -> HashSet<&str> {
    page.split('<').skip(1).map(|tag| tag.trim_start_matches('/').split([' ', '>']).next().unwrap()).collect()
}

fn known() -> HashSet<&'static str> {
    "!DOCTYPE html head meta title link script body header main footer section nav div p h1 h2 h3 ul ol li dl dt dd a span \
     small strong code data form fieldset legend label input button select option datalist output svg rect line"
        .split_whitespace()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_forbid_what_is_not_the_servers_own() {
    let mut shop = Shop::new();
    let policy = |page: &Page| page.headers["content-security-policy"].to_str().unwrap().to_owned();
    for query in ["", "user=u99", "no=field"] {
        let page = shop.get(&format!("/?{query}")).await;
        let policy = policy(&page);
        for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(policy.ends_with("img-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert_eq!(page.headers["cache-control"], "no-store");
        let inline = ["<style", " style=", " onclick", " oninput", "javascript:", "http://", "https://"];
        assert!(inline.iter().all(|text| !page.text.contains(text)), "{}", page.text);
    }
    for (file, kind) in
        [("style.css", "text/css"), ("script.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let page = shop.get(&format!("/page/{file}")).await;
        assert!(page.headers["content-type"].to_str().unwrap().starts_with(kind));
        assert!(shop.get("/").await.text.contains(&format!("\"page/{file}\"")), "{file} is used");
    }
    shop.pictures = Pictures::Web;
    assert!(policy(&shop.get("/").await).ends_with("img-src 'self' https: http:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_shown_only_from_where_they_may_come() {
    let mut shop = Shop::new();
    let png = b"\x89PNG\r\n\x1a\n";
    let folder = shop.dir.path().join("pictures");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("1.png"), png).unwrap();
    std::fs::write(shop.dir.path().join("secret.png"), png).unwrap();
    let web = "https://pictures.example/2.png";
    let pictures = [("i1", "1.png"), ("i2", web), ("i3", "../secret.png")];
    let described: Vec<_> = pictures.iter().map(|(id, picture)| (*id, json!({"picture": picture}))).collect();
    describe(shop.folder(), &described).unwrap();
    let basket = "basket=i1&basket=i2&basket=i3";
    assert!(!shop.page(basket).await.contains("<img"), "none unless it is said");
    shop.pictures = Pictures::parse(&folder.to_string_lossy()).unwrap();
    let page = shop.page(basket).await;
    assert!(page.contains("src=\"page/picture?model=a&amp;item=i1\"") && !page.contains(web), "{page}");
    for (query, status) in [
        ("model=a&item=i1", StatusCode::OK),
        ("model=a&item=i2", StatusCode::NOT_FOUND),
        ("model=a&item=i3", StatusCode::NOT_FOUND),
        ("model=a&item=1.png", StatusCode::NOT_FOUND),
        ("model=c&item=i1", StatusCode::NOT_FOUND),
        ("item=i1", StatusCode::NOT_FOUND),
        ("", StatusCode::NOT_FOUND),
    ] {
        let answer = shop.get(&format!("/page/picture?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    assert_eq!(shop.get("/page/picture?model=a&item=i1").await.headers["content-type"], "image/png");
    shop.pictures = Pictures::Web;
    let page = shop.page(basket).await;
    assert_eq!(page.matches("<img").count(), 1);
    assert!(page.contains(&format!("src=\"{web}\"")) && page.contains("referrerpolicy=\"no-referrer\""));
}

#[test]
fn the_colours_are_those_of_the_report() {
    let page = include_str!("../../src/page/style.css");
    let report = include_str!("../../../equipoise-report/src/html/style.css");
    let colours = |css: &str| -> Vec<String> {
        let before_print = css.split("@media print").next().unwrap();
        let lines = before_print.lines().filter(|line| line.trim_start().starts_with("--"));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    assert!(colours(report).len() >= 8);
    assert_eq!(colours(page), colours(report));
}
