//! Every balancer by name: adding a built-in one touches its file and one line here; a user's own is added at run time
//! by [`register`].

use crate::entry::{BalancerEntry, BalancerSettings};
use crate::{agm, ckd, cohesion, gb, none, ogm};
use std::sync::{PoisonError, RwLock};

static BUILT_IN: &[BalancerEntry] = &[
    none::Config::ENTRY.without_section(),
    ckd::Config::ENTRY,
    gb::Config::ENTRY,
    ogm::Config::ENTRY,
    cohesion::Config::ENTRY,
    agm::Config::ENTRY,
];

/// Names that a balancer cannot have: keys of every configuration.
const RESERVED: [&str; 4] = ["name", "teachers", "plain", "teacher"];

static REGISTERED: RwLock<Vec<&'static BalancerEntry>> = RwLock::new(Vec::new());

/// All balancers: the built-in ones, then those registered.
pub fn balancers() -> Vec<&'static BalancerEntry> {
    // The list is only ever pushed to: it is sound after a panic elsewhere.
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    BUILT_IN.iter().chain(registered.iter().copied()).collect()
}

/// The built-in balancers.
pub fn built_in() -> &'static [BalancerEntry] {
    BUILT_IN
}

/// The balancer of that name.
pub fn find(name: &str) -> Option<&'static BalancerEntry> {
    balancers().into_iter().find(|b| b.name == name)
}

/// Adds a balancer of your own, from then on known by its name everywhere: configuration (with a section of its own),
/// command line, saved runs, reports.
///
/// # Errors
/// If the name is taken.
pub fn register(entry: BalancerEntry) -> Result<(), String> {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    let taken = BUILT_IN.iter().chain(registered.iter().copied()).any(|b| b.name == entry.name);
    if taken || RESERVED.contains(&entry.name) {
        return Err(format!("a balancer named `{}` is registered already", entry.name));
    }
    registered.push(Box::leak(Box::new(entry)));
    Ok(())
}
