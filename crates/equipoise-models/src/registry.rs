//! Every backbone by name: adding a built-in one touches its file and one line here; a user's own is added at
//! run time by [`register`].

use crate::backbones::*;
use crate::entry::{BackboneEntry, BackboneSettings};
use std::sync::{PoisonError, RwLock};

/// One line per built-in backbone: its module holds the settings `Config`.
macro_rules! backbones {
    ($($module:ident),* $(,)?) => {
        static BUILT_IN: &[BackboneEntry] = &[$($module::Config::ENTRY),*];
    };
}

backbones! {
    vbpr,
    deepstyle,
    mmgcn,
    grcn,
    egogcn,
    mgcn,
    bprmf,
    lightgcn,
    freedom,
    bm3,
    itemknn,
    popularity,
}

/// Names that a backbone cannot have: settings of every backbone.
const RESERVED: [&str; 2] = ["name", "width"];

static REGISTERED: RwLock<Vec<&'static BackboneEntry>> = RwLock::new(Vec::new());

/// All backbones: the built-in ones, then those registered.
pub fn backbones() -> Vec<&'static BackboneEntry> {
    // The list is only ever pushed to: it is sound after a panic elsewhere.
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    BUILT_IN.iter().chain(registered.iter().copied()).collect()
}

/// The built-in backbones.
pub fn built_in() -> &'static [BackboneEntry] {
    BUILT_IN
}

/// The backbone of that name.
pub fn find(name: &str) -> Option<&'static BackboneEntry> {
    backbones().into_iter().find(|b| b.name == name)
}

/// Adds a backbone of your own, from then on known by its name everywhere: configuration (with a section of its own),
/// command line, teachers, saved runs.
///
/// # Errors
/// If the name is taken.
pub fn register(entry: BackboneEntry) -> Result<(), String> {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    let taken = BUILT_IN.iter().chain(registered.iter().copied()).any(|b| b.name == entry.name);
    if taken || RESERVED.contains(&entry.name) {
        return Err(format!("a backbone named `{}` is registered already", entry.name));
    }
    registered.push(Box::leak(Box::new(entry)));
    Ok(())
}
