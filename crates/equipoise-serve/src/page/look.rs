//! A closer look at one item: what is known of it, why a user gets it, and what is like it by each modality.

use super::question::Question;
use super::tile::tile;
use super::view::{Look, View};
use super::words::{colour, number, title};
use equipoise_recommend::{Explanation, ListItem};
use maud::{Markup, html};
use serde_json::Value;

/// Attributes that are shown, and characters of each.
const SHOWN: (usize, usize) = (8, 120);

/// The item that is looked at, if any.
pub(crate) fn look(view: &View) -> Markup {
    let away = Question { item: None, by: None, ..view.question.clone() };
    html! {
        @match &view.item {
            None | Some(Err(_)) => {},
            Some(Ok(look)) => section.look #item aria-labelledby="item-title" {
                (head(view, look, &away))
                @if let Some(explained) = &look.explained { (why(view, explained)) }
                (similar(view, look))
            },
        }
    }
}

fn head(view: &View, look: &Look, away: &Question) -> Markup {
    let id = &view.main.model.vocabulary().items()[look.row as usize];
    html! {
        div.look-head {
            (tile(view, view.main, id))
            div {
                h2 #item-title { (title(view.main.model, look.row)) }
                p.beneath { span.id { (id) } }
                (attributes(view, look.row))
            }
            p.actions {
                a.button href=(view.question.and(id).address()) { "Add to basket" }
                a.button href=(away.address()) { "Close" }
            }
        }
    }
}

fn attributes(view: &View, row: u32) -> Markup {
    let all = view.main.model.infos().of(row).map(|info| &info.attributes);
    let rest = all.into_iter().flatten().filter(|(name, _)| *name != "title" && *name != "picture");
    let rest: Vec<(&String, String)> = rest.take(SHOWN.0).map(|(name, value)| (name, words(value))).collect();
    html! {
        @if !rest.is_empty() {
            dl.facts {
                @for (name, value) in rest { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// A value as words: a text as it is, a list with commas.
fn words(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN.1) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The place of the item for the user, and what it would be without each modality.
fn why(view: &View, explained: &Explanation) -> Markup {
    let place = |rank: Option<usize>| rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
    html! {
        p.why {
            "For " strong { (explained.user.as_deref().unwrap_or_default()) }
            @if explained.rank.is_none() { " it is in no list: they took it." } @else {
                " it stands at place " strong { (place(explained.rank)) } "; "
                @for (at, modality) in view.main.model.modalities().iter().enumerate() {
                    @if at > 0 { ", " }
                    "without " span class=(format!("by {}", colour(view.main.model, modality))) { (modality) } " at "
                    (place(explained.rank_without.get(modality).copied().flatten()))
                }
                "."
            }
        }
    }
}

fn similar(view: &View, look: &Look) -> Markup {
    let by = view.question.by.as_deref();
    let choices = [None].into_iter().chain(view.main.model.modalities().iter().map(|m| Some(m.as_str())));
    html! {
        h3 { "Similar items" }
        nav.tabs aria-label="Similar by" {
            @for choice in choices {
                a href=(view.question.by(choice).address()) aria-current=[(choice == by).then_some("true")]
                    class=[choice.map(|modality| colour(view.main.model, modality))] {
                    (choice.unwrap_or("whole model"))
                }
            }
        }
        ol class={ "similar " (by.map(|modality| colour(view.main.model, modality)).unwrap_or_default()) } {
            @for item in &look.similar { (near(view, item)) }
        }
    }
}

fn near(view: &View, item: &ListItem) -> Markup {
    let length = format!("{:.1}%", 100.0 * f64::from(item.score).clamp(0.0, 1.0));
    html! {
        li {
            (tile(view, view.main, &item.id))
            span.name {
                a href=(view.question.of_item(&item.id).address()) { (item.title.as_deref().unwrap_or(&item.id)) }
                svg.parts-bar width="100%" height="6" aria-hidden="true" {
                    rect.track width="100%" height="4" y="1" rx="2" {}
                    rect.part width=(length) height="4" y="1" rx="2" {}
                }
            }
            data.number value=(item.score) { (number(f64::from(item.score))) }
        }
    }
}
