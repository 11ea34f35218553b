//! The list: one column for each model, a row for each item.

use super::bars::{Span, bar, legend};
use super::tile::tile;
use super::view::{Column, View};
use super::words::{colour, count, number};
use equipoise_recommend::{Because, ListItem, ServedModel};
use maud::{Markup, html};
use std::collections::HashMap;

/// The lists of a question.
pub(crate) fn lists(view: &View, columns: &[Column]) -> Markup {
    html! {
        p.status { (status(columns)) }
        @if columns.len() > 1 { p.note { (in_common(columns)) } }
        div class=(if columns.len() > 1 { "columns two" } else { "columns" }) {
            @for column in columns { (one(view, column, columns)) }
        }
    }
}

/// What the list is, as a heading.
pub(crate) fn heading(view: &View) -> String {
    match (&view.question.user, view.question.basket.len()) {
        (Some(user), _) => format!("For {user}"),
        (None, 0) => "What most have taken".to_owned(),
        (None, 1) => "For a basket of one item".to_owned(),
        (None, n) => format!("For a basket of {n} items"),
    }
}

fn status(columns: &[Column]) -> String {
    let of = |column: &Column| {
        let n = column.list.items.len();
        format!("{n} {} in {:.1} ms", if n == 1 { "item" } else { "items" }, column.took)
    };
    columns.iter().map(of).collect::<Vec<_>>().join(" · ")
}

fn in_common(columns: &[Column]) -> String {
    let (first, second) = (&columns[0], &columns[1]);
    let both = first.list.items.iter().filter(|item| place(second, &item.id).is_some()).count();
    format!(
        "{both} of {} items are in both lists. Scores of two models are not on one scale.",
        first.list.items.len()
    )
}

fn place(column: &Column, id: &str) -> Option<usize> {
    column.list.items.iter().position(|item| item.id == id).map(|place| place + 1)
}

fn one(view: &View, column: &Column, all: &[Column]) -> Markup {
    let span = Span::of(&column.list.items);
    let other = all.iter().find(|other| other.named.name != column.named.name);
    html! {
        section.column aria-label=(column.named.name) {
            @if all.len() > 1 { p.model { (column.named.name) } }
            @if !column.list.ignored.is_empty() {
                p.note { "This model does not know " (column.list.ignored.join(", ")) "." }
            }
            @if column.list.fallback.is_some() && !view.of_nobody() {
                p.note { "This model knows nothing of who asks: these are the most popular items." }
            }
            @if column.list.items.is_empty() { p.nothing { "No item is left." } }
            ol.list {
                @for (item, at) in column.list.items.iter().zip(1..) {
                    (row(view, column, item, (at, span, other)))
                }
            }
        }
    }
}

fn row(view: &View, column: &Column, item: &ListItem, place: (usize, Span, Option<&Column>)) -> Markup {
    let (model, (at, span, other)) = (column.named.model, place);
    html! {
        li.row data-id=(item.id) {
            span.place { (at) }
            (tile(view, column.named, &item.id))
            div.what {
                div.top {
                    h3 {
                        a href=(view.question.of_item(&item.id).address()) {
                            (item.title.as_deref().unwrap_or(&item.id))
                        }
                    }
                    (score(column, item))
                }
                p.beneath {
                    @if item.title.is_some() { span.id { (item.id) } }
                    @if let Some(before) = &column.before { (moved(before, &item.id, at)) }
                    @if let Some(other) = other { (elsewhere(other, &item.id)) }
                    (add(view, item))
                }
                @if !item.parts.is_empty() { (bar(model, item, span)) (legend(model, item)) }
                @if !item.because.is_empty() { (because(view, model, &item.because)) }
            }
        }
    }
}

fn score(column: &Column, item: &ListItem) -> Markup {
    html! {
        @if column.list.fallback.is_some() {
            span.score { data value=(item.score) { (count(item.score.max(0.0) as usize)) } " users" }
        } @else {
            span.score { data value=(item.score) { (number(f64::from(item.score))) } }
        }
    }
}

/// Where an item stood under the model's own weights.
fn moved(before: &HashMap<String, usize>, id: &str, now: usize) -> Markup {
    html! {
        @match before.get(id).copied() {
            Some(then) if then > now => span.moved.up { "▲ was " (then) },
            Some(then) if then < now => span.moved.down { "▼ was " (then) },
            Some(_) => {},
            None => span.moved.up { "▲ was not among the first " (before.len()) },
        }
    }
}

fn elsewhere(other: &Column, id: &str) -> Markup {
    html! {
        @match place(other, id) {
            Some(at) => span.elsewhere { "place " (at) " in " (other.named.name) },
            None => span.elsewhere.alone { "not in " (other.named.name) },
        }
    }
}

fn add(view: &View, item: &ListItem) -> Markup {
    let title = item.title.as_deref().unwrap_or(&item.id);
    html! {
        a.add href=(view.question.and(&item.id).address()) aria-label=(format!("Add {title} to the basket")) {
            "+ basket"
        }
    }
}

/// The items of the history that are most like this one, with the modality in which each is most like it. One that is silenced
/// had no say in the list, and is not named.
fn because(view: &View, model: &ServedModel, items: &[Because]) -> Markup {
    html! {
        p.because {
            "because you took "
            @for (place, item) in items.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(view.question.of_item(&item.id).address()) { (item.title.as_deref().unwrap_or(&item.id)) }
                @if let Some((modality, likeness)) = strongest(item, |modality| view.weight(model, modality) != 0.0) {
                    " " span class=(format!("by {}", colour(model, modality))) { (modality) "\u{a0}" (format!("{likeness:.2}")) }
                }
            }
        }
    }
}

fn strongest(item: &Because, heard: impl Fn(&str) -> bool) -> Option<(&str, f64)> {
    let by = item.by_modality.iter().filter(|(modality, likeness)| **likeness > 0.0 && heard(modality));
    let most = by.max_by(|a, b| a.1.total_cmp(b.1));
    most.map(|(modality, likeness)| (modality.as_str(), *likeness))
}
