//! A backbone of one's own: one function from parameters and features to two tables.
//!
//! ```text
//! Y_u = x_u      Z_i = x_i + sum_m tanh(W_m e_i^m + b_m)
//! ```
//!
//! `docs/add-a-backbone.md` walks through a larger one, with preferences and every command of the program.
//!
//! ```text
//! cargo run --release -p equipoise --example own_backbone
//! ```

use equipoise::author::ops::{init, tanh};
use equipoise::author::{AblationEffect, Backbone, BackboneSettings, Build, Content, Pass, Tables};
use equipoise::author::{backbone_suite, register_backbone};
use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;
use serde::{Deserialize, Serialize};

/// Its settings: the section `[backbone.described]`; it has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Described {}

struct Network {
    contents: Vec<Content>,
}

impl BackboneSettings for Described {
    const NAME: &'static str = "described";
    const TITLE: &'static str = "Described";
    const SOURCE: &'static str = "this example";
    const SUMMARY: &'static str = "each item is its id and what its content says";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids(init::xavier_uniform);
        Box::new(Network { contents: (0..b.n_modalities()).map(|m| b.projection(m)).collect() })
    }
}

impl Backbone for Network {
    fn forward(&self, pass: &Pass) -> Tables {
        let contents = self.contents.iter().map(|content| tanh(content.projected(pass)));
        Tables::new(pass.users("user.id"), contents.fold(pass.items("item.id"), |sum, content| sum + content))
    }
}

/// Holds it to what every backbone must do, then trains it like a built-in one.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    register_backbone(Described::ENTRY)?;
    backbone_suite::check(&Described::ENTRY);

    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 300, items: 150, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.load()?;
    let done = Training::new(&data).backbone(Described {}).set("train.epochs", 10).run()?;
    println!("recall@20 {:.4}", done.metric("recall@20")?);
    println!("{}", done.audit()?.text());
    Ok(())
}
