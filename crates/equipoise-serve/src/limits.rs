//! What one request may ask at most, so that no request takes the others' time and memory.

use crate::problem::Problem;
use equipoise_recommend::{BasketItem, ExplainRequest, Filter, RecommendRequest};

/// Most ids in a list.
pub(crate) const IDS: usize = 1000;
/// Most characters of an id or a name.
pub(crate) const ID: usize = 1000;
/// Most items of all baskets of a request together.
const BASKETS: usize = 10_000;
/// Most items that are ranked for a request: lists times places, those that an offset leaves out included.
const PLACES: usize = 200_000;
/// The same where each item costs more: explained, or chosen for diversity.
const COSTLY: usize = 10_000;
/// Most conditions and values of a filter.
const CONDITIONS: usize = 1000;

/// Checks a request for recommendations.
pub(crate) fn recommend(request: &RecommendRequest) -> Result<(), Problem> {
    let lists = [
        ("users", request.users.len()),
        ("history", request.history.len()),
        ("vectors", request.vectors.len()),
        ("exclude", request.exclude.len()),
        ("restrict", request.restrict.as_ref().map_or(0, Vec::len)),
        ("modality_weights", request.modality_weights.len()),
    ];
    lists.into_iter().try_for_each(|(field, len)| length(field, len))?;
    let restrict = request.restrict.as_deref().unwrap_or_default();
    for (field, ids) in [("users", &request.users[..]), ("exclude", &request.exclude), ("restrict", restrict)]
    {
        ids.iter().enumerate().try_for_each(|(place, text)| id(&format!("{field}[{place}]"), text))?;
    }
    for (place, one) in request.history.iter().enumerate() {
        basket(&format!("history[{place}]"), one)?;
    }
    let all: usize = request.history.iter().map(Vec::len).sum();
    if all > BASKETS {
        return Err(Problem::field(
            "history",
            format!("{all} items in all baskets together, at most {BASKETS} at once"),
        ));
    }
    request.filter.iter().try_for_each(filter)?;
    places(request)
}

/// Checks a request for an explanation.
pub(crate) fn explain(request: &ExplainRequest) -> Result<(), Problem> {
    id("item", &request.item)?;
    request.user.iter().try_for_each(|user| id("user", user))?;
    length("modality_weights", request.modality_weights.len())?;
    request.history.iter().try_for_each(|one| basket("history", one))
}

/// Checks an id or a name.
pub(crate) fn id(field: &str, text: &str) -> Result<(), Problem> {
    match text.len() {
        0 => Err(Problem::field(field, "an empty text, expected an id")),
        1..=ID => Ok(()),
        n => Err(Problem::field(field, format!("{n} bytes, expected an id of at most {ID}"))),
    }
}

/// Checks the length of a list.
pub(crate) fn length(field: &str, len: usize) -> Result<(), Problem> {
    match len {
        0..=IDS => Ok(()),
        _ => Err(Problem::field(
            field,
            format!("{len} entries, expected at most {IDS}; ask in several requests"),
        )),
    }
}

fn basket(field: &str, items: &[BasketItem]) -> Result<(), Problem> {
    length(field, items.len())?;
    items.iter().enumerate().try_for_each(|(place, item)| id(&format!("{field}[{place}]"), item.id()))
}

fn places(request: &RecommendRequest) -> Result<(), Problem> {
    let lists = request.users.len() + request.history.len() + request.vectors.len();
    let places = lists.saturating_mul(request.offset.saturating_add(request.n));
    if places > PLACES && lists > 1 {
        let detail = format!(
            "{lists} lists of {} places, those before the offset included, at most {PLACES} places in all; ask in several requests",
            request.offset.saturating_add(request.n)
        );
        return Err(Problem::field("n", detail));
    }
    let costly = request.explain || request.diversity > 0.0;
    if costly && lists.saturating_mul(request.n) > COSTLY {
        let detail = format!(
            "{lists} lists of {} items with `explain` or `diversity`, at most {COSTLY} items in all; ask in several requests",
            request.n
        );
        return Err(Problem::field("n", detail));
    }
    Ok(())
}

fn filter(filter: &Filter) -> Result<(), Problem> {
    fn count(filter: &Filter) -> usize {
        match filter {
            Filter::Equals(map) => map.len(),
            Filter::AnyOf(map) | Filter::AllOf(map) => map.values().map(|values| 1 + values.len()).sum(),
            Filter::Range(map) => map.len(),
            Filter::Missing(_) => 1,
            Filter::And(all) | Filter::Or(all) => 1 + all.iter().map(count).sum::<usize>(),
            Filter::Not(inner) => 1 + count(inner),
        }
    }
    match count(filter) {
        0..=CONDITIONS => Ok(()),
        n => {
            Err(Problem::field("filter", format!("{n} conditions and values, expected at most {CONDITIONS}")))
        }
    }
}
