//! Who asks: users of the model, strangers with a basket, rows made elsewhere.

use crate::error::RecommendError;
use crate::feedback::Feedback;
use crate::request::{BasketItem, Fallback, List, OnUnknown, RecommendRequest};
use crate::scorer::UserRows;
use crate::served::ServedModel;
use crate::unknown::unknown;

/// Largest weight of an item in a basket.
pub const LARGEST_BASKET_WEIGHT: f64 = 1e6;

/// One user, basket or vector of a request.
pub(crate) struct Asker {
    /// Rows by block; `None` if the model knows nothing of who asks.
    pub(crate) rows: Option<UserRows>,
    /// What they have met, ascending, with weights; what has a weight of 0 is left out of lists and moves nothing.
    pub(crate) history: Vec<(u32, f64)>,
    pub(crate) list: List,
}

/// Makes those who ask of what a request says.
pub(crate) struct Reception<'a> {
    pub(crate) model: &'a ServedModel,
    /// The blocks that must be there in the rows of each.
    pub(crate) blocks: &'a [usize],
    pub(crate) unknown: OnUnknown,
    pub(crate) feedback: &'a dyn Feedback,
}

impl Reception<'_> {
    /// Everyone who asks, in the order of the request.
    ///
    /// # Errors
    /// An id that the model does not know, unless the request says what to do; a weight or a vector that cannot be used.
    pub(crate) fn all(&self, request: &RecommendRequest) -> Result<Vec<Asker>, RecommendError> {
        let at = |field: &str, place: usize| format!("{field}[{place}]");
        let users = request.users.iter().enumerate().map(|(k, id)| self.user(&at("users", k), id));
        let strangers = request.history.iter().enumerate();
        let strangers = strangers.map(|(k, basket)| self.basket(&at("history", k), basket));
        let vectors = request.vectors.iter().enumerate().map(|(k, row)| self.vector(&at("vectors", k), row));
        users.chain(strangers).chain(vectors).collect()
    }

    /// A user by the raw id, with what they have met since training.
    pub(crate) fn user(&self, field: &str, id: &str) -> Result<Asker, RecommendError> {
        let list = List { user: Some(id.to_owned()), ..List::default() };
        let since = self.known_items(&self.feedback.of(id));
        let Some(user) = self.model.vocabulary().user(id) else {
            let nothing = since.iter().all(|(_, weight)| *weight == 0.0);
            if nothing && self.unknown == OnUnknown::Error {
                return Err(unknown("user", id, self.model.vocabulary().users().iter()).at(field));
            }
            return Ok(Asker { list, ..self.stranger(since)? });
        };
        let (mut rows, mut history) = self.model.trained_user(user);
        let met = |item: u32| history.binary_search_by_key(&item, |&(item, _)| item).is_ok();
        let since: Vec<(u32, f64)> = since.into_iter().filter(|&(item, _)| !met(item)).collect();
        let news: Vec<(u32, f64)> = since.iter().copied().filter(|(_, weight)| *weight > 0.0).collect();
        if !news.is_empty() {
            rows = self.model.moved(&rows, &history, &news, self.blocks)?;
        }
        history.extend(since);
        history.sort_unstable_by_key(|&(item, _)| item);
        Ok(Asker { rows: Some(rows), history, list })
    }

    /// A stranger with a basket.
    pub(crate) fn basket(&self, field: &str, basket: &[BasketItem]) -> Result<Asker, RecommendError> {
        if basket.is_empty() && self.unknown == OnUnknown::Error {
            let problem = "an empty basket; give at least one item, or set `unknown` to \"popularity\"";
            return Err(RecommendError::field(field, problem));
        }
        let mut list = List::default();
        for (place, item) in basket.iter().enumerate() {
            let weight = item.weight();
            if !(weight > 0.0 && weight <= LARGEST_BASKET_WEIGHT) {
                let problem = format!("{weight}, expected a number above 0, at most {LARGEST_BASKET_WEIGHT}");
                return Err(RecommendError::field(format!("{field}[{place}].weight"), problem));
            }
            if self.model.vocabulary().item(item.id()).is_none() {
                if self.unknown == OnUnknown::Error {
                    let error = unknown("item", item.id(), self.model.vocabulary().items().iter());
                    return Err(error.at(format!("{field}[{place}]")));
                }
                list.ignored.push(item.id().to_owned());
            }
        }
        Ok(Asker { list, ..self.stranger(self.known_items(basket))? })
    }

    /// Items that the model knows, ascending; one that occurs twice counts once, with its weights added up.
    fn known_items(&self, basket: &[BasketItem]) -> Vec<(u32, f64)> {
        let known = |item: &BasketItem| Some((self.model.vocabulary().item(item.id())?, item.weight()));
        let mut items: Vec<(u32, f64)> = basket.iter().filter_map(known).collect();
        items.sort_by_key(|&(item, _)| item);
        items.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 += next.1;
            }
            same
        });
        items
    }

    fn stranger(&self, history: Vec<(u32, f64)>) -> Result<Asker, RecommendError> {
        let basket: Vec<(u32, f64)> = history.iter().copied().filter(|(_, weight)| *weight > 0.0).collect();
        let rows = if basket.is_empty() { None } else { Some(self.model.stranger(&basket, self.blocks)?) };
        Ok(Asker { rows, history, list: List::default() })
    }

    fn vector(&self, field: &str, vector: &[f32]) -> Result<Asker, RecommendError> {
        let blocks = self.model.tables().blocks();
        let width: usize = blocks.iter().map(|b| b.width()).sum();
        if vector.len() != width {
            let problem =
                format!("{} values, expected {width}: the rows of all blocks side by side", vector.len());
            return Err(RecommendError::field(field, problem));
        }
        if let Some(place) = vector.iter().position(|v| !v.is_finite()) {
            let problem = "beyond the range of 32-bit numbers";
            return Err(RecommendError::field(format!("{field}[{place}]"), problem));
        }
        let mut rest = vector;
        let rows = blocks.iter().map(|block| {
            let (own, behind) = rest.split_at(block.width());
            rest = behind;
            Some(own.to_vec())
        });
        Ok(Asker { rows: Some(rows.collect()), history: Vec::new(), list: List::default() })
    }
}

impl Asker {
    /// What they have met that says what they like.
    pub(crate) fn liked(&self) -> Vec<(u32, f64)> {
        self.history.iter().copied().filter(|(_, weight)| *weight > 0.0).collect()
    }

    /// The list, with a mark if no model made it.
    pub(crate) fn into_list(mut self) -> List {
        self.list.fallback = self.rows.is_none().then_some(Fallback::Popularity);
        self.list
    }
}
