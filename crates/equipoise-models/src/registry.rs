//! Every backbone by name: adding a built-in one touches its file and one line here; a user's own is added at
//! run time by [`register`].

use crate::backbones::*;
use crate::entry::{BackboneEntry, BackboneSettings};
use equipoise_data::Registered;

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

/// Keys beside the sections of backbones, which are therefore names that a backbone cannot have.
pub(crate) const RESERVED: [&str; 2] = ["name", "width"];

static REGISTERED: Registered<BackboneEntry> = Registered::new();

/// All backbones: the built-in ones, then those registered.
pub fn backbones() -> Vec<&'static BackboneEntry> {
    REGISTERED.beside(BUILT_IN)
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
    let name = entry.name;
    if RESERVED.contains(&name) || !REGISTERED.add(BUILT_IN, entry, |a, b| a.name == b.name) {
        return Err(format!("a backbone named `{name}` is registered already"));
    }
    Ok(())
}
