//! MMGCN: one graph network per modality, each reading the same id embeddings (Wei et al., ACM MM 2019), with
//! the choices made for the experiments of counterfactual knowledge distillation (ACM MM 2024) as defaults.
//!
//! # Equations
//! Nodes are users then items, `N = U + I`; `LR(x) = max(x, 0.01 x)`, `A` the normalised adjacency, `N x N`.
//! ```text
//! ID    = [ X_U ; X_I ]                                            N x d
//! H_0   = rows of [ P^m ; E^m W_m^T + 1 b_m ] divided by their norm   N x d                            (1)
//! H     = LR( A ( H_(l-1) Wc_l^T + 1 bc_l ) )                      what the neighbours say             (2)
//! Xh    = LR( H_(l-1) Ws_l^T + 1 bs_l ) + ID                       what the node says                  (3)
//! H_l   = LR( H Wg_l^T + 1 bg_l + Xh )                             elementwise                         (4)
//! H_l   = LR( [ H , Xh ] Wg_l^T + 1 bg_l )                         concat                              (5)
//! C_m   = H_L;   [ Y ; Z ] = (1/n) sum_m C_m                       D = d                               (6)
//! ```
//! (1) to (5) are done for each modality `m` with parameters of its own, `l = 1..L`; (6) joins the channels.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `P^m` | `user.<m>` | `U x d` | Xavier normal |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `Wc_l`, `bc_l` | `conv.<m>.<l>.weight`, `.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Ws_l`, `bs_l` | `self.<m>.<l>.weight`, `.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Wg_l`, `bg_l` | `combine.<m>.<l>.weight`, `.bias` | `d x k`, `1 x d` | `U(-1/sqrt(k), 1/sqrt(k))` |
//!
//! with `k = d`, or `2 d` under concat. The bias `bc_l` is inside the propagation: a node without neighbours
//! receives exactly 0 under `rw`, and under `sym` the bias is scaled by the row sum of `A`. Propagation comes first,
//! `H = LR( (A H_(l-1)) Wc_l^T + (A 1) bc_l )`, which is the same and maps only rows that are read.
//!
//! # Ablation
//! Channels meet only in the mean (6), so each is computed at most twice, real and silenced, and every ablation
//! is the mean of a choice among these `2 n` tables. Scores have cross terms `<C_m[u], C_k[i]>` and are not
//! additive. A silenced channel still varies between nodes of one side, because `ID` enters at every layer.
//!
//! Its first layer sees one row for all users and one for all items. Under `rw_plus` a node of degree `k`
//! receives `1/(k+1)` of its own side's row and `k/(k+1)` of the other's; under `rw` the other's, or 0 if it has
//! no neighbour. So (2) to (4) without `ID` are computed once per side and degree and handed out to the nodes;
//! (4) and (5) are linear in `Xh` inside the activation, where `ID` is added per node. Under `sym` the weights
//! depend on the neighbours' degrees too, and under dropout the rows differ: both take the plain path.
//!
//! The last layer is done for the users and items requested only, with their rows of `A`.
//!
//! # Variants
//! | setting | first author's code | code of the 2024 experiments | default |
//! |---|---|---|---|
//! | `normalisation` | `rw` | `rw_plus` | `rw_plus` |
//! | `combination` | `concat` | `elementwise` | `elementwise` |
//! | `layers` | 3 | 3 | 3 |
//! | `train_preferences` | never updated | never updated | updated, as the text of 2024 has it |
//!
//! The first author's code differs besides in what is no setting here: its first layer has the width of the
//! features or of a wider projection, its aggregation has no bias, its id embeddings are never updated, and it
//! scores with the tables of the last training step, one update old.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every layer | 1 to 4096 |
//! | `layers` | 3 | number of layers `L` | 1 to 8 |
//! | `normalisation` | `rw_plus` | weights of neighbours in `A` | `rw_plus`, `rw`, `sym` |
//! | `combination` | `elementwise` | equation (4) or (5) | `elementwise`, `concat` |
//! | `train_preferences` | true | whether `P^m` learns; if not, it stays as drawn | true, false |
//! | `dropout` | 0 | share of the entries of each `H_(l-1)` dropped in training | 0 to below 1 |

mod channel;
mod degree_classes;
mod targets;

use crate::nodes::mean;
use crate::parts::Build;
use crate::registry::{AblationEffect, BackboneConfig, BackboneEntry};
use crate::requested::RequestedNodes;
use crate::{Ablation, Backbone, Block, Encoded, Pass, Request, Tables, View, ranges};
use burn::tensor::Tensor;
use channel::{Channel, Scope};
use degree_classes::DegreeClasses;
use equipoise_data::graph::Normalisation;
use equipoise_nn::{collect, init};
use serde::{Deserialize, Serialize};

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "mmgcn",
    title: "MMGCN",
    source: "Wei et al., ACM MM 2019",
    summary: "one graph network per modality over shared id embeddings, averaged",
    ablation_effect: AblationEffect::Inputs,
    check,
    build,
};

/// How a layer joins what the neighbours say with what the node says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// Added, after a linear map of the neighbours' part: equation (4).
    #[default]
    Elementwise,
    /// Side by side through one linear map: equation (5).
    Concat,
}

/// MMGCN's settings; see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Number of layers `L`.
    pub layers: usize,
    /// Weights of neighbours.
    pub normalisation: Normalisation,
    /// How a layer joins its two parts.
    pub combination: Combination,
    /// Whether the preferences learn.
    pub train_preferences: bool,
    /// Share of the entries of each layer's input dropped in training.
    pub dropout: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            layers: 3,
            normalisation: Normalisation::RwPlus,
            combination: Combination::Elementwise,
            train_preferences: true,
            dropout: 0.0,
        }
    }
}

fn check(config: &BackboneConfig) -> Result<(), String> {
    let Config { layers, dropout, .. } = config.mmgcn;
    ranges::expect("layers", layers, (1..=8).contains(&layers), "1 to 8")?;
    ranges::rate("dropout", dropout)
}

/// See the [module documentation](self).
pub struct Mmgcn {
    config: Config,
    channels: Vec<Channel>,
    /// `None` where a silenced channel's first layer has more distinct rows than this can hold.
    classes: Option<DegreeClasses>,
}

fn build(config: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    let config = config.mmgcn.clone();
    b.ids(init::xavier_uniform);
    let channels = (0..b.n_modalities()).map(|m| Channel::new(m, &config, b)).collect();
    let classes = DegreeClasses::new(b.inputs.graphs.bipartite(), config.normalisation);
    Box::new(Mmgcn { config, channels, classes })
}

impl Backbone for Mmgcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let everything = pass.everything();
        let scope = Scope::new(&self.config, everything, RequestedNodes::all(pass.inputs().n_users));
        let channels = self.channels.iter().map(|c| c.run(&scope, c.start(&everything)));
        let Tables { users, items, .. } = scope.tables(mean(channels));
        pass.select(users, items)
    }

    fn encode(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let scope = Scope::new(&self.config, pass, RequestedNodes::of(request));
        let wanted = |m, silenced| request.ablations.iter().any(|a| a.silences(m) == silenced);
        let cached = self.channels.iter().enumerate().map(|(m, c)| {
            let real = wanted(m, false).then(|| collect(c.run(&scope, c.start(&pass))));
            [real, wanted(m, true).then(|| collect(self.silenced(m, request, &scope)))]
        });
        let cached: Vec<[Option<Tensor<2>>; 2]> = cached.collect();
        let mut encoded = Encoded::default();
        for &ablation in request.ablations {
            let choice = |(m, both): (usize, &[Option<Tensor<2>>; 2])| {
                both[usize::from(ablation.silences(m))].clone().expect("made for this ablation")
            };
            let Tables { users, items, .. } = scope.tables(mean(cached.iter().enumerate().map(choice)));
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(Block::varying(users, items));
        }
        encoded
    }
}

impl Mmgcn {
    /// The channel of modality `m` from its mean inputs.
    fn silenced(&self, m: usize, request: &Request, scope: &Scope) -> Tensor<2> {
        let channel = &self.channels[m];
        match &self.classes {
            Some(classes) if !scope.drops() => channel.run_by_class(scope, classes),
            _ => channel.run(scope, channel.start(&request.pass(Ablation::without(m)).everything())),
        }
    }
}
