//! Entries of a registry that a program adds at run time, beside the built-in ones.

use std::sync::{PoisonError, RwLock};

/// What was registered. Entries stay for as long as the process runs.
pub struct Registered<E: 'static>(RwLock<Vec<&'static E>>);

impl<E> Registered<E> {
    /// Nothing yet.
    pub const fn new() -> Registered<E> {
        Registered(RwLock::new(Vec::new()))
    }

    /// The built-in entries, then those that were registered, in that order.
    pub fn beside(&self, built_in: &'static [E]) -> Vec<&'static E> {
        // The list is only ever pushed to: it is sound after a panic elsewhere.
        let registered = self.0.read().unwrap_or_else(PoisonError::into_inner);
        built_in.iter().chain(registered.iter().copied()).collect()
    }

    /// Adds an entry and returns whether it was added: not where one of the known entries `clashes` with it.
    #[must_use]
    pub fn add(&self, built_in: &'static [E], entry: E, clashes: impl Fn(&E, &E) -> bool) -> bool {
        let mut registered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if built_in.iter().chain(registered.iter().copied()).any(|known| clashes(known, &entry)) {
            return false;
        }
        registered.push(Box::leak(Box::new(entry)));
        true
    }
}

impl<E> Default for Registered<E> {
    fn default() -> Registered<E> {
        Registered::new()
    }
}
