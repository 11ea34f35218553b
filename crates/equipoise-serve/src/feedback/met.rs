//! What each user has met, in memory.

use crate::feedback::event::FeedbackEvent;
use equipoise_recommend::{BasketItem, Feedback, WeightedItem};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// Most items that are kept of a user: the newest.
pub(crate) const KEPT: usize = 1000;
/// Most items that move a user's row: the newest.
pub(crate) const MOVING: usize = 100;

/// What each user has met, each item once with the weight of its newest event.
#[derive(Default)]
pub(crate) struct Met(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    users: HashMap<String, Vec<(Arc<str>, f64)>>,
    /// Ids of items, each once.
    items: HashSet<Arc<str>>,
}

impl Met {
    /// Takes in events.
    pub(crate) fn add<'a>(&self, events: impl IntoIterator<Item = &'a FeedbackEvent>) {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            inner.add(event);
        }
    }

    /// What a user has met, oldest first.
    pub(crate) fn items(&self, user: &str) -> Vec<(Arc<str>, f64)> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inner.users.get(user).cloned().unwrap_or_default()
    }
}

impl Inner {
    fn add(&mut self, event: &FeedbackEvent) {
        let id = match self.items.get(event.item.as_str()) {
            Some(id) => id.clone(),
            None => {
                let id: Arc<str> = event.item.as_str().into();
                self.items.insert(id.clone());
                id
            }
        };
        let met = match self.users.get_mut(&event.user) {
            Some(met) => met,
            None => self.users.entry(event.user.clone()).or_default(),
        };
        met.retain(|(other, _)| *other != id);
        met.push((id, event.weight));
        if met.len() > KEPT {
            met.remove(0);
        }
    }
}

impl Feedback for Met {
    fn of(&self, user: &str) -> Vec<BasketItem> {
        let items = self.items(user);
        let mut moving = items.iter().filter(|(_, weight)| *weight > 0.0).count();
        let item = |(id, weight): (Arc<str>, f64)| {
            let counts = weight > 0.0 && moving <= MOVING;
            moving -= usize::from(weight > 0.0);
            BasketItem::Weighted(WeightedItem {
                id: id.to_string(),
                weight: if counts { weight } else { 0.0 },
            })
        };
        items.into_iter().map(item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: &str, item: String, weight: f64) -> FeedbackEvent {
        FeedbackEvent { user: user.into(), item, kind: "click".into(), weight, time: None, id: None }
    }

    #[test]
    fn the_newest_event_of_an_item_counts_and_the_newest_items_move() {
        let met = Met::default();
        met.add(&[event("a", "x".into(), 1.0), event("a", "y".into(), 2.0), event("a", "x".into(), 0.0)]);
        let of = |user| met.of(user).iter().map(|i| (i.id().to_owned(), i.weight())).collect::<Vec<_>>();
        assert_eq!(of("a"), [("y".to_owned(), 2.0), ("x".to_owned(), 0.0)]);
        assert!(of("b").is_empty());
        let many: Vec<FeedbackEvent> = (0..KEPT + 5).map(|k| event("b", format!("i{k}"), 1.0)).collect();
        met.add(&many);
        let found = of("b");
        assert_eq!((found.len(), found[0].0.as_str()), (KEPT, "i5"));
        let moving: Vec<&(String, f64)> = found.iter().filter(|(_, weight)| *weight > 0.0).collect();
        assert_eq!(
            (moving.len(), moving[0].0.as_str()),
            (MOVING, format!("i{}", KEPT + 5 - MOVING).as_str())
        );
    }
}
