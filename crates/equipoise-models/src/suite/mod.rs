//! Checks that every backbone must pass, a user's own included.
//!
//! ```no_run
//! # let my_entry = *equipoise_models::find("vbpr").unwrap();
//! equipoise_models::suite::check(&my_entry);
//! ```
//!
//! | check | what must hold |
//! |---|---|
//! | [`describes_itself`] | name, title, source and summary are there; parameter groups name modalities |
//! | [`follows_its_seed`] | a seed decides every initial value |
//! | [`gradients_are_difference_quotients`] | of margins under every ablation, penalties and own losses |
//! | [`learns`] | on a fixed batch the loss goes down, and preferred items rise if it ranks by BPR |
//! | [`shares_without_change`] | `encode` equals one plain pass per ablation, outputs and gradients |
//! | [`ignores_what_is_constant`] | silencing a modality that is the same everywhere changes no margin |
//! | [`adds_up_if_it_says_so`] | additive scores are the sum of the parts that ablations take away |
//! | [`survives_saving`] | saved and loaded, it scores the same |
//! | [`goes_on_from_its_parameters`] | built anew with the parameters of another, it trains on as that one does |
//! | [`ignores_threads`] | the number of threads changes no bit |
//! | [`accepts_the_unknown`] | users and items without interactions get finite scores and gradients |
//! | [`rows_are_rows_of_the_tables`] | rows requested alone equal those of the full tables |
//!
//! Each check panics with what it found. They run in a second or two on made-up data of one to three modalities.

mod additive;
mod behaviour;
mod data;
mod gradients;
mod observe;

pub use additive::adds_up_if_it_says_so;
pub use behaviour::{
    accepts_the_unknown, describes_itself, follows_its_seed, goes_on_from_its_parameters, ignores_threads,
    ignores_what_is_constant, learns, rows_are_rows_of_the_tables, shares_without_change, survives_saving,
};
pub use data::{ITEMS, USERS, dataset, every_ablation, model, triples};
pub use gradients::gradients_are_difference_quotients;
pub use observe::{Observed, Probe, observe};

use crate::{BackboneConfig, BackboneEntry};

/// All checks, with the backbone's default settings.
///
/// # Panics
/// If one fails.
pub fn check(entry: &BackboneEntry) {
    check_with(entry, &BackboneConfig { width: 6, ..BackboneConfig::named(entry.name) });
}

/// All checks, with settings of your own. A backbone that is not [registered](crate::register) yet is from now on.
///
/// # Panics
/// If one fails.
pub fn check_with(entry: &BackboneEntry, config: &BackboneConfig) {
    if crate::find(entry.name).is_none() {
        crate::register(*entry).expect("the name was free a moment ago");
    }
    describes_itself(entry, config);
    follows_its_seed(config);
    gradients_are_difference_quotients(config);
    learns(config);
    shares_without_change(config);
    ignores_what_is_constant(config);
    adds_up_if_it_says_so(entry, config);
    survives_saving(config);
    goes_on_from_its_parameters(config);
    ignores_threads(config);
    accepts_the_unknown(config);
    rows_are_rows_of_the_tables(config);
}
