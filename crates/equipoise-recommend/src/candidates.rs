//! The items that a request lets into its lists.

use crate::error::RecommendError;
use crate::request::{OnUnknown, RecommendRequest};
use crate::scorer::{JoinedItems, Ranked, counted};
use crate::served::ServedModel;
use crate::unknown::unknown;
use std::sync::Arc;

/// The candidates of a request: all items, or the rows of some.
pub(crate) struct Candidates {
    pub(crate) joined: Arc<JoinedItems>,
    /// The items that the positions stand for, ascending; `None` for all.
    items: Option<Vec<u32>>,
    /// Items that are in no list.
    pub(crate) excluded: Vec<u32>,
}

impl Candidates {
    /// The candidates that a request leaves.
    ///
    /// # Errors
    /// An id that the model does not know, a filter that cannot be used.
    pub(crate) fn new(
        model: &ServedModel,
        request: &RecommendRequest,
        coefficients: &[(usize, f32)],
    ) -> Result<Candidates, RecommendError> {
        let blocks = counted(coefficients);
        let excluded = ids(model, "exclude", &request.exclude, request.unknown)?;
        let items = allowed(model, request)?;
        let joined = match &items {
            None => model.joined(&blocks)?,
            Some(items) => Arc::new(JoinedItems::new(model.tables(), &blocks, Some(items))?),
        };
        Ok(Candidates { joined, items, excluded })
    }

    /// The position of an item among the candidates.
    pub(crate) fn place(&self, item: u32) -> Option<u32> {
        match &self.items {
            None => Some(item),
            Some(items) => items.binary_search(&item).ok().map(|place| place as u32),
        }
    }

    /// The items that ranked positions stand for.
    pub(crate) fn items_of(&self, ranked: Ranked) -> Ranked {
        match &self.items {
            None => ranked,
            Some(items) => ranked.into_iter().map(|(place, score)| (items[place as usize], score)).collect(),
        }
    }
}

/// The items that `restrict` and `filter` let pass, ascending; `None` if both are absent.
fn allowed(model: &ServedModel, request: &RecommendRequest) -> Result<Option<Vec<u32>>, RecommendError> {
    let mut items: Vec<u32> = match &request.restrict {
        Some(wanted) => ids(model, "restrict", wanted, request.unknown)?,
        None if request.filter.is_none() => return Ok(None),
        None => (0..model.tables().n_items() as u32).collect(),
    };
    items.sort_unstable();
    items.dedup();
    if let Some(filter) = &request.filter {
        let names = model.infos().names();
        filter.check(|name| names.iter().any(|n| n == name), names)?;
        let nothing = serde_json::Map::new();
        items.retain(|&item| filter.passes(model.infos().of(item).map_or(&nothing, |info| &info.attributes)));
    }
    Ok(Some(items))
}

/// The rows of items by their raw ids.
fn ids(
    model: &ServedModel,
    field: &str,
    ids: &[String],
    on_unknown: OnUnknown,
) -> Result<Vec<u32>, RecommendError> {
    let known = |id: &String| model.vocabulary().item(id);
    match (ids.iter().position(|id| known(id).is_none()), on_unknown) {
        (Some(place), OnUnknown::Error) => {
            Err(unknown("item", &ids[place], model.vocabulary().items().iter())
                .at(format!("{field}[{place}]")))
        }
        _ => Ok(ids.iter().filter_map(known).collect()),
    }
}
