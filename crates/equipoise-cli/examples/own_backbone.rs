//! A backbone of one's own: modalities fused early, in one block of content.
//!
//! ```text
//! Y_u = [ x_u ; sum_m p_u^m ]      Z_i = [ x_i ; tanh(sum_m (W_m e_i^m + b_m)) ]
//! ```

use equipoise::models::registry::{BackboneConfig, BackboneEntry};
use equipoise::models::{AblationEffect, Backbone, Build, Content, Pass, Tables, register};
use equipoise::nn::{Tensor, init, tanh};
use std::process::ExitCode;

/// What the program knows it by: `--backbone fused`.
pub const FUSED: BackboneEntry = BackboneEntry {
    name: "fused",
    title: "Fused",
    source: "this example",
    summary: "ids beside one block of all content",
    ablation_effect: AblationEffect::Inputs,
    check: |_| Ok(()),
    build,
};

struct Fused {
    modalities: Vec<Content>,
}

/// Registers the parameters; names, shapes and initial values are in the documentation of `Build`.
fn build(_: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    b.ids(init::xavier_uniform);
    let mut modalities = Vec::new();
    for m in 0..b.n_modalities() {
        b.preferences(m, init::xavier_uniform);
        modalities.push(b.projection(m));
    }
    Box::new(Fused { modalities })
}

impl Backbone for Fused {
    /// Whatever the pass hands out has silenced modalities replaced by their means already.
    fn forward(&self, pass: &Pass) -> Tables {
        let add = |a: Tensor<2>, b: Tensor<2>| a + b;
        let preferences = self.modalities.iter().map(|c| c.preferences(pass)).reduce(add);
        let content = self.modalities.iter().map(|c| c.projected(pass)).reduce(add);
        let (preferences, content) = preferences.zip(content).expect("a data set has a modality");
        let users = Tensor::cat(vec![pass.users("user.id"), preferences], 1);
        let items = Tensor::cat(vec![pass.items("item.id"), tanh(content)], 1);
        Tables::new(users, items)
    }
}

/// The whole command-line program, with one backbone more.
fn main() -> ExitCode {
    register(FUSED).expect("no other backbone is called `fused`");
    equipoise_cli::main()
}
