//! A backbone of one's own: modalities fused early, in one block of content.
//!
//! ```text
//! Y_u = [ x_u ; sum_m p_u^m ]      Z_i = [ x_i ; tanh(sum_m (W_m e_i^m + b_m)) ]
//! ```

use equipoise::author::ops::{Tensor, init, tanh};
use equipoise::author::{
    AblationEffect, Backbone, BackboneSettings, Build, Content, Pass, Tables, register_backbone,
};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// Its settings: the section `[backbone.fused]` of a configuration, or `--set backbone.fused.linear=true`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fused {
    /// Whether content enters as it is.
    pub linear: bool,
}

impl BackboneSettings for Fused {
    const NAME: &'static str = "fused"; // what the program knows it by: `--backbone fused`
    const TITLE: &'static str = "Fused";
    const SOURCE: &'static str = "this example";
    const SUMMARY: &'static str = "ids beside one block of all content";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    /// Registers the parameters; names, shapes and initial values are in the documentation of `Build`.
    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids(init::xavier_uniform);
        let mut modalities = Vec::new();
        for m in 0..b.n_modalities() {
            b.preferences(m, init::xavier_uniform);
            modalities.push(b.projection(m));
        }
        Box::new(FusedNetwork { modalities, linear: self.linear })
    }
}

struct FusedNetwork {
    modalities: Vec<Content>,
    linear: bool,
}

impl Backbone for FusedNetwork {
    /// Whatever the pass hands out has silenced modalities replaced by their means already.
    fn forward(&self, pass: &Pass) -> Tables {
        let add = |a: Tensor<2>, b: Tensor<2>| a + b;
        let preferences = self.modalities.iter().map(|c| c.preferences(pass)).reduce(add);
        let content = self.modalities.iter().map(|c| c.projected(pass)).reduce(add);
        let (preferences, content) = preferences.zip(content).expect("a data set has a modality");
        let content = if self.linear { content } else { tanh(content) };
        let users = Tensor::cat(vec![pass.users("user.id"), preferences], 1);
        let items = Tensor::cat(vec![pass.items("item.id"), content], 1);
        Tables::new(users, items)
    }
}

/// The whole command-line program, with one backbone more.
fn main() -> ExitCode {
    register_backbone(Fused::ENTRY).expect("no other backbone is called `fused`");
    equipoise_cli::main()
}
