//! The document around what the page shows.

use super::controls::{asker, found, search, settings};
use super::list::{heading, lists};
use super::look::look;
use super::question::Question;
use super::view::{Column, View};
use super::words::count;
use maud::{DOCTYPE, Markup, html};

/// The page of a view.
pub(crate) fn page(view: &View) -> String {
    let title = format!("{} · {}", heading(view), view.main.shown());
    let body = html! {
        (head(view))
        main {
            // What the script says aloud after it changed the page.
            p.unseen #said role="status" {}
            div.find { (search(view)) (found(view)) }
            div #trouble data-live { (trouble(view)) }
            div.desk {
                div.side { (asker(view)) (settings(view)) }
                div #answer data-live {
                    (look(view))
                    @if let Ok(columns) = &view.columns { (answer(view, columns)) }
                }
            }
        }
        (foot(view))
    };
    document(&title, &body)
}

fn answer(view: &View, columns: &[Column]) -> Markup {
    html! {
        section.answer {
            h2 { (heading(view)) }
            @if view.of_nobody() {
                p.note { "Nobody is asked for yet: the items that most users took in training." }
            } @else { (key(view)) }
            (lists(view, columns))
        }
    }
}

/// What could not be answered. It comes before all else, so that a reader of a small screen meets it.
fn trouble(view: &View) -> Markup {
    let problems = [view.columns.as_ref().err(), view.item.as_ref().and_then(|item| item.as_ref().err())];
    html! {
        @for problem in problems.into_iter().flatten() { p.fault role="alert" { (problem.words()) } }
    }
}

/// A page that says only what is wrong.
pub(crate) fn fault(text: &str) -> String {
    let body = html! {
        header { p.kicker { "Equipoise" } h1 { "This address cannot be answered" } }
        main {
            p.fault role="alert" { (text) }
            p { a href="?" { "To the beginning" } }
        }
    };
    document("This address cannot be answered", &body)
}

fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href="page/icon.svg";
                link rel="stylesheet" href="page/style.css";
                script src="page/script.js" defer {}
            }
            body { (body) }
        }
    };
    page.into_string()
}

fn head(view: &View) -> Markup {
    let tables = view.main.model.tables();
    let taken = tables.train().indices().len() + tables.validation().indices().len();
    html! {
        header.head {
            div {
                p.kicker { "Equipoise" }
                h1 { a href="?" { (view.main.shown()) } }
                @if view.models.len() > 1 { (models(view)) }
            }
            dl.facts {
                div { dt { "users" } dd { (count(tables.n_users())) } }
                div { dt { "items" } dd { (count(tables.n_items())) } }
                div { dt { "interactions" } dd { (count(taken)) } }
                div { dt { "modalities" } dd { (view.main.model.modalities().join(", ")) } }
                div { dt { "version" } dd { (view.main.model.name().version) } }
            }
        }
    }
}

/// The models of the server. Weights stay with the model that they were set for.
fn models(view: &View) -> Markup {
    let to = |name: &str| {
        let model = Some(name.to_owned());
        Question { model, with: None, weights: Default::default(), by: None, ..view.question.clone() }
    };
    html! {
        nav.tabs aria-label="Models" {
            @for named in view.models {
                a href=(to(named.name).address())
                    aria-current=[(named.name == view.main.name).then_some("true")] { (named.name) }
            }
        }
    }
}

/// What the colours of the bars mean.
fn key(view: &View) -> Markup {
    html! {
        ul.key {
            li { span.swatch.ids {} "ids" }
            @for (place, modality) in view.main.model.modalities().iter().enumerate() {
                li { span class=(format!("swatch m{}", place % 6)) {} (modality) }
            }
            li { span.swatch.tick {} "score" }
        }
    }
}

fn foot(view: &View) -> Markup {
    let fingerprint: String = view.main.model.name().fingerprint.chars().take(12).collect();
    html! {
        footer {
            "Equipoise " (env!("CARGO_PKG_VERSION")) " · data " span.id { (fingerprint) }
            " · the same as JSON: " code { "POST v1/recommend" }
        }
    }
}
