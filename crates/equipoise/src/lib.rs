//! **Equipoise** trains and diagnoses multimodal recommenders in which every modality pulls its weight.
//!
//! This crate is the library: the parts under one roof, and what joins them. The program is `equipoise-cli`.
//!
//! ```no_run
//! use equipoise::data::{LoadOptions, load};
//! use equipoise::train::{Job, RunConfig, StopFlag, events::Silent};
//! use std::path::Path;
//!
//! let loaded = load(Path::new("my-data"), &LoadOptions::default())?;
//! let mut config = RunConfig::default();
//! config.balance.name = "ckd".into();
//! let job = Job { config: &config, loaded: &loaded, out: Path::new("runs/first"), overwrite: false };
//! let outcome = job.execute(&mut Silent, &StopFlag::default())?;
//! println!("recall@20 {:.4}", outcome.report.test["recall@20"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use equipoise_balance as balance;
pub use equipoise_data as data;
pub use equipoise_data::graph;
pub use equipoise_encode as encode;
pub use equipoise_eval as eval;
pub use equipoise_import as import;
pub use equipoise_models as models;
pub use equipoise_nn as nn;
pub use equipoise_report as report;
pub use equipoise_study as study;
pub use equipoise_train as train;
