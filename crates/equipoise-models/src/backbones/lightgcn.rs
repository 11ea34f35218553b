//! LightGCN: id embeddings smoothed over the interaction graph, without weights or nonlinearities (He, Deng, Wang,
//! Li, Zhang & Wang, SIGIR 2020). It reads no content: what a graph alone can do.
//!
//! # Equations
//! With the adjacency `A` of all `N = U + I` nodes, users first, and its degrees `D`:
//! ```text
//! S = D^-1/2 A D^-1/2,  0^-1/2 := 0                                             N x N                 (1)
//! H_0 = [ X_U ; X_I ],   H_l = S H_(l-1)                                        N x d                 (2)
//! [ Y ; Z ] = (1/(L + 1)) sum_{l = 0..L} H_l                                    D = d                 (3)
//! L_own = reg_ids (1/B) (1/2) sum over the batch of ||x_u||^2 + ||x_i||^2 + ||x_j||^2                 (4)
//! ```
//! The own loss (4) takes the id rows themselves, a row once per occurrence in the `B` BPR triples; it adds to the
//! penalty on final rows that every backbone is trained with (set `train.reg` to 0 to have (4) alone, as
//! published). A node without interactions keeps `x / (L + 1)`.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//!
//! # Ablation
//! There is nothing to silence: the plain tables serve every ablation.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `layers` | 3 | number `L` of propagations | 0 to 8 |
//! | `reg_ids` | 1e-4 | weight of the penalty on id rows | 0 or more |
//! | `width` | 64 | width `d` of the embeddings | 1 to 4096 |

use crate::additive::encode_once;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::layer_mean::layer_mean_of;
use crate::parts::Build;
use crate::requested::RequestedNodes;
use crate::{Backbone, BatchTriples, Encoded, Occurrences, Pass, Request, Tables, ranges};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_data::graph::Normalisation;
use equipoise_nn::init;
use serde::{Deserialize, Serialize};

/// Settings of LightGCN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Number of propagations.
    pub layers: usize,
    /// Weight of the penalty on id rows.
    pub reg_ids: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { layers: 3, reg_ids: 1e-4 }
    }
}

struct LightGcn {
    layers: usize,
    reg_ids: f64,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "lightgcn";
    const TITLE: &'static str = "LightGCN";
    const SOURCE: &'static str = "He, Deng, Wang, Li, Zhang & Wang, SIGIR 2020";
    const SUMMARY: &'static str = "id embeddings smoothed over the interaction graph";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn check(&self) -> Result<(), FieldError> {
        ranges::layers("layers", self.layers)?;
        ranges::not_negative("reg_ids", self.reg_ids)
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let Config { layers, reg_ids } = *self;
        b.ids(init::xavier_uniform);
        Box::new(LightGcn { layers, reg_ids })
    }
}

impl LightGcn {
    /// Equation (4).
    fn penalty(&self, pass: &Pass, batch: &BatchTriples) -> Tensor<1> {
        let scale = 0.5 * self.reg_ids / batch.bpr as f64;
        let users = Occurrences::of(batch.users());
        let items = Occurrences::of(&[batch.positives(), batch.negatives()].concat());
        users.square_norm(pass.users("user.id"), scale) + items.square_norm(pass.items("item.id"), scale)
    }
}

impl Backbone for LightGcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let graph = pass.inputs().graphs.propagation(Normalisation::Sym);
        let requested = RequestedNodes::of(pass.request());
        let mut tables = requested.tables(layer_mean_of(&requested, pass, &graph, self.layers));
        let batch = pass.batch().filter(|_| self.reg_ids > 0.0);
        tables.extra = batch.map(|batch| self.penalty(pass, batch));
        tables
    }

    fn encode(&self, request: &Request) -> Encoded {
        encode_once(self, request)
    }
}
