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

mod config;
mod contrast;
mod fuser;
mod item_view;

use crate::layer_mean::layer_mean_of;
use crate::parts::Build;
use crate::pass::pick;
use crate::registry::{AblationEffect, BackboneConfig, BackboneEntry};
use crate::requested::RequestedNodes;
use crate::{Ablation, Backbone, Block, Encoded, Pass, Request, RowSet, Tables, View, layer_mean};
use burn::tensor::Tensor;
pub use config::Config;
use contrast::Contrast;
use equipoise_nn::{Propagation, blend, collect, init, propagate, stack};
use fuser::{Channel, Fuser};
use item_view::ItemView;
use std::cell::OnceCell;
use std::sync::Arc;

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "mgcn",
    title: "MGCN",
    source: "Yu et al., MM 2023",
    summary: "user-item and item-item views of features purified by ids, fused by what users do",
    ablation_effect: AblationEffect::Inputs,
    check: |config| config.mgcn.check(),
    build,
};

/// See the [module documentation](self).
pub struct Mgcn {
    user_item: Arc<Propagation>,
    to_users: Arc<Propagation>,
    ui_layers: usize,
    views: Vec<ItemView>,
    ablate_graph: bool,
    fuser: Fuser,
    contrast: Option<Contrast>,
}

fn build(config: &BackboneConfig, b: &mut Build) -> Box<dyn Backbone> {
    let c = &config.mgcn;
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
            let rows = || match silenced {
                false => reach.nodes(view.items(&pass.everything())),
                true => self.ungated(&pass, &reach, view, &ids) * view.silenced_gate(&pass),
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
        let to_users = match users.is_all() {
            true => to_users.clone(),
            false => Arc::new(to_users.of_rows(users.rows())),
        };
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
            let heard = channels.iter().enumerate().map(|(m, both)| {
                both[usize::from(ablation.silences(m))]
                    .as_ref()
                    .expect("every ablation requested has its channels")
            });
            let content = self.fuser.fuse(&gates, &heard.collect::<Vec<_>>());
            let tables = self.finish(&request.pass(ablation), &requested, behaviour.clone(), content);
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(Block::varying(tables.users, tables.items));
            encoded.extra = encoded.extra.or(tables.extra);
        }
        encoded
    }
}
