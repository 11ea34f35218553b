//! A balancer that is ready to start, and what it was built from.

use crate::events::Event;
use equipoise_balance::none::NoBalance;
use equipoise_balance::robust::ChannelSetup;
use equipoise_balance::{Balancer, Setup};
use equipoise_models::Model;

/// A balancer that is ready to start.
pub struct Prepared {
    pub(crate) balancer: Box<dyn Balancer>,
    /// What is to be said of how it was made.
    pub(crate) opening: Vec<Event>,
    /// A hash of the teachers and losses that it was built from: a training that was interrupted goes on with the same only.
    pub(crate) start: String,
    /// The plain model, if it was needed: it is kept where the trained one is not as good on validation.
    pub(crate) plain: Option<Model>,
}

impl Prepared {
    /// No balancer.
    pub(crate) fn plain() -> Prepared {
        Prepared { balancer: Box::new(NoBalance), opening: Vec::new(), start: String::new(), plain: None }
    }
}

/// A hash of the teachers and losses of a setup.
pub(crate) fn digest(setup: &Setup) -> String {
    let mut hasher = blake3::Hasher::new();
    let channels = setup.channels.iter();
    let further = channels.clone().flat_map(|c| c.ids.iter().chain(&c.silenced));
    for teacher in setup.teachers.iter().chain(further) {
        let (users, items) = teacher.tables();
        for table in [users, items] {
            hasher.update(&(table.len() as u64).to_le_bytes());
            table.chunks(1 << 14).for_each(|piece| {
                let bytes: Vec<u8> = piece.iter().flat_map(|v| v.to_le_bytes()).collect();
                hasher.update(&bytes);
            });
        }
    }
    for head in &setup.heads {
        let numbers = [head.before.train, head.before.validation, head.after.train, head.after.validation];
        numbers.iter().for_each(|number| {
            hasher.update(&number.to_le_bytes());
        });
    }
    for ChannelSetup { stack, gate, .. } in channels {
        let weights = stack.ids.iter().chain(&stack.silenced).chain(&stack.content);
        weights.chain([gate]).for_each(|number| {
            hasher.update(&number.to_le_bytes());
        });
    }
    hasher.finalize().to_hex().to_string()
}
