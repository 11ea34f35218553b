//! FREEDOM: freezing and denoising graph structures for multimodal recommendation (Zhou & Shen, MM 2023), for
//! any number of modalities.
//!
//! # Equations
//! Once, from the given features: `S^m`, the graph of the `k` nearest items, all neighbours alike
//! ([`Knn::binary`](equipoise_data::graph::Knn::binary)). With `S` the normalised adjacency of users and items:
//! ```text
//! [C_U ; C_I] = 1/(l_ui + 1) sum_(l = 0..l_ui) S^l [ X_U ; X_I ]          N x d    (1)
//! h           = ( sum_m mix_m S^m )^l_ii X_I                              I x d    (2)
//! Y = C_U       Z = C_I + h                                                        (3)
//! ```
//! Its own loss ranks the batch's triples by each modality's projected features alone:
//! ```text
//! reg_features sum_m 1/B sum_(u,i,j) sp( < y_u , W_m (e_j - e_i) > )               (4)
//! ```
//! In training, `S` may be that of `floor(T (1 - drop))` of the `T` interactions, drawn without replacement
//! with probabilities proportional to `1 / sqrt(deg_u deg_i)`: edges between the popular are the first to
//! go. Scores are those of the whole graph.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `E^m`, if trained | `features.<m>` | `I x d_m` | the given features |
//!
//! # Ablation
//! Features reach the scores through frozen graphs alone, so silencing a modality changes no score: one pass
//! serves every ablation. With `ablate_graph` a silenced modality's `S^m` becomes the identity; (1) is
//! shared, (2) is made for each ablation. Dropped edges are the same for all ablations of a step.
//!
//! # Variants
//! * `ablate_graph`: whether silencing takes the graph `S^m` away.
//! * `train_features`: `E^m` of (4) is a parameter, as published. The graph keeps reading the given features.
//! * `drop`: published results have 0.8 or 0.9, drawn anew in every epoch.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every table | 1 to 4096 |
//! | `neighbours` | 10 | nearest items `k` of a row of `S^m`, the item itself a candidate | 1 to 1000 |
//! | `mix` | empty | `mix_m` in the order of the modalities, as given; empty: `1/n` each. Published: 0.9 text, 0.1 image | empty, or a number of 0 or more per modality |
//! | `ui_layers` | 2 | layers `l_ui` over users and items | 0 to 8 |
//! | `ii_layers` | 1 | layers `l_ii` over similar items | 0 to 8 |
//! | `reg_features` | 0.001 | weight of (4); published: 0, 1e-5, 1e-4 or 1e-3 | 0 or more |
//! | `train_features` | false | whether features are trained; costs three more tables of their size | true, false |
//! | `ablate_graph` | false | whether silencing a modality silences its graph | true, false |
//! | `drop` | 0 | share of the interactions dropped in training | 0 to below 1 |
//! | `resample` | 100 | steps after which they are drawn anew; those of an epoch, to do as published | 1 or more |

mod edges;

use crate::layer_mean::layer_mean_of;
use crate::parts::Build;
use crate::registry::{AblationEffect, BackboneConfig, BackboneEntry};
use crate::requested::RequestedNodes;
use crate::{Backbone, Block, Encoded, Mode, Pass, Projection, Request, Tables, View, encode_once, ranges};
use burn::tensor::Tensor;
pub use edges::EdgeSample;
use equipoise_data::Triples;
use equipoise_data::graph::Normalisation;
use equipoise_nn::math::softplus;
use equipoise_nn::{Propagation, init, margins, propagate};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "freedom",
    title: "FREEDOM",
    source: "Zhou & Shen, MM 2023",
    summary: "LightGCN on a thinned graph, plus ids spread over a frozen graph of similar items",
    ablation_effect: AblationEffect::Nothing,
    check,
    build,
};

/// Settings: see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Nearest items `k`.
    pub neighbours: usize,
    /// Weight of each modality's graph.
    pub mix: Vec<f64>,
    /// Layers over users and items.
    pub ui_layers: usize,
    /// Layers over similar items.
    pub ii_layers: usize,
    /// Weight of the own loss.
    pub reg_features: f64,
    /// Whether features are trained.
    pub train_features: bool,
    /// Whether silencing a modality silences its graph.
    pub ablate_graph: bool,
    /// Share of the interactions dropped in training.
    pub drop: f64,
    /// Steps after which they are drawn anew.
    pub resample: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            neighbours: 10,
            mix: Vec::new(),
            ui_layers: 2,
            ii_layers: 1,
            reg_features: 1e-3,
            train_features: false,
            ablate_graph: false,
            drop: 0.0,
            resample: 100,
        }
    }
}

fn check(config: &BackboneConfig) -> Result<(), String> {
    let c = &config.freedom;
    ranges::neighbours("neighbours", c.neighbours)?;
    c.mix.iter().try_for_each(|&weight| ranges::not_negative("mix", weight))?;
    ranges::layers("ui_layers", c.ui_layers)?;
    ranges::layers("ii_layers", c.ii_layers)?;
    ranges::not_negative("reg_features", c.reg_features)?;
    ranges::rate("drop", c.drop)?;
    ranges::expect("resample", c.resample, c.resample > 0, "1 or more")
}

/// See the [module documentation](self).
pub struct Freedom {
    modalities: Vec<Neighbourhood>,
    user_item: Arc<Propagation>,
    thinned: Option<EdgeSample>,
    config: Config,
}

/// What one modality brings.
struct Neighbourhood {
    content: Projection,
    graph: Arc<Propagation>,
    mix: f64,
}

fn build(config: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    let (config, n) = (config.freedom.clone(), b.n_modalities());
    if ![0, n].contains(&config.mix.len()) {
        let names = b.inputs.names().join(", ");
        b.refuse(format!(
            "backbone.freedom.mix = {:?}: expected one number per modality ({names}), or none",
            config.mix
        ));
    }
    b.ids(init::xavier_uniform);
    let neighbourhood = |m| Neighbourhood {
        content: Projection::new(b, m, config.train_features),
        graph: Arc::new(Propagation::new(b.inputs.neighbours(m, config.neighbours).binary())),
        mix: config.mix.get(m).copied().unwrap_or(1.0 / n as f64),
    };
    let modalities = (0..n).map(neighbourhood).collect();
    let graphs = &b.inputs.graphs;
    let sample = || EdgeSample::new(graphs.bipartite(), config.drop, config.resample);
    let thinned = (config.drop > 0.0).then(sample);
    Box::new(Freedom { modalities, user_item: graphs.propagation(Normalisation::Sym), thinned, config })
}

impl Freedom {
    /// The rows requested of `C_U` and of `C_I`.
    fn behaviour(&self, pass: &Pass) -> Tables {
        let (seed, step) = pass.randomness();
        let thinned = self.thinned.as_ref().filter(|_| pass.mode() == Mode::Training);
        let graph = thinned.map_or_else(|| self.user_item.clone(), |sample| sample.graph(seed, step));
        let requested = RequestedNodes::of(pass.request());
        requested.tables(layer_mean_of(&requested, pass, &graph, self.config.ui_layers))
    }

    /// `h` of every item.
    fn similar(&self, pass: &Pass) -> Tensor<2> {
        let layer = |x: Tensor<2>| {
            let messages = self.modalities.iter().map(|one| {
                let alone = self.config.ablate_graph && pass.ablation().silences(one.content.m());
                let message = if alone { x.clone() } else { propagate(&one.graph, x.clone()) };
                message * one.mix
            });
            messages.reduce(|a, b| a + b).expect("a data set has a modality")
        };
        (0..self.config.ii_layers).fold(pass.table("item.id"), |x, _| layer(x))
    }

    /// Equation (4) where it is wanted, given the rows of `Y` requested.
    fn own_loss(&self, pass: &Pass, users: &Tensor<2>) -> Option<Tensor<1>> {
        let batch = pass.batch().filter(|_| self.config.reg_features > 0.0)?;
        let triples = Arc::new(Triples {
            users: batch.users().to_vec(),
            positives: batch.positives().to_vec(),
            negatives: batch.negatives().to_vec(),
        });
        let loss = |one: &Neighbourhood| {
            softplus(margins(users.clone(), one.content.projected(pass), &triples).neg()).mean()
        };
        let sum = self.modalities.iter().map(loss).reduce(|a, b| a + b)?;
        Some(sum * self.config.reg_features)
    }
}

impl Backbone for Freedom {
    fn forward(&self, pass: &Pass) -> Tables {
        let Tables { users, items, .. } = self.behaviour(pass);
        let items = items + pass.select_items(self.similar(pass));
        let extra = self.own_loss(pass, &users);
        Tables { users, items, extra }
    }

    fn encode(&self, request: &Request) -> Encoded {
        if !self.config.ablate_graph {
            return encode_once(self, request);
        }
        let mut encoded = Encoded::default();
        let Some(&first) = request.ablations.first() else { return encoded };
        let Tables { users, items, .. } = self.behaviour(&request.pass(first));
        for &ablation in request.ablations {
            let pass = request.pass(ablation);
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            let rows = items.clone() + pass.select_items(self.similar(&pass));
            encoded.blocks.push(Block::varying(users.clone(), rows));
            encoded.extra = encoded.extra.or_else(|| self.own_loss(&pass, &users));
        }
        encoded
    }
}
