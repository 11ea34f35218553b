//! Every balancer by name: adding a built-in one touches its file and one line here; a user's own is added at run time
//! by [`register`].

use crate::entry::{BalancerEntry, BalancerSettings};
use crate::{agm, arl, ckd, cml, cohesion, g2d, gb, mmpareto, none, ogm};
use equipoise_data::Registered;

static BUILT_IN: &[BalancerEntry] = &[
    none::Config::ENTRY.without_section(),
    ckd::Config::ENTRY,
    gb::Config::ENTRY,
    ogm::Config::ENTRY,
    cohesion::Config::ENTRY,
    agm::Config::ENTRY,
    cml::Config::ENTRY,
    g2d::Config::ENTRY,
    mmpareto::Config::ENTRY,
    arl::Config::ENTRY,
];

/// Keys beside the sections of balancers, which are therefore names that a balancer cannot have.
pub(crate) const RESERVED: [&str; 4] = ["name", "teachers", "plain", "teacher"];

static REGISTERED: Registered<BalancerEntry> = Registered::new();

/// All balancers: the built-in ones, then those registered.
pub fn balancers() -> Vec<&'static BalancerEntry> {
    REGISTERED.beside(BUILT_IN)
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
    let name = entry.name;
    if RESERVED.contains(&name) || !REGISTERED.add(BUILT_IN, entry, |a, b| a.name == b.name) {
        return Err(format!("a balancer named `{name}` is registered already"));
    }
    Ok(())
}
