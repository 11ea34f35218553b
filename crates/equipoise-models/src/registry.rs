//! Every backbone by name: adding a built-in one touches its file and one line here; a user's own is added at
//! run time by [`register`].

use crate::Backbone;
use crate::backbones::*;
use crate::parts::Build;
use serde::{Deserialize, Serialize};
use std::sync::{PoisonError, RwLock};

/// One line per built-in backbone: its module holds `Config` and `ENTRY`.
macro_rules! backbones {
    ($($module:ident),* $(,)?) => {
        /// What a backbone is built from, shared by TOML, flags and code.
        ///
        /// | name | default | purpose | range |
        /// |---|---|---|---|
        /// | `name` | `vbpr` | which backbone | a name of [`backbones`] |
        /// | `width` | 64 | embedding width `d` | 1 to 4096 |
        ///
        /// and one section per backbone with its own settings, documented in its module.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct BackboneConfig {
            /// Which backbone.
            pub name: String,
            /// Embedding width `d`.
            pub width: usize,
            $(
                #[doc = concat!("Settings of `", stringify!($module), "`.")]
                pub $module: $module::Config,
            )*
        }

        impl Default for BackboneConfig {
            fn default() -> Self {
                BackboneConfig { name: "vbpr".into(), width: 64, $($module: Default::default(),)* }
            }
        }

        static BUILT_IN: &[BackboneEntry] = &[$($module::ENTRY),*];
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

impl BackboneConfig {
    /// The defaults of a backbone.
    pub fn named(name: &str) -> BackboneConfig {
        BackboneConfig { name: name.into(), ..BackboneConfig::default() }
    }

    /// Checks name and ranges.
    ///
    /// # Errors
    /// The field, its value and what was expected.
    pub fn check(&self) -> Result<&'static BackboneEntry, String> {
        if !(1..=4096).contains(&self.width) {
            return Err(format!("backbone.width = {}: expected 1 to 4096", self.width));
        }
        let entry = find(&self.name).ok_or_else(|| {
            let known: Vec<&str> = backbones().iter().map(|b| b.name).collect();
            format!("backbone.name = \"{}\": expected one of {}", self.name, known.join(", "))
        })?;
        (entry.check)(self).map_err(|fault| format!("backbone.{}.{fault}", self.name))?;
        Ok(entry)
    }
}

/// Where a backbone's scores get a modality from: what silencing it can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AblationEffect {
    /// As [`Inputs`](AblationEffect::Inputs), each modality in a part of the score of its own: `y_hat = y_id + sum_m s^m`
    /// without cross terms, so that silencing one changes nothing of the others.
    Additive,
    /// From features or preferences that an ablation replaces: channels, treatment effects and distillation
    /// mean something.
    Inputs,
    /// Only from frozen graphs or losses of its own: silencing a modality changes no score.
    Nothing,
}

impl AblationEffect {
    /// Whether silencing a modality changes scores, without which there is nothing to balance.
    pub fn shows(self) -> bool {
        self != AblationEffect::Nothing
    }
}

/// One line of the registry.
#[derive(Clone, Copy)]
pub struct BackboneEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Name in print.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// What silencing a modality can show.
    pub ablation_effect: AblationEffect,
    /// Checks the ranges of its own section: `field = value: expected ...`.
    pub check: fn(&BackboneConfig) -> Result<(), String>,
    /// Registers its parameters and returns the network.
    pub build: fn(&BackboneConfig, &mut Build) -> Box<dyn Backbone>,
}

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

/// Adds a backbone of your own, from then on known by its name everywhere: configuration, teachers, saved
/// runs. Its section of the configuration is `width` alone.
///
/// # Errors
/// If the name is taken.
pub fn register(entry: BackboneEntry) -> Result<(), String> {
    if find(entry.name).is_some() {
        return Err(format!("a backbone named `{}` is registered already", entry.name));
    }
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    registered.push(Box::leak(Box::new(entry)));
    Ok(())
}
