//! Ids of events that were taken.

use crate::feedback::event::FeedbackEvent;
use std::collections::HashSet;

/// Ids of events that were taken, by 128 bits of their hash: two of 10^12 ids share them with a chance below 10^-14.
#[derive(Default)]
pub(crate) struct EventIds(HashSet<[u8; 16]>);

impl EventIds {
    /// Notes an event; whether it is the first of its id. One without an id always is.
    pub(crate) fn is_first(&mut self, event: &FeedbackEvent) -> bool {
        event.id.as_ref().is_none_or(|id| {
            let hash = blake3::hash(id.as_bytes());
            let (first, _) = hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
            self.0.insert(*first)
        })
    }
}
