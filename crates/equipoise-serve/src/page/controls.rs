//! What the reader sets: the search, who gets the list, the weights of the modalities, a second model. Two plain forms: without
//! script each has a button, and what one does not show it carries along.

use super::question::{LENGTHS, Question, weight_field};
use super::tile::tile;
use super::view::{View, own_weights};
use super::words::{colour, count, title, weight};
use equipoise_recommend::LARGEST_WEIGHT;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Items of a history that are shown, so that the sliders beneath stay in sight.
const SHOWN: usize = 6;
/// Users whom the page names where nobody is asked for.
const EXAMPLES: usize = 6;
/// A slider ends here, unless a weight is larger.
const SLIDER_END: f64 = 3.0;

/// Fields that a form carries along without showing them.
fn carried(question: &Question, shown: impl Fn(&str) -> bool) -> Markup {
    html! {
        @for (name, value) in question.fields().iter().filter(|(name, _)| !shown(name)) {
            input type="hidden" name=(name) value=(value);
        }
    }
}

/// The field to search by.
pub(crate) fn search(view: &View) -> Markup {
    html! {
        form.search #search role="search" method="get" {
            label for="q" { "Find a user or an item" }
            div.field {
                input #q type="search" name="q" value=(view.question.search) placeholder="id or title"
                    autocomplete="off" spellcheck="false" maxlength="200";
                button type="submit" { "Search" }
            }
            div.carried #carried-by-search data-live { (carried(view.question, |name| name == "q")) }
        }
    }
}

/// What was found.
pub(crate) fn found(view: &View) -> Markup {
    html! {
        div #found data-live aria-live="polite" {
            @if let Some(found) = &view.found {
                @if found.all_users + found.all_items == 0 {
                    p.nothing { "No user and no item has “" (view.question.search) "” in its id or title." }
                }
                @if found.all_users > 0 { (found_users(view, &found.users, found.all_users)) }
                @if found.all_items > 0 { (found_items(view, &found.items, found.all_items)) }
            }
        }
    }
}

fn of_all(shown: usize, all: usize) -> String {
    if shown < all { format!("{shown} of {}", count(all)) } else { count(all) }
}

fn found_users(view: &View, users: &[u32], all: usize) -> Markup {
    let ids = view.main.model.vocabulary().users();
    html! {
        section.found {
            h2.minor { "Users " small { (of_all(users.len(), all)) } }
            ul.chips {
                @for id in users.iter().map(|&row| &ids[row as usize]) {
                    li { a.chip href=(view.question.of_user(id).address()) { (id) } }
                }
            }
        }
    }
}

fn found_items(view: &View, items: &[u32], all: usize) -> Markup {
    let model = view.main.model;
    html! {
        section.found {
            h2.minor { "Items " small { (of_all(items.len(), all)) } }
            ul.finds {
                @for &row in items {
                    @let id = &model.vocabulary().items()[row as usize];
                    li {
                        (tile(view, view.main, id))
                        span.name {
                            a href=(view.question.of_item(id).address()) { (title(model, row)) }
                            " " small { (id) }
                        }
                        a.add href=(view.question.and(id).address())
                            aria-label=(format!("Add {} to the basket", title(model, row))) { "+ basket" }
                    }
                }
            }
        }
    }
}

/// Who gets the list: a user with what they have met, a basket, or nobody yet.
pub(crate) fn asker(view: &View) -> Markup {
    html! {
        section.asker #asker data-live {
            @match &view.question.user {
                Some(user) => (of_user(view, user)),
                None if view.question.basket.is_empty() => (nobody(view)),
                None => (basket(view)),
            }
        }
    }
}

fn of_user(view: &View, user: &str) -> Markup {
    let n = view.history.len();
    // A line that says "and one more" takes as much room as the one.
    let shown = if n == SHOWN + 1 { n } else { n.min(SHOWN) };
    html! {
        h2 { "User " (user) }
        p.note {
            @if view.main.model.vocabulary().user(user).is_none() { "This model does not know them." }
            @else if n == 1 { "took one item" }
            @else { "took " (count(n)) " items" }
        }
        ul.taken {
            @for &row in view.history.iter().take(shown) {
                @let id = &view.main.model.vocabulary().items()[row as usize];
                li {
                    (tile(view, view.main, id))
                    a href=(view.question.of_item(id).address()) { (title(view.main.model, row)) }
                }
            }
        }
        @if n > shown { p.note { "and " (count(n - shown)) " more" } }
        p { a href=(view.question.of_nobody().address()) { "Look at someone else" } }
    }
}

fn basket(view: &View) -> Markup {
    let basket = &view.question.basket;
    html! {
        h2 { "Basket" }
        p.note { "A stranger who took these. The model makes a row for them on the spot." }
        ul.taken.basket {
            @for id in basket {
                @let known = view.main.model.vocabulary().item(id);
                @let name = known.map_or_else(|| id.clone(), |row| title(view.main.model, row));
                li {
                    (tile(view, view.main, id))
                    a href=(view.question.of_item(id).address()) { (name) }
                    a.remove href=(view.question.but(id).address()) aria-label=(format!("Remove {name} from the basket")) {
                        "×"
                    }
                }
            }
        }
        p { a href=(view.question.of_nobody().address()) { "Empty the basket" } }
    }
}

fn nobody(view: &View) -> Markup {
    let users = view.main.model.vocabulary().users();
    html! {
        h2 { "Whose list?" }
        p.note { "Search for a user, or put items in a basket. For a start:" }
        ul.chips {
            @for id in users.iter().take(EXAMPLES) {
                li { a.chip href=(view.question.of_user(id).address()) { (id) } }
            }
        }
    }
}

/// Weights, length and second model.
pub(crate) fn settings(view: &View) -> Markup {
    let shown = |name: &str| name == "n" || name == "with" || name.starts_with(&weight_field(""));
    html! {
        form.settings #settings method="get" {
            div.carried #carried-by-settings data-live { (carried(view.question, shown)) }
            fieldset {
                legend { "Weights" }
                (reset(view))
                @for (place, modality) in view.main.model.modalities().iter().enumerate() {
                    (slider(view, place, modality))
                }
                p.note { "0 silences a modality, 1 is as it was trained." }
            }
            div.choices { (length(view)) (beside(view)) }
            button type="submit" { "Apply" }
        }
    }
}

/// The way back to the weights that the model has without a word from the reader.
fn reset(view: &View) -> Markup {
    let own = Question { weights: BTreeMap::new(), ..view.question.clone() };
    html! {
        p #reset data-live {
            @if !view.question.weights.is_empty() {
                a href=(own.address()) aria-label="Reset to the weights of the model" { "reset" }
            }
        }
    }
}

fn slider(view: &View, place: usize, modality: &str) -> Markup {
    let (now, own) = (view.weight(view.main.model, modality), own_weights(view.main.model)[modality]);
    let id = format!("weight-{place}");
    let most = own_weights(view.main.model).values().map(|w| w * 2.0).fold(SLIDER_END, f64::max).ceil();
    let most = most.max(now).min(LARGEST_WEIGHT);
    html! {
        div class=(format!("slider {}", colour(view.main.model, modality))) {
            label for=(id) { span.dot {} (modality) }
            output for=(id) { (weight(now)) }
            input id=(id) type="range" name=(weight_field(modality)) min="0" max=(weight(most)) step="0.05"
                value=(weight(now)) list=(format!("{id}-marks"));
            datalist id=(format!("{id}-marks")) {
                option value="0" {}
                option value="1" {}
                @if own != 0.0 && own != 1.0 { option value=(weight(own)) {} }
            }
            @if own_weights(view.main.model).values().any(|weight| *weight != 1.0) {
                small { "calibrated: " (weight(own)) }
            }
        }
    }
}

fn length(view: &View) -> Markup {
    let now = view.question.n();
    let other = (!LENGTHS.contains(&now)).then_some(now);
    html! {
        label for="n" { "Length of the list" }
        select #n name="n" {
            @for n in other.into_iter().chain(LENGTHS) { option value=(n) selected[n == now] { (n) } }
        }
    }
}

fn beside(view: &View) -> Markup {
    let others = view.models.iter().filter(|named| named.name != view.main.name);
    let now = view.question.with.as_deref();
    html! {
        @if view.models.len() > 1 {
            label for="with" { "Side by side with" }
            select #with name="with" {
                option value="" selected[now.is_none()] { "no other model" }
                @for named in others {
                    option value=(named.name) selected[now == Some(named.name)] { (named.name) }
                }
            }
        }
    }
}
