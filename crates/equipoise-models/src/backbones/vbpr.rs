//! VBPR: visual Bayesian personalised ranking (He & McAuley, AAAI 2016), extended to any number of modalities
//! as in the experiments of counterfactual knowledge distillation (ACM MM 2024).
//!
//! # Equations
//! ```text
//! Y_u = [ x_u ; p_u^1 ; ... ; p_u^n ]                                  D = (1 + n) d
//! Z_i = [ x_i ; W_1 e_i^1 + b_1 ; ... ; W_n e_i^n + b_n ]
//! y_hat(u, i) = <x_u, x_i> + sum_m < p_u^m , W_m e_i^m + b_m >
//! ```
//! No biases of users or items, no nonlinearity, no dropout; features are frozen.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `x_u`, `x_i` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `p_u^m` | `user.<m>` | `U x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//!
//! # Ablation
//! The score is a sum of blocks, so an ablated prediction is the same sum with that modality's block replaced
//! by a constant, which moves no margin: with `D_id = <x_u, x_i - x_j>` and `D_m = <p_u^m, W_m (e_i - e_j)>`,
//! ```text
//! Delta_full = D_id + sum_m D_m      Delta_only(m) = D_id + D_m      treatment effect of m = D_m
//! ```
//! No pass beyond the plain one is needed.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every block | 1 to 4096 |

use crate::additive::encode_additively;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::parts::{Build, Content};
use crate::{Ablation, Backbone, Block, Encoded, Pass, Request, Tables};
use burn::tensor::Tensor;
use equipoise_nn::init;
use serde::{Deserialize, Serialize};

/// VBPR has no setting of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

struct Vbpr {
    modalities: Vec<Content>,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "vbpr";
    const TITLE: &'static str = "VBPR";
    const SOURCE: &'static str = "He & McAuley, AAAI 2016";
    const SUMMARY: &'static str = "matrix factorisation plus one projected block per modality";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Additive;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids(init::xavier_uniform);
        let mut modalities = Vec::new();
        for m in 0..b.n_modalities() {
            b.preferences(m, init::xavier_uniform);
            modalities.push(b.projection(m));
        }
        Box::new(Vbpr { modalities })
    }
}

impl Backbone for Vbpr {
    fn forward(&self, pass: &Pass) -> Tables {
        let (mut users, mut items) = (vec![pass.users("user.id")], vec![pass.items("item.id")]);
        for content in &self.modalities {
            users.push(content.preferences(pass));
            items.push(content.projected(pass));
        }
        Tables::new(Tensor::cat(users, 1), Tensor::cat(items, 1))
    }

    fn encode(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL);
        let ids = Block::varying(pass.users("user.id"), pass.items("item.id"));
        let real = |m: usize| {
            let content = &self.modalities[m];
            Block::varying(content.preferences(&pass), content.projected(&pass))
        };
        let silenced = |m: usize| {
            let content = &self.modalities[m];
            let constant = || Block::constant(content.mean_preference(&pass), content.projected_mean(&pass));
            request.constants.then(constant)
        };
        encode_additively(request, ids, real, silenced)
    }
}
