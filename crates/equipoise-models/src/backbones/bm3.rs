//! BM3: bootstrapped multimodal model (Zhou et al., WWW 2023), for any number of modalities. It learns
//! without negatives, by predicting one node from another.
//!
//! # Equations
//! With `S` the normalised adjacency of users and items:
//! ```text
//! [C_U ; C_I] = 1/(l + 1) sum_(k = 0..l) S^k [ X_U ; X_I ]                N x d    (1)
//! u = C_U       i = C_I + X_I       f_m = E^m W_m^T + b_m                          (2)
//! q(x) = x Wq^T + bq                                                               (3)
//! Y = q(u)      Z = q(i)                                                           (4)
//! ```
//! Its own loss is the whole loss, on the batch's users `u_b` and preferred items `i_b`. Targets
//! `u', i', f_m'` are `u, i, f_m` under dropout, as constants; `cos(x, y) = < x/|x| , y/|y| >`:
//! ```text
//!   mean_b ( 1 - cos(q(u_b), i'_b) ) + mean_b ( 1 - cos(q(i_b), u'_b) )
//! + feature_weight sum_m mean_b ( 1 - cos(q(f_m,b), i'_b) + 1 - cos(q(f_m,b), f'_m,b) )
//! + reg_ids 1/2 mean_b ( |x_u|^2 + |x_i|^2 )                                       (5)
//! ```
//! The last line is taken on rows of the id tables, as in LightGCN. The released code takes norms of whole
//! tables instead, not squared; its weights of 0.1 and 0.01 mean something else.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `Wq`, `bq` | `predictor.weight`, `predictor.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//!
//! # Ablation
//! Features enter (5) alone and no score: silencing a modality changes none, and one pass serves every
//! ablation.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every table | 1 to 4096 |
//! | `ui_layers` | 1 | layers `l` over users and items; published: 1 or 2 | 0 to 8 |
//! | `dropout` | 0.3 | rate of the targets' dropout; published: 0.3 or 0.5 | 0 to below 1 |
//! | `feature_weight` | 2 | weight of the terms of features in (5) | 0 or more |
//! | `reg_ids` | 0.01 | weight of the norms in (5) | 0 or more |

use crate::entry::{AblationEffect, BackboneSettings};
use crate::layer_mean::layer_mean_of;
use crate::nodes::repeated_rows;
use crate::parts::{Build, Content, Linear};
use crate::requested::RequestedNodes;
use crate::{
    Backbone, BatchTriples, Encoded, Objective, Occurrences, Pass, Request, Tables, encode_once, ranges,
};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::FieldError;
use equipoise_data::graph::Normalisation;
use equipoise_nn::{Group, Propagation, gather_rows, init, normalise_rows};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Settings: see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Layers over users and items.
    pub ui_layers: usize,
    /// Rate of the targets' dropout.
    pub dropout: f64,
    /// Weight of the terms of features.
    pub feature_weight: f64,
    /// Weight of the norms of id rows.
    pub reg_ids: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { ui_layers: 1, dropout: 0.3, feature_weight: 2.0, reg_ids: 0.01 }
    }
}

struct Bm3 {
    contents: Vec<Content>,
    predictor: Linear,
    user_item: Arc<Propagation>,
    config: Config,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "bm3";
    const TITLE: &'static str = "BM3";
    const SOURCE: &'static str = "Zhou et al., WWW 2023";
    const SUMMARY: &'static str =
        "LightGCN that learns without negatives, by predicting items from users, features and back";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn check(&self) -> Result<(), FieldError> {
        ranges::layers("ui_layers", self.ui_layers)?;
        ranges::below_one("dropout", self.dropout)?;
        ranges::not_negative("feature_weight", self.feature_weight)?;
        ranges::not_negative("reg_ids", self.reg_ids)
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids(init::xavier_uniform);
        let contents = (0..b.n_modalities()).map(|m| b.projection(m)).collect();
        let predictor = b.linear("predictor", Group::Shared, [b.width, b.width]);
        let user_item = b.inputs.graphs.propagation(Normalisation::Sym);
        Box::new(Bm3 { contents, predictor, user_item, config: self.clone() })
    }
}

impl Bm3 {
    /// The rows of `u` and `i` requested.
    fn online(&self, pass: &Pass) -> Tables {
        let requested = RequestedNodes::of(pass.request());
        let rows = layer_mean_of(&requested, pass, &self.user_item, self.config.ui_layers);
        let Tables { users, items, .. } = requested.tables(rows);
        Tables::new(users, items + pass.items("item.id"))
    }

    /// Unit rows of a target: under dropout, and no gradient goes back through it.
    fn target(&self, pass: &Pass, x: &Tensor<2>, site: &str) -> Tensor<2> {
        normalise_rows(pass.dropout(x.clone().detach(), self.config.dropout, site))
    }

    /// Equation (5), given the rows requested of `u, i` and of `q(u), q(i)`.
    fn own_loss(&self, pass: &Pass, batch: &BatchTriples, online: &Tables, predicted: &Tables) -> Tensor<1> {
        let users = self.target(pass, &online.users, "users");
        let items = self.target(pass, &online.items, "items");
        let (of_users, of_items) = (batch.users(), batch.positives());
        let at = |table, rows: &[u32]| repeated_rows(table, rows.iter().copied());
        let cosines = |a: Tensor<2>, at_a: &[u32], b: Tensor<2>, at_b: &[u32]| {
            (at(a, at_a) * at(b, at_b)).sum_dim(1).mean()
        };
        let forth = cosines(normalise_rows(predicted.users.clone()), of_users, items.clone(), of_items);
        let back = cosines(normalise_rows(predicted.items.clone()), of_items, users, of_users);
        let positives = Occurrences::of(of_items);
        let features =
            self.contents.iter().map(|content| self.of_features(pass, content, &items, &positives));
        let features = features.reduce(|a, b| a + b).expect("a data set has a modality");
        let norms = self.norms(pass, &Occurrences::of(of_users), &positives);
        features * self.config.feature_weight + norms * self.config.reg_ids - forth - back + 2.0
    }

    /// `mean_b ( 1 - cos(q(f_m,b), i'_b) + 1 - cos(q(f_m,b), f'_m,b) )`, each distinct item once.
    fn of_features(&self, pass: &Pass, content: &Content, items: &Tensor<2>, of: &Occurrences) -> Tensor<1> {
        let features = gather_rows(content.projected(pass), &of.rows);
        let own = self.target(pass, &features, &format!("features/{}", content.m));
        let predicted = normalise_rows(self.predictor.apply(pass, features));
        let targets = own + gather_rows(items.clone(), &of.rows);
        let shares = TensorData::new(of.shares(), [of.rows.len(), 1]);
        let shares = Tensor::<2>::from_data(shares, &predicted.device());
        (predicted * targets).sum_dim(1).mul(shares).sum().neg() + 2.0
    }

    /// `1/2 mean_b ( |x_u|^2 + |x_i|^2 )`.
    fn norms(&self, pass: &Pass, users: &Occurrences, items: &Occurrences) -> Tensor<1> {
        let half = |of: &Occurrences| 0.5 / f64::from(of.counts.iter().sum::<f32>());
        users.square_norm(pass.users("user.id"), half(users))
            + items.square_norm(pass.items("item.id"), half(items))
    }
}

impl Backbone for Bm3 {
    fn forward(&self, pass: &Pass) -> Tables {
        let online = self.online(pass);
        let q = |x: &Tensor<2>| self.predictor.apply(pass, x.clone());
        let mut tables = Tables::new(q(&online.users), q(&online.items));
        tables.extra = pass.batch().map(|batch| self.own_loss(pass, batch, &online, &tables));
        tables
    }

    fn encode(&self, request: &Request) -> Encoded {
        encode_once(self, request)
    }

    fn objective(&self) -> Objective {
        Objective::Own
    }
}
