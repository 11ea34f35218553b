//! MGCN: multi-view graph convolutional network for multimedia recommendation (Yu, Tan, Lu & Bao, MM 2023),
//! in the form of its released code, for any number of modalities.
//!
//! # Equations
//! Once, from the given features: `S^m`, the graph of the `k` nearest items by cosine
//! ([`Knn::weighted`](equipoise_data::graph::Knn::weighted)). With `S` the normalised adjacency of users and items
//! and `R` its `U x I` block:
//! ```text
//! F^m   = E^m W_m^T + b_m                                     I x d    (1)
//! Q^m   = (S^m)^l_ii ( X_I * sig(F^m Wg_m^T + bg_m) )         I x d    (2)    ids gated by features
//! C_m   = [ R Q^m ; Q^m ]                                     N x d    (3)    channel of m
//! C_id  = 1/(l_ui + 1) sum_(l = 0..l_ui) S^l [ X_U ; X_I ]    N x d    (4)    behaviour
//! w^m   = softmax over m of < q, tanh(Wa C_m + ba) >          N x 1    (5)
//! C_s   = sum_m w^m * C_m                                     N x d    (6)    what modalities share
//! P_m   = sig(C_id Wp_m^T + bp_m)                             N x d    (7)    preference gate
//! C_mul = ( C_s + sum_m P_m * (C_m - C_s) ) / (n + 1)         N x d    (8)
//! [Y ; Z] = C_id + C_mul                                      N x d    (9)
//! ```
//! Its own loss, on the batch's users `u_b` and preferred items `i_b`, rows brought to length 1; a row that
//! occurs twice in the batch is its own negative:
//! ```text
//! lambda_c ( InfoNCE(C_mul[i_b], C_id[i_b]) + InfoNCE(C_mul[u_b], C_id[u_b]) )                    (10)
//! InfoNCE(A, B) = -1/B sum_b ln( exp(a_b.b_b / tau) / sum_c exp(a_b.b_c / tau) )
//! ```
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `E^m`, if trained | `features.<m>` | `I x d_m` | the given features |
//! | `Wg_m`, `bg_m` | `gate.<m>.weight`, `gate.<m>.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Wp_m`, `bp_m` | `prefer.<m>.weight`, `prefer.<m>.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Wa`, `ba`, `q` | `attention.weight`, `attention.bias`, `attention.query` | `d x d`, `1 x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//!
//! There are no preferences of users: they hear of a modality through their items.
//!
//! # Ablation
//! A silenced modality has one gate row `g = sig(Wg pi_m(e_bar) + bg)`, and scaling columns commutes with
//! propagation: its channel is `[ R P ; P ] diag(g)` with `P = (S^m)^l_ii X_I`. A channel reads no other
//! modality, nor does its logit in (5); (7) reads none. So a step makes `C_id` and the gates once, each
//! channel that some ablation needs once, real or silenced, with its logit, and only the softmax, (6) and
//! (8) for each ablation; (5) to (9) for the rows requested only.
//!
//! # Variants
//! * `ablate_graph`: whether silencing takes the graph `S^m` away too (the identity in its place). Without it
//!   the graph still tells of the modality.
//! * `contrastive`: (10) or nothing. The published results have it; those of counterfactual knowledge
//!   distillation were probably trained without.
//! * `train_features`: `E^m` is a parameter, as published. The graph keeps reading the given features.
//! * `normalisation`: how `S` weighs interactions.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every table | 1 to 4096 |
//! | `neighbours` | 10 | nearest items `k` of a row of `S^m`, the item itself a candidate | 1 to 1000 |
//! | `ui_layers` | 2 | layers `l_ui` over users and items | 0 to 8 |
//! | `ii_layers` | 1 | layers `l_ii` over similar items | 0 to 8 |
//! | `contrastive` | true | whether (10) is added | true, false |
//! | `lambda_c` | 0.01 | its weight; published: 0.001, 0.01 or 0.1 | 0 or more |
//! | `tau` | 0.2 | its temperature | 0.01 to 100 |
//! | `train_features` | false | whether features are trained; costs three more tables of their size | true, false |
//! | `ablate_graph` | false | whether silencing a modality silences its graph | true, false |
//! | `normalisation` | `sym` | of `S` | `sym`, `rw_plus`, `rw` |

use crate::entry::{AblationEffect, BackboneSettings};
use crate::layer_mean::layer_mean_of;
use crate::parts::{Build, Linear};
use crate::pass::pick;
use crate::requested::RequestedNodes;
use crate::{
    Ablation, Backbone, BatchTriples, Block, Encoded, Occurrences, Pass, Projection, Request, RowSet, Tables,
    View, layer_mean, ranges,
};
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use equipoise_data::FieldError;
use equipoise_data::graph::Normalisation;
use equipoise_nn::{
    Group, Propagation, blend, collect, gated, gather_rows, init, log_partition, normalise_rows, propagate,
    sigmoid, stack, tanh,
};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::sync::Arc;

/// Settings: see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Nearest items `k`.
    pub neighbours: usize,
    /// Layers over users and items.
    pub ui_layers: usize,
    /// Layers over similar items.
    pub ii_layers: usize,
    /// Whether the contrastive loss is added.
    pub contrastive: bool,
    /// Its weight.
    pub lambda_c: f64,
    /// Its temperature.
    pub tau: f64,
    /// Whether features are trained.
    pub train_features: bool,
    /// Whether silencing a modality silences its graph.
    pub ablate_graph: bool,
    /// Of the user-item graph.
    pub normalisation: Normalisation,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            neighbours: 10,
            ui_layers: 2,
            ii_layers: 1,
            contrastive: true,
            lambda_c: 0.01,
            tau: 0.2,
            train_features: false,
            ablate_graph: false,
            normalisation: Normalisation::Sym,
        }
    }
}

struct Mgcn {
    user_item: Arc<Propagation>,
    to_users: Arc<Propagation>,
    ui_layers: usize,
    views: Vec<ItemView>,
    ablate_graph: bool,
    fuser: Fuser,
    contrast: Option<Contrast>,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "mgcn";
    const TITLE: &'static str = "MGCN";
    const SOURCE: &'static str = "Yu et al., MM 2023";
    const SUMMARY: &'static str =
        "user-item and item-item views of features purified by ids, fused by what users do";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    fn check(&self) -> Result<(), FieldError> {
        ranges::neighbours("neighbours", self.neighbours)?;
        ranges::layers("ui_layers", self.ui_layers)?;
        ranges::layers("ii_layers", self.ii_layers)?;
        ranges::not_negative("lambda_c", self.lambda_c)?;
        ranges::expect("tau", self.tau, (0.01..=100.0).contains(&self.tau), "0.01 to 100")
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let c = self;
        b.ids(init::xavier_uniform);
        let views = (0..b.n_modalities()).map(|m| ItemView::new(b, m, c)).collect();
        let graphs = &b.inputs.graphs;
        Box::new(Mgcn {
            user_item: graphs.propagation(c.normalisation),
            to_users: graphs.items_to_users(c.normalisation),
            ui_layers: c.ui_layers,
            views,
            ablate_graph: c.ablate_graph,
            fuser: Fuser::new(b),
            contrast: c.contrastive.then_some(Contrast { weight: c.lambda_c, tau: c.tau }),
        })
    }
}

impl Mgcn {
    /// `C_id + C_mul` and the own loss where it is wanted, from rows requested.
    fn finish(
        &self,
        pass: &Pass,
        requested: &RequestedNodes,
        behaviour: Tensor<2>,
        content: Tensor<2>,
    ) -> Tables {
        let contrast = self.contrast.as_ref().zip(pass.batch());
        let loss = |(contrast, batch): (&Contrast, _)| {
            contrast.loss(batch, &requested.tables(content.clone()), &requested.tables(behaviour.clone()))
        };
        let extra = contrast.map(loss);
        Tables { extra, ..requested.tables(blend(behaviour, content, 1.0)) }
    }

    /// Rows requested of a silenced modality's channel, but for its gate: `[ R P ; P ]`.
    fn ungated(&self, pass: &Pass, reach: &Reach, view: &ItemView, ids: &OnceCell<Tensor<2>>) -> Tensor<2> {
        let items = pass.table("item.id");
        if self.ablate_graph {
            // Without its graph, nothing here depends on the modality.
            return ids.get_or_init(|| reach.nodes(items)).clone();
        }
        reach.nodes(view.spread(items))
    }

    /// The channels that some ablation needs, for the rows requested: per modality the real one, then the
    /// silenced one.
    fn channels(&self, request: &Request) -> Vec<[Option<Channel>; 2]> {
        let pass = request.pass(Ablation::FULL);
        let reach = Reach::new(&self.to_users, request.users, request.items);
        let ids = OnceCell::new();
        let channel = |view: &ItemView, silenced: bool| {
            let needed = request.ablations.iter().any(|a| a.silences(view.m()) == silenced);
            let rows = || {
                if silenced {
                    self.ungated(&pass, &reach, view, &ids) * view.silenced_gate(&pass)
                } else {
                    reach.nodes(view.items(&pass.everything()))
                }
            };
            needed.then(|| self.fuser.channel(&pass, rows()))
        };
        self.views.iter().map(|view| [channel(view, false), channel(view, true)]).collect()
    }
}

/// From all items to some users and items.
struct Reach<'a> {
    /// Their users' rows of `R`.
    to_users: Arc<Propagation>,
    items: &'a RowSet,
}

impl<'a> Reach<'a> {
    fn new(to_users: &Arc<Propagation>, users: &RowSet, items: &'a RowSet) -> Reach<'a> {
        let to_users =
            if users.is_all() { to_users.clone() } else { Arc::new(to_users.of_rows(users.rows())) };
        Reach { to_users, items }
    }

    /// `[ R Q ; Q ]` of a table of items.
    fn nodes(&self, items: Tensor<2>) -> Tensor<2> {
        let items = collect(items);
        let of_users = propagate(&self.to_users, items.clone());
        stack(of_users, pick(items, self.items))
    }
}

impl Backbone for Mgcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let whole = pass.everything();
        let behaviour = layer_mean(&whole, &self.user_item, self.ui_layers);
        let inputs = whole.inputs();
        let reach = Reach::new(&self.to_users, inputs.all_users(), inputs.all_items());
        let channel = |view: &ItemView| self.fuser.channel(&whole, reach.nodes(view.items(&whole)));
        let channels: Vec<Channel> = self.views.iter().map(channel).collect();
        let gates = self.fuser.gates(&whole, &behaviour);
        let content = self.fuser.fuse(&gates, &channels.iter().collect::<Vec<_>>());
        let requested = RequestedNodes::of(pass.request());
        self.finish(pass, &requested, requested.rows_of(behaviour), requested.rows_of(content))
    }

    fn encode(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL);
        let requested = RequestedNodes::of(request);
        let behaviour = collect(layer_mean_of(&requested, &pass, &self.user_item, self.ui_layers));
        let gates = self.fuser.gates(&pass, &behaviour);
        let channels = self.channels(request);
        let mut encoded = Encoded::default();
        for &ablation in request.ablations {
            let chosen = channels.iter().enumerate().map(|(m, both)| {
                both[usize::from(ablation.silences(m))]
                    .as_ref()
                    .expect("every ablation requested has its channels")
            });
            let content = self.fuser.fuse(&gates, &chosen.collect::<Vec<_>>());
            let tables = self.finish(&request.pass(ablation), &requested, behaviour.clone(), content);
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(Block::varying(tables.users, tables.items));
            encoded.extra = encoded.extra.or(tables.extra);
        }
        encoded
    }
}

// One modality among the items: features purified by ids, spread over similar items.

/// Equations (1) and (2), and the closed form of a silenced modality.
struct ItemView {
    content: Projection,
    gate: Linear,
    graph: Arc<Propagation>,
    layers: usize,
    ablate_graph: bool,
}

impl ItemView {
    /// Registers the parameters of modality `m`, but for those of the fuser, and makes its graph.
    fn new(b: &mut Build, m: usize, config: &Config) -> ItemView {
        let content = Projection::new(b, m, config.train_features);
        let (name, group, d) = (&b.inputs.modalities[m].name, b.group(m), b.width);
        let gate = b.linear(&format!("gate.{name}"), group, [d, d]);
        let graph = Arc::new(Propagation::new(b.inputs.neighbours(m, config.neighbours).weighted()));
        ItemView { content, gate, graph, layers: config.ii_layers, ablate_graph: config.ablate_graph }
    }

    /// Position of the modality.
    fn m(&self) -> usize {
        self.content.m()
    }

    /// `Q^m`, `I x d`, of a pass over everything.
    fn items(&self, whole: &Pass) -> Tensor<2> {
        let gate = sigmoid(self.gate.apply(whole, self.content.projected(whole)));
        let purified = whole.items("item.id") * gate;
        if self.ablate_graph && whole.ablation().silences(self.m()) {
            purified
        } else {
            self.spread(purified)
        }
    }

    /// `(S^m)^l_ii X`, `I x d`.
    fn spread(&self, items: Tensor<2>) -> Tensor<2> {
        (0..self.layers).fold(items, |items, _| propagate(&self.graph, items))
    }

    /// `g`, the one row of the silenced modality's gate.
    fn silenced_gate(&self, pass: &Pass) -> Tensor<2> {
        sigmoid(self.gate.apply(pass, self.content.projected_mean(pass)))
    }
}

// The behaviour-aware fuser: attention over the channels of the modalities, gated by what users do.

/// The channel of one modality, real or silenced.
struct Channel {
    /// `C_m`, one row per node.
    rows: Tensor<2>,
    /// `< q, tanh(Wa C_m + ba) >`, one number per node.
    logit: Tensor<2>,
}

/// What equation (8) takes from `C_id`, the same for every ablation.
struct Gates {
    /// `P_m / (n + 1)` of every modality.
    of_modality: Vec<Tensor<2>>,
    /// `(1 - sum_m P_m) / (n + 1)`.
    rest: Tensor<2>,
}

/// Equations (5) to (8), node by node. (8) sorted by channels is one operation for each:
/// ```text
/// C_mul = sum_m C_m * ( w^m (1 - sum_k P_k) + P_m ) / (n + 1)
/// ```
struct Fuser {
    attention: Linear,
    query: String,
    preferences: Vec<Linear>,
}

impl Fuser {
    /// Registers the parameters.
    fn new(b: &mut Build) -> Fuser {
        let (d, n) = (b.width, b.n_modalities());
        let mut prefer = |m: usize| {
            let (name, group) = (format!("prefer.{}", b.inputs.modalities[m].name), b.group(m));
            b.linear(&name, group, [d, d])
        };
        let preferences = (0..n).map(&mut prefer).collect();
        let attention = b.linear("attention", Group::Shared, [d, d]);
        let query = "attention.query".to_owned();
        b.table(&query, Group::Shared, [1, d], |rows, fan_in, s| init::linear(rows * fan_in, fan_in, s));
        Fuser { attention, query, preferences }
    }

    /// A channel with its logit, which no other channel changes.
    fn channel(&self, pass: &Pass, rows: Tensor<2>) -> Channel {
        let hidden = tanh(self.attention.apply(pass, rows.clone()));
        Channel { rows, logit: hidden.matmul(pass.table(&self.query).transpose()) }
    }

    /// The gates (7), from `C_id`.
    fn gates(&self, pass: &Pass, behaviour: &Tensor<2>) -> Gates {
        let share = 1.0 / (self.preferences.len() + 1) as f64;
        let gate = |prefer: &Linear| sigmoid(prefer.apply(pass, behaviour.clone())) * share;
        let of_modality: Vec<Tensor<2>> = self.preferences.iter().map(gate).collect();
        let sum = of_modality.iter().cloned().reduce(|a, b| a + b).expect("a data set has a modality");
        Gates { of_modality, rest: -sum + share }
    }

    /// `C_mul` of one channel per modality.
    fn fuse(&self, gates: &Gates, channels: &[&Channel]) -> Tensor<2> {
        let logits = channels.iter().map(|c| c.logit.clone()).collect();
        let weights = softmax(Tensor::cat(logits, 1), 1);
        let part = |(m, (c, gate)): (usize, (&&Channel, &Tensor<2>))| {
            gated(c.rows.clone(), weights.clone().narrow(1, m, 1), gates.rest.clone(), gate.clone())
        };
        let parts = channels.iter().zip(&gates.of_modality).enumerate().map(part);
        parts.reduce(|a, b| a + b).expect("a data set has a modality")
    }
}

// The contrastive loss between what a node's modalities say and what its interactions say.

/// Equation (10).
struct Contrast {
    /// `lambda_c`.
    weight: f64,
    /// `tau`.
    tau: f64,
}

impl Contrast {
    /// The loss of a batch, given `C_mul` and `C_id` for the rows requested. Shape `[1]`.
    fn loss(&self, batch: &BatchTriples, content: &Tables, behaviour: &Tables) -> Tensor<1> {
        let items = self.info_nce(batch.positives(), &content.items, &behaviour.items);
        let users = self.info_nce(batch.users(), &content.users, &behaviour.users);
        (items + users) * self.weight
    }

    /// `InfoNCE(A, B)` of the given rows of two tables. A row that occurs `n` times adds `n` equal terms, and
    /// `n` times the same to every partition sum, so each distinct row is worked out once:
    /// ```text
    /// 1/B sum_r n_r ( ln sum_s n_s exp(a_r.b_s / tau) - a_r.b_r / tau )
    /// ```
    fn info_nce(&self, rows: &[u32], a: &Tensor<2>, b: &Tensor<2>) -> Tensor<1> {
        let of = Occurrences::of(rows);
        let unit = |table: &Tensor<2>| normalise_rows(gather_rows(table.clone(), &of.rows));
        let (a, b) = (unit(a) / self.tau, unit(b));
        let logs = of.counts.iter().map(|count| count.ln()).collect();
        let own = (a.clone() * b.clone()).sum_dim(1);
        let shares = TensorData::new(of.shares(), [of.rows.len(), 1]);
        let shares = Tensor::<2>::from_data(shares, &a.device());
        ((log_partition(a, b, &logs) - own) * shares).sum()
    }
}
